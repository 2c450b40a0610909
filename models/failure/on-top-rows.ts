/** Examples of a fleet as rows to learn from on top of another model, and to judge by. */
import {fnv1a32} from '../../core/domain/hash.ts';
import type {ExampleSet} from '../keeper/example-set.ts';
import {marginOf} from '../trees/forest.ts';
import type {TreeModel} from '../trees/tree-model.ts';
import {type FailureData, pickOutcomes, pickValues, UNKNOWN} from './data.ts';
import {FOLDS, type OnTopRows} from './on-top.ts';

/** @param under Its outputs are those of the set, in their order. */
export function toOnTopRows(set: ExampleSet, under: TreeModel): OnTopRows {
  const {rows, featureCount: width, features, targets, weights, host} = set;
  const outputs = set.outputs.length;
  const start = new Float64Array(rows * outputs);
  for (const [output, forest] of under.forests.entries()) {
    const slope = under.slopes[output] as number;
    const offset = under.offsets[output] as number;
    for (let row = 0; row < rows; row++) {
      start[row * outputs + output] = slope * marginOf(forest, features, row * width) + offset;
    }
  }
  const folds = dealHosts(set);
  const fold = Uint8Array.from(host, place => folds[place] as number);
  return {rows, width, outputs, features, targets, weights, host, fold, start};
}

/**
 * Folds of the hosts: each has hosts of every class of hardware, and of those that failed, as far as
 * they go round. Whatever else is equal, the name decides.
 */
function dealHosts({hosts, host, targets, outputs}: ExampleSet): Uint8Array {
  const failing = new Float64Array(hosts.length);
  for (const [row, place] of host.entries()) {
    const own = targets.subarray(row * outputs.length, (row + 1) * outputs.length);
    if (own.some(target => target === 1)) failing[place] = (failing[place] as number) + 1;
  }
  const keys = hosts.map(({name, hardware}, place) => ({
    place,
    hardware,
    failing: failing[place] as number,
    hash: fnv1a32(name),
  }));
  keys.sort(
    (a, b) =>
      (a.hardware < b.hardware ? -1 : Number(a.hardware > b.hardware)) ||
      b.failing - a.failing ||
      a.hash - b.hash,
  );
  const folds = new Uint8Array(hosts.length);
  for (const [turn, {place}] of keys.entries()) folds[place] = turn % FOLDS;
  return folds;
}

/** What is certain of the examples, as rows of a training; hosts are groups. */
export function toFailureData(
  {rows, features, targets, host, atMs, secondsToFailure}: ExampleSet,
  {contract, outputs}: Pick<FailureData, 'contract' | 'outputs'>,
): FailureData {
  const first = atMs.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
  return {
    rows,
    contract,
    outputs,
    features,
    labels: Uint8Array.from(targets, target => (target === 0 || target === 1 ? target : UNKNOWN)),
    secondsToFailure,
    group: host,
    second: Int32Array.from(atMs, each => Math.round((each - first) / 1000)),
  };
}

/** More would be slow to judge; then rows that stand for many are told as if they stood for fewer. */
const REPEATED_ROWS_MAX = 500_000;

/**
 * Every row as often as it stands for, so that figures are of all rows that were seen. Features are
 * left out: they are not judged.
 *
 * @param risks Rows × outputs.
 */
export function repeatRows(
  data: FailureData,
  weights: Float32Array,
  risks: Float32Array,
): {data: FailureData; risks: Float32Array} {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = Math.max(1, all / REPEATED_ROWS_MAX);
  const rows: number[] = [];
  for (const [row, weight] of weights.entries()) {
    const times = Math.max(1, Math.round(weight / scale));
    for (let time = 0; time < times; time++) rows.push(row);
  }
  const picked = Int32Array.from(rows);
  const repeated = new Float32Array(rows.length * data.outputs.length);
  return {data: pickOutcomes(data, picked), risks: pickValues(risks, picked, repeated)};
}
