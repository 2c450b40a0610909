/**
 * What training trees costs: CPU of one thread, binning included, against LightGBM on the same
 * rows in turns, where python3 has it; and how good the trees are on rows that they have not seen.
 */
import {logLoss, rocAuc} from '../models/metrics.ts';
import {binTable} from '../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../models/trees/boosting.ts';
import {type Forest, marginOf, sigmoid} from '../models/trees/forest.ts';
import {watchSteal} from './machine.ts';
import {median, numberOf, resultOf} from './result.ts';
import {type DrawnFailures, drawFailures} from './support/drawn-failures.ts';
import {askReference, findReference} from './support/reference-trees.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

/** Of the rows that are drawn, one in three judges. */
const JUDGES_PER_ROW = 0.5;

/** Leaf by leaf, and level by level. */
const SHAPES = [
  {leavesMax: 31, depthMax: 99},
  {leavesMax: 64, depthMax: 6},
];

export const train: BenchVerb = {
  name: 'train',
  summary: 'boosted trees, CPU-seconds and quality, against LightGBM where it is installed',
  options: [
    {flags: '--rows <n>', description: 'rows to learn from', default: '100000'},
    {flags: '--columns <n>', description: 'features, 12 or more', default: '48'},
    {flags: '--trees <n>', description: 'trees', default: '200'},
    {flags: '--rounds <n>', description: 'turns of ours and LightGBM’s', default: '3'},
  ],
  run: measureTrain,
};

async function measureTrain({options}: BenchArgs): Promise<BenchResult> {
  const rows = numberOf(options.rows, 'rows', 100);
  const columns = numberOf(options.columns, 'columns', 12);
  const trees = numberOf(options.trees, 'trees', 1);
  const rounds = numberOf(options.rounds, 'rounds', 1);
  const drawn = drawFailures(1, Math.round(rows * (1 + JUDGES_PER_ROW)), columns);
  const whyNot = await findReference();
  const steal = watchSteal();
  const runs: Record<string, number[]> = {};
  const metrics: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    for (const shape of SHAPES) {
      const name = `train.${shape.leavesMax}`;
      const ours = trainOnce(drawn, rows, trees, shape);
      const theirs = whyNot === undefined ? await askOnce(drawn, rows, trees, shape) : undefined;
      const figures = {...ours, ...theirs};
      for (const [key, value] of Object.entries(figures)) {
        const one = `${name}.${key}`;
        if (key.endsWith('cpuSeconds')) runs[one] = [...(runs[one] ?? []), value];
        else metrics[one] = value;
      }
    }
  }
  for (const {leavesMax} of whyNot === undefined ? SHAPES : []) {
    const secondsOf = (name: string) => median(runs[`train.${leavesMax}.${name}`] ?? []);
    metrics[`train.${leavesMax}.ratio`] =
      secondsOf('cpuSeconds') / secondsOf('lightgbm.cpuSeconds');
  }
  const notes = [`${rows} rows × ${columns}, ${trees} trees, of 31 leaves and of 64 in 6 levels`];
  if (whyNot !== undefined) {
    notes.push(
      `SKIPPED: LightGBM, because python3 cannot use it (${whyNot}); pip install lightgbm`,
    );
  }
  return resultOf({runs, metrics, notes, steal: steal()});
}

type Shape = (typeof SHAPES)[number];

function trainOnce(drawn: DrawnFailures, rows: number, trees: number, shape: Shape) {
  const {columns, labels} = drawn;
  const before = process.cpuUsage();
  const features = drawn.features.subarray(0, rows * columns);
  const all = Int32Array.from({length: rows}, (_, row) => row);
  const table = binTable(features, columns, all);
  const options = {
    ...{...BOOSTING_DEFAULTS, ...shape},
    ...{rounds: trees, rowShare: 1, columnShare: 1},
  };
  const input = {
    table,
    labels: labels.subarray(0, rows),
    train: all,
    validation: new Int32Array(),
  };
  const {forest} = trainForest(input, options);
  const {user, system} = process.cpuUsage(before);
  return {cpuSeconds: (user + system) / 1e6, ...judge(forest, drawn, rows)};
}

function judge(forest: Forest, drawn: DrawnFailures, from: number) {
  const risks = Float64Array.from({length: drawn.rows - from}, (_, row) =>
    sigmoid(marginOf(forest, drawn.features, (from + row) * drawn.columns)),
  );
  const labels = drawn.labels.subarray(from);
  return {auc: rocAuc(risks, labels), logLoss: logLoss(risks, labels)};
}

async function askOnce(drawn: DrawnFailures, rows: number, trees: number, shape: Shape) {
  const {models} = await askReference(drawn, rows, [
    {
      ...{kind: 'boosting', rounds: trees, num_leaves: shape.leavesMax, max_depth: shape.depthMax},
      learning_rate: BOOSTING_DEFAULTS.learningRate,
      lambda_l2: BOOSTING_DEFAULTS.l2,
      min_sum_hessian_in_leaf: BOOSTING_DEFAULTS.minChildHessian,
    },
  ]);
  const [{cpuSeconds, auc, logLoss: loss}] = models as [(typeof models)[number]];
  return {
    'lightgbm.cpuSeconds': cpuSeconds,
    'lightgbm.auc': auc,
    'lightgbm.logLoss': loss as number,
  };
}
