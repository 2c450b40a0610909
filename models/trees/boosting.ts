import assert from 'node:assert/strict';
import {createUniform, drawSome} from '../random.ts';
import type {BinnedTable} from './bins.ts';
import {
  binnedLeafOf,
  createForestBuilder,
  type Forest,
  type ForestBuilder,
  finishForest,
} from './forest.ts';
import {createNursery, growTree, type Leaf, type Nursery, type TreeRules} from './grow.ts';

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
  /** One a row of the table: 0 or 1, or between: how likely it is 1. Only 0 and 1 without weights. */
  readonly labels: Uint8Array | Float32Array;
  /** How often each row of the table counts, more than 0; left out: once. */
  readonly weights?: Float32Array;
  /** Rows to learn from, each once. */
  readonly train: Int32Array;
  /** Rows to stop by; may be empty. Keep a host's rows on one side. */
  readonly validation: Int32Array;
  /**
   * What another model says, a margin a row of the table: trees are added to it, and the forest's
   * base is 0. Left out: the log-odds of the base rate.
   */
  readonly start?: Float64Array;
};

export type BoostingResult = {
  readonly forest: Forest;
  /** Mean log-loss after each round that was grown, kept or not. */
  readonly trainLoss: readonly number[];
  readonly validationLoss: readonly number[];
};

/**
 * Gradient-boosted trees for a binary outcome: log-loss, second order, histograms. Equal input and
 * seed give equal trees. Nothing is reweighted unless weights are given, so the margin is a
 * log-odds before calibration.
 *
 * Cost: about 1.2 ns × rows × columns × log₂(leaves) / 2 a tree.
 *
 * @see J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of
 *   Statistics 29(5), 2001.
 */
export function trainForest(input: BoostingInput, options: BoostingOptions): BoostingResult {
  const {table, labels, weights, train, validation, start} = input;
  assert(train.length > 0, 'nothing to learn from');
  assert(labels.length === table.rows, 'one label a row');
  assert(weights === undefined || weights.length === table.rows, 'one weight a row');
  assert(start === undefined || start.length === table.rows, 'one margin a row');
  const {monotone} = options;
  assert(monotone === undefined || monotone.length === table.columns, 'one direction a column');
  const nursery = createNursery(table, weights);
  const random = createUniform(options.seed);
  const builder = createForestBuilder();
  const base = start === undefined ? Math.fround(baseMargin(labels, train, weights)) : 0;
  const margins = start?.slice() ?? new Float64Array(table.rows).fill(base);
  const trainLoss: number[] = [];
  const validationLoss: number[] = [];
  let best = 0;
  let bestLoss = meanLogLoss(margins, labels, validation, weights);
  differentiate(nursery, margins, labels, train);
  for (let round = 1; round <= options.rounds && round - best <= options.patience; round++) {
    const rows = sample(train, options.rowShare, random);
    const columns = sampleColumns(table.columns, options.columnShare, random);
    const leaves = growTree(builder, nursery, rows, columns, options);
    if (rows.length === train.length) addLeaves(builder, leaves, rows, margins);
    else addLastTree(builder, table, train, margins);
    addLastTree(builder, table, validation, margins);
    trainLoss.push(differentiate(nursery, margins, labels, train));
    const loss = meanLogLoss(margins, labels, validation, weights);
    validationLoss.push(loss);
    if (validation.length === 0 || loss < bestLoss) {
      best = round;
      bestLoss = loss;
    }
  }
  return {forest: finishForest(builder, base, best), trainLoss, validationLoss};
}

/** Log-odds of the base rate, kept finite when a slice has only one class. */
function baseMargin(
  labels: BoostingInput['labels'],
  rows: Int32Array,
  weights?: Float32Array,
): number {
  let positives = 0;
  let all = 0;
  for (const row of rows) {
    const weight = weights?.[row] ?? 1;
    all += weight;
    positives += weight * (labels[row] as number);
  }
  return Math.log((positives + 0.5) / (all - positives + 0.5));
}

/** Takes the derivatives of all rows; gives their mean log-loss. */
function differentiate(
  {derivatives, weights}: Nursery,
  margins: Float64Array,
  labels: BoostingInput['labels'],
  rows: Int32Array,
): number {
  let loss = 0;
  let all = 0;
  let likelihood = 1;
  for (const row of rows) {
    const label = labels[row] as number;
    const weight = weights === undefined ? 1 : (weights[row] as number);
    const risk = 1 / (1 + Math.exp(-(margins[row] as number)));
    derivatives[2 * row] = weight * (risk - label);
    // A floor, so that a row that is settled still counts as present in its bin.
    derivatives[2 * row + 1] = weight * Math.max(risk * (1 - risk), 1e-6);
    all += weight;
    const chance = Math.max(label === 1 ? risk : 1 - risk, 1e-15);
    if (weights !== undefined) loss += weight * logLossOf(margins[row] as number, label);
    // A logarithm costs more than all else here: one of a product serves many rows.
    else if (likelihood > 1e-250) likelihood *= chance;
    else {
      loss -= Math.log(likelihood);
      likelihood = chance;
    }
  }
  return (loss - Math.log(likelihood)) / all;
}

function addLeaves(
  builder: ForestBuilder,
  leaves: readonly Leaf[],
  rows: Int32Array,
  margins: Float64Array,
): void {
  for (const {node, from, to} of leaves) {
    const value = Math.fround(builder.value[node] as number);
    for (let at = from; at < to; at++) {
      const row = rows[at] as number;
      margins[row] = (margins[row] as number) + value;
    }
  }
}

function addLastTree(
  builder: ForestBuilder,
  {codes, width}: BinnedTable,
  rows: Int32Array,
  margins: Float64Array,
): void {
  const root = builder.roots.at(-1) as number;
  for (const row of rows) {
    const leaf = binnedLeafOf(builder, root, codes, row * width);
    margins[row] = (margins[row] as number) + Math.fround(builder.value[leaf] as number);
  }
}

/** Mean {@link logLossOf} of the rows; NaN for no rows. */
export function meanLogLoss(
  margins: Float64Array,
  labels: BoostingInput['labels'],
  rows: Int32Array,
  weights?: Float32Array,
): number {
  let sum = 0;
  let all = 0;
  for (const row of rows) {
    const weight = weights?.[row] ?? 1;
    sum += weight * logLossOf(margins[row] as number, labels[row] as number);
    all += weight;
  }
  return sum / all;
}

/** In nats, of a margin where `label` is how likely it happened. */
export function logLossOf(margin: number, label: number): number {
  const away = label === 1 ? -margin : margin;
  const loss = away > 0 ? away + Math.log1p(Math.exp(-away)) : Math.log1p(Math.exp(away));
  // What is between is so far from 0's: the loss is linear in the label.
  return label === 0 || label === 1 ? loss : loss - label * margin;
}

function sample(rows: Int32Array, share: number, random: () => number): Int32Array {
  if (share >= 1) return rows.slice();
  const taken = rows.filter(() => random() < share);
  return taken.length > 0 ? taken : rows.slice();
}

function sampleColumns(columns: number, share: number, random: () => number): Int32Array {
  const all = Int32Array.from({length: columns}, (_, column) => column);
  return drawSome(all, Math.max(1, Math.round(columns * share)), random);
}
