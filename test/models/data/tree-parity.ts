import type {ReferenceModel} from '../../../bench/support/reference-trees.ts';

/** Rows that both sides learn from (`drawFailures`), and those that judge both. */
export const DRAW = {seed: 11, trainRows: 20_000, testRows: 20_000, columns: 12};

/** What LightGBM and scikit-learn trained for reference-trees.json, in their words. */
export const REFERENCE_MODELS: readonly ReferenceModel[] = [
  {
    ...{kind: 'boosting', rounds: 60, num_leaves: 15, learning_rate: 0.1},
    ...{lambda_l2: 1, min_sum_hessian_in_leaf: 5},
  },
  {kind: 'randomForest', n_estimators: 60, min_samples_leaf: 40, max_features: 3, random_state: 1},
  {kind: 'isolationForest', n_estimators: 100, max_samples: 256, random_state: 1},
];
