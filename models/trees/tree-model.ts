import {type Forest, marginOf, sigmoid} from './forest.ts';

/**
 * How a component's calibrated margin becomes its risk: by the logistic function (boosting), as it
 * is but within [0, 1] (a random forest's probability), or by e^margin (an isolation forest, with
 * slope ln 2).
 */
export type Link = 'logistic' | 'probability' | 'exponential';

/** A whole model in plain numbers: one forest and one calibration a component. */
export type TreeModel = {
  readonly featureCount: number;
  readonly forests: readonly Forest[];
  /** Left out: logistic. */
  readonly link?: Link;
  /** Calibrated margin = slope × margin + offset, each by component. */
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
  const linked = LINKS[model.link ?? 'logistic'];
  for (let component = 0; component < components; component++) {
    const forest = model.forests[component] as Forest;
    const slope = model.slopes[component] as number;
    const offset = model.offsets[component] as number;
    for (let row = 0; row < rows; row++) {
      const margin = marginOf(forest, features, row * model.featureCount);
      risks[row * components + component] = linked(slope * margin + offset);
    }
  }
  return risks;
}

const LINKS: Readonly<Record<Link, (margin: number) => number>> = {
  logistic: sigmoid,
  probability: margin => Math.min(Math.max(margin, 0), 1),
  exponential: Math.exp,
};
