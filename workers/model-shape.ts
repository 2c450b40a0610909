import {loadModel} from '../models/load-model.ts';
import type {ModelShape} from './score-task.ts';

/**
 * How wide a model's rows are: known before there are threads, as slots are made for it.
 *
 * @throws {ForestayError} Those of {@link loadModel}.
 */
export async function readModelShape(modelPath: string): Promise<ModelShape> {
  const {featureCount, components} = (await loadModel(modelPath)).signature;
  return {features: featureCount, components: components.length};
}
