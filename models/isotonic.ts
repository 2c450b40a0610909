import {
  addLeaf,
  createForestBuilder,
  type Forest,
  finishForest,
  splitLeaf,
} from './trees/forest.ts';

/** A risk that never falls while the margin rises: steps. */
export type Isotonic = {
  /** Ascending; a margin ≤ thresholds[i] and above the one before has risks[i]. */
  readonly thresholds: Float32Array;
  /** One more than thresholds: the last is for what is above all of them. */
  readonly risks: Float32Array;
};

/**
 * Fits the best steps to margins of rows that the forest has not learned from: least squares among
 * all rising functions, by pooling adjacent violators. Risks stay as far from 0 and 1 as Platt's
 * softened targets, so that no row is impossible. Take it above about 1,000 positives; below,
 * {@link import('./platt.ts').fitPlatt} has less to learn.
 *
 * With no row, or rows of one class, there is one step.
 *
 * Cost: that of sorting.
 *
 * @see M. Ayer et al., "An empirical distribution function for sampling with incomplete
 *   information", Annals of Mathematical Statistics 26(4), 1955; B. Zadrozny, C. Elkan,
 *   "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002.
 */
export function fitIsotonic(margins: Float64Array, labels: Uint8Array): Isotonic {
  const blocks: Block[] = [];
  for (let block of pointsOf(margins, labels)) {
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (block.positives * before.rows > before.positives * block.rows) break;
      blocks.pop();
      block = {
        first: before.first,
        last: block.last,
        rows: before.rows + block.rows,
        positives: before.positives + block.positives,
      };
    }
    blocks.push(block);
  }
  return stepsOf(blocks);
}

/** Rows of neighbouring margins that share a risk. */
type Block = {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly positives: number;
};

/** Equal margins are one point, whatever their labels. */
function pointsOf(margins: Float64Array, labels: Uint8Array): Block[] {
  const order = Int32Array.from(margins.keys()).sort(
    (a, b) => (margins[a] as number) - (margins[b] as number) || a - b,
  );
  const points: Block[] = [];
  for (const row of order) {
    const margin = margins[row] as number;
    const point = points.at(-1)?.last === margin ? points.pop() : undefined;
    points.push({
      ...{first: margin, last: margin, rows: (point?.rows ?? 0) + 1},
      positives: (point?.positives ?? 0) + (labels[row] as number),
    });
  }
  return points;
}

function stepsOf(blocks: readonly Block[]): Isotonic {
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const positives = blocks.reduce((sum, block) => sum + block.positives, 0);
  const least = 1 / (rows - positives + 2);
  const most = (positives + 1) / (positives + 2);
  const risks = blocks.map(block => Math.min(Math.max(block.positives / block.rows, least), most));
  const thresholds: number[] = [];
  const kept: number[] = [];
  for (const [index, risk] of risks.entries()) {
    const next = blocks[index + 1];
    if (next !== undefined && risks[index + 1] === risk) continue;
    kept.push(risk);
    if (next === undefined) continue;
    const {last} = blocks[index] as Block;
    // Rounding up to the next block's margin would give it this block's risk.
    const middle = Math.fround((last + next.first) / 2);
    thresholds.push(middle < next.first ? middle : Math.fround(last));
  }
  return {
    thresholds: Float32Array.from(thresholds),
    risks: Float32Array.from(kept.length > 0 ? kept : [0.5]),
  };
}

/** The risk of a margin. */
export function isotonicRisk({thresholds, risks}: Isotonic, margin: number): number {
  return risks[stepOf(thresholds, margin)] as number;
}

function stepOf(thresholds: Float32Array, margin: number): number {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (margin <= (thresholds[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The same steps as one balanced tree over column `column`, for a graph: its margin is the risk, so
 * its link is `probability`. Steps magnify rounding: a runtime that sums margins in float32 takes
 * the neighbouring step for a margin that lies on a threshold.
 */
export function isotonicForest({thresholds, risks}: Isotonic, column = 0): Forest {
  const builder = createForestBuilder();
  const grow = (node: number, from: number, to: number): void => {
    if (from === to) return;
    const middle = (from + to) >> 1;
    const by = {feature: column, threshold: thresholds[middle] as number, missingLeft: true};
    const leaf = (step: number) => ({value: risks[step] as number, cover: 1});
    const [left, right] = splitLeaf(builder, node, by, leaf(middle), leaf(to));
    grow(left, from, middle);
    grow(right, middle + 1, to);
  };
  builder.roots.push(addLeaf(builder, risks[0] as number, 1));
  grow(0, 0, thresholds.length);
  return finishForest(builder, 0);
}
