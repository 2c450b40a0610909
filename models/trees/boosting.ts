import assert from 'node:assert/strict';
import {createUniform} from '../random.ts';
import type {BinnedTable} from './bins.ts';
import {createForestBuilder, type Forest, finishForest, leafOf, sigmoid} from './forest.ts';
import {createNursery, growTree, type Nursery, type TreeRules} from './grow.ts';

export type BoostingOptions = TreeRules & {
  /** Trees at most. */
  readonly rounds: number;
  /** Share of the rows that each tree is grown on. */
  readonly rowShare: number;
  /** Share of the columns that each tree may ask for. */
  readonly columnShare: number;
  /** Stops after this many rounds without a lower validation loss. */
  readonly patience: number;
  readonly seed: number;
};

export const BOOSTING_DEFAULTS: BoostingOptions = {
  rounds: 120,
  leavesMax: 31,
  depthMax: 8,
  learningRate: 0.1,
  l2: 1,
  minChildHessian: 1,
  minGain: 1e-6,
  rowShare: 0.8,
  columnShare: 0.8,
  patience: 15,
  seed: 1,
};

export type BoostingInput = {
  readonly table: BinnedTable;
  /** The values that the table was made from: rows × columns. */
  readonly features: Float32Array;
  /** One a row of the table: 0 or 1. */
  readonly labels: Uint8Array;
  /** Rows to learn from. */
  readonly train: Int32Array;
  /** Rows to stop by; may be empty. Keep a host's rows on one side. */
  readonly validation: Int32Array;
};

export type BoostingResult = {
  readonly forest: Forest;
  /** Mean log-loss after each round that was grown, kept or not. */
  readonly trainLoss: readonly number[];
  readonly validationLoss: readonly number[];
};

/**
 * Gradient-boosted trees for a binary outcome: log-loss, second order, histograms. Equal input and
 * seed give equal trees. Nothing is reweighted, so the margin is a log-odds before calibration.
 *
 * Cost: about rows × columns × log₂(leaves) additions a tree.
 *
 * @see J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
 *   Statistics 29(5), 2001.
 */
export function trainForest(input: BoostingInput, options: BoostingOptions): BoostingResult {
  const {table, features, labels, train, validation} = input;
  assert(train.length > 0, 'nothing to learn from');
  assert(labels.length === table.rows, 'one label a row');
  const nursery = createNursery(table);
  const random = createUniform(options.seed);
  const builder = createForestBuilder();
  const base = Math.fround(baseMargin(labels, train));
  const margins = new Float64Array(table.rows).fill(base);
  const trainLoss: number[] = [];
  const validationLoss: number[] = [];
  let best = 0;
  let bestLoss = meanLogLoss(margins, labels, validation);
  for (let round = 1; round <= options.rounds && round - best <= options.patience; round++) {
    differentiate(nursery, margins, labels, train);
    const rows = sample(train, options.rowShare, random);
    const columns = sampleColumns(table.columns, options.columnShare, random);
    growTree(builder, nursery, rows, columns, options);
    const grown = finishForest(builder, base);
    for (const side of [train, validation])
      addLastTree(grown, features, table.columns, side, margins);
    trainLoss.push(meanLogLoss(margins, labels, train));
    const loss = meanLogLoss(margins, labels, validation);
    validationLoss.push(loss);
    if (validation.length === 0 || loss < bestLoss) {
      best = round;
      bestLoss = loss;
    }
  }
  return {forest: finishForest(builder, base, best), trainLoss, validationLoss};
}

/** Log-odds of the base rate, kept finite when a slice has only one class. */
function baseMargin(labels: Uint8Array, rows: Int32Array): number {
  let positives = 0;
  for (const row of rows) positives += labels[row] as number;
  return Math.log((positives + 0.5) / (rows.length - positives + 0.5));
}

function differentiate(
  nursery: Nursery,
  margins: Float64Array,
  labels: Uint8Array,
  rows: Int32Array,
): void {
  for (const row of rows) {
    const risk = sigmoid(margins[row] as number);
    nursery.gradients[row] = risk - (labels[row] as number);
    // A floor, so that a row that is settled still counts as present in its bin.
    nursery.hessians[row] = Math.max(risk * (1 - risk), 1e-6);
  }
}

function addLastTree(
  forest: Forest,
  features: Float32Array,
  columns: number,
  rows: Int32Array,
  margins: Float64Array,
): void {
  const root = forest.roots.at(-1) as number;
  for (const row of rows) {
    const leaf = leafOf(forest, root, features, row * columns);
    margins[row] = (margins[row] as number) + (forest.value[leaf] as number);
  }
}

/** Mean of log(1 + e^−z) over the rows, z being the margin of the label; NaN for no rows. */
function meanLogLoss(margins: Float64Array, labels: Uint8Array, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) {
    const margin = labels[row] === 1 ? (margins[row] as number) : -(margins[row] as number);
    sum += margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
  }
  return sum / rows.length;
}

function sample(rows: Int32Array, share: number, random: () => number): Int32Array {
  if (share >= 1) return rows.slice();
  const taken = rows.filter(() => random() < share);
  return taken.length > 0 ? taken : rows.slice();
}

function sampleColumns(columns: number, share: number, random: () => number): Int32Array {
  const all = Int32Array.from({length: columns}, (_, column) => column);
  const wanted = Math.max(1, Math.round(columns * share));
  for (let at = 0; at < wanted; at++) {
    const other = at + Math.floor(random() * (columns - at));
    const swapped = all[at] as number;
    all[at] = all[other] as number;
    all[other] = swapped;
  }
  return all.slice(0, wanted).sort();
}
