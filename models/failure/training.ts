import {COMPONENTS} from '../../core/domain/components.ts';
import {FEATURE_COUNT} from '../../core/domain/features.ts';
import {fitPlatt, type Platt} from '../platt.ts';
import {binTable} from '../trees/bins.ts';
import {BOOSTING_DEFAULTS, type BoostingOptions, trainForest} from '../trees/boosting.ts';
import {type Forest, marginOf} from '../trees/forest.ts';
import type {TreeModel} from '../trees/tree-model.ts';
import {type FailureData, labelsOf, medianFeatures, sliceData} from './data.ts';

export type FailureTraining = BoostingOptions & {
  /** Bins a feature, 255 at most. */
  readonly binsMax: number;
};

/** Small, cautious trees on small samples: rows of one host are much alike. */
export const FAILURE_DEFAULTS: FailureTraining = {
  ...BOOSTING_DEFAULTS,
  rounds: 120,
  leavesMax: 16,
  depthMax: 6,
  learningRate: 0.06,
  minChildHessian: 8,
  rowShare: 0.4,
  columnShare: 0.5,
  binsMax: 63,
};

export type FailureModel = {
  readonly model: TreeModel;
  /** Median of each feature over the training rows. */
  readonly usual: Float32Array;
};

export type TrainingProgress = {
  readonly component: string;
  readonly trees: number;
  readonly trainLoss: number;
  readonly validationLoss: number;
};

/**
 * Trains one forest and one calibration a component on the same rows. Equal data and options give
 * equal models.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID`.
 */
export function trainFailureModel(
  data: FailureData,
  options: FailureTraining,
  onProgress: (progress: TrainingProgress) => void = () => {},
): FailureModel {
  const {train, validation, calibration} = sliceData(data);
  const {seed} = options;
  const {features} = data;
  const table = binTable(features, FEATURE_COUNT, train, options.binsMax);
  const forests: Forest[] = [];
  const platts: Platt[] = [];
  for (const [index, component] of COMPONENTS.entries()) {
    const labels = labelsOf(data, index);
    const input = {table, features, labels, train, validation};
    const result = trainForest(input, {...options, seed: seed * COMPONENTS.length + index});
    const {forest} = result;
    const trees = forest.roots.length;
    onProgress({
      component,
      trees,
      trainLoss: result.trainLoss[trees - 1] ?? Number.NaN,
      validationLoss: result.validationLoss[trees - 1] ?? Number.NaN,
    });
    forests.push(forest);
    const margins = Float64Array.from(calibration, row =>
      marginOf(forest, features, row * FEATURE_COUNT),
    );
    platts.push(
      fitPlatt(
        margins,
        Uint8Array.from(calibration, row => labels[row] as number),
      ),
    );
  }
  const model = {
    featureCount: FEATURE_COUNT,
    forests,
    slopes: Float32Array.from(platts, platt => platt.slope),
    offsets: Float32Array.from(platts, platt => platt.offset),
  };
  return {model, usual: medianFeatures(data, train)};
}
