/**
 * What would have to be otherwise for a risk to be harmless: "below 30 % if disk latency were
 * 1 ms". Pure; whoever scores the rows is outside.
 */
import type {Feature} from './features.ts';

/** One metric of a host as it would have to be; NaN: not measured. */
export type Change = {readonly metric: string; readonly value: number};

export type Counterfactual = {
  /** All of them together. */
  readonly changes: readonly Change[];
  /** What the risk would be then. */
  readonly risk: number;
};

/** Metrics that are changed, one after the other; more would explain nothing to anybody. */
const METRICS_MAX = 3;
const STEPS = 8;

/** The rows to score for one explanation, and what each of them changes. */
export type CounterfactualRows = {
  /** rows × features. */
  readonly features: Float32Array;
  readonly changes: readonly (readonly Change[])[];
};

/**
 * Rows that move the metrics behind a risk towards what is usual: the one that speaks loudest in
 * eight steps, then, with it at its usual value, the next one. All features of a metric move
 * together: an average without its trend is no host.
 *
 * @param own One row of features; `usual` and `contributions` are of the same features.
 */
export function counterfactualRows(
  features: readonly Feature[],
  own: Float32Array,
  usual: Float32Array,
  contributions: Float32Array,
): CounterfactualRows {
  const metrics = loudest(features, contributions);
  const rows = metrics.length * STEPS;
  const values = new Float32Array(rows * own.length);
  const changes: Change[][] = [];
  const before = own.slice();
  const settled: Change[] = [];
  for (const metric of metrics) {
    const columns = [...features.keys()].filter(at => features[at]?.metric === metric);
    const level = columns.find(at => features[at]?.kind !== 'noise') ?? (columns[0] as number);
    for (let step = 1; step <= STEPS; step++) {
      for (const column of columns) {
        before[column] = between(own[column] as number, usual[column] as number, step / STEPS);
      }
      values.set(before, changes.length * own.length);
      changes.push([...settled, {metric, value: before[level] as number}]);
    }
    settled.push({metric, value: before[level] as number});
  }
  return {features: values, changes};
}

/** The first change, from the smallest on, that brings the risk below the threshold. */
export function findCounterfactual(
  {changes}: CounterfactualRows,
  risks: ArrayLike<number>,
  threshold: number,
): Counterfactual | undefined {
  const at = changes.findIndex((_, row) => (risks[row] as number) < threshold);
  return at < 0 ? undefined : {changes: changes[at] as Change[], risk: risks[at] as number};
}

/** Metrics whose features together raise the risk, the most first. */
function loudest(features: readonly Feature[], contributions: Float32Array): string[] {
  const sums = new Map<string, number>();
  for (const [at, {metric}] of features.entries()) {
    sums.set(metric, (sums.get(metric) ?? 0) + (contributions[at] as number));
  }
  return [...sums]
    .filter(([, sum]) => sum > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, METRICS_MAX)
    .map(([metric]) => metric);
}

/** A value that is missing on either side is only ever wholly there or wholly gone. */
function between(from: number, to: number, share: number): number {
  if (Number.isNaN(from) || Number.isNaN(to)) return share === 1 ? to : from;
  return from + share * (to - from);
}
