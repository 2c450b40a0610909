import type {ModelSignature} from '../core/ports.ts';
import {loadModel} from '../models/load-model.ts';

/** What is known of a model before a thread has it. `usual`: what a usual host has, by feature. */
export type ModelDescription = {readonly signature: ModelSignature; readonly usual: Float32Array};

/** @throws {ForestayError} Those of {@link loadModel}. */
export async function describeModel(path: string): Promise<ModelDescription> {
  const {signature, usual} = await loadModel(path);
  return {signature, usual};
}
