import {type Forest, marginOf, sigmoid} from './forest.ts';

/** A whole model in plain numbers: one forest and one calibration a component. */
export type TreeModel = {
  readonly featureCount: number;
  readonly forests: readonly Forest[];
  /** Calibrated log-odds = slope × margin + offset, each by component. */
  readonly slopes: Float32Array;
  readonly offsets: Float32Array;
};

/**
 * Risks of `rows` rows, rows × components: what the model's ONNX graph gives, to 1e-6.
 *
 * @param features Rows × featureCount, row-major.
 */
export function scoreTrees(model: TreeModel, rows: number, features: Float32Array): Float32Array {
  const components = model.forests.length;
  const risks = new Float32Array(rows * components);
  for (let component = 0; component < components; component++) {
    const forest = model.forests[component] as Forest;
    const slope = model.slopes[component] as number;
    const offset = model.offsets[component] as number;
    for (let row = 0; row < rows; row++) {
      const margin = marginOf(forest, features, row * model.featureCount);
      risks[row * components + component] = sigmoid(slope * margin + offset);
    }
  }
  return risks;
}
