import {type AnomalyState, createAnomalyState, observeAnomaly} from './host-score.ts';
import {SETTLING_ROWS, type Usual} from './learn-usual.ts';
import type {Learner} from './learner.ts';
import {BREAK_MS} from './usual-rows.ts';

/** Named of an odd host. */
const ODD_METRICS_MAX = 3;
/** Rows that are told a new model, so that it need not begin with nothing. */
const REMEMBERED_ROWS = 6;

/** A metric of an odd host, as it is and as it usually is on hosts of the kind. */
export type OddMetric = {readonly metric: string; readonly value: number; readonly usual: number};

/** What is remembered of a host. */
export type WatchedHost = {
  readonly name: string;
  rack: string;
  /** Columns of the rows as they come. */
  columns: readonly string[];
  /** Which of them it has ever had: hosts of a kind have the same. */
  has: Uint8Array;
  kind: string;
  atMs: number;
  /** Its newest row. */
  row: Float32Array;
  /** The last rows, oldest first. */
  before: Float32Array[];
  usual: Usual | undefined;
  state: AnomalyState | undefined;
  score: number;
  threshold: number;
  /** For how long it has been odd; 0: it is not. */
  oddMinutes: number;
  oddMetrics: readonly OddMetric[];
};

type Rows = {
  readonly columns: readonly string[];
  readonly atMs: Float64Array;
  readonly values: Float32Array;
};

/**
 * Takes a row into its host, made if it is not there. A host that has a metric that it never had is
 * of another kind from now on; one that lacks a metric has a sensor that fails. After a break, or
 * with other columns, it begins anew. Undefined if the row says nothing.
 */
export function takeRow(
  hosts: Map<string, WatchedHost>,
  name: string,
  {columns, atMs, values}: Rows,
  index: number,
): WatchedHost | undefined {
  const at = atMs[index] as number;
  const row = values.subarray(index * columns.length, (index + 1) * columns.length);
  if (!row.some(Number.isFinite)) return undefined;
  let host = hosts.get(name);
  if (host !== undefined && at <= host.atMs) return undefined;
  if (host === undefined || !isEqual(host.columns, columns)) {
    host = createHost(name, columns);
    hosts.set(name, host);
  }
  if (at - host.atMs > BREAK_MS) forgetUsual(host, []);
  host.atMs = at;
  if (noteMetrics(host, row)) {
    host.kind = `${columns.join()}\n${host.has.join('')}`;
    forgetUsual(host, []);
  }
  host.row = row.slice();
  return host;
}

/** Says how odd the host's newest row is; NaN while it is not known what is usual. */
export function judgeRow(host: WatchedHost, learner: Learner): void {
  const {usual} = learner;
  if (usual === undefined) {
    forgetUsual(host, host.before);
  } else {
    if (host.usual !== usual || host.state === undefined) {
      host.usual = usual;
      host.state = createAnomalyState(usual.model);
      for (const row of host.before) observeAnomaly(usual.model, host.state, row);
    }
    const {score, byMetric} = observeAnomaly(usual.model, host.state, host.row);
    host.score = score;
    host.threshold = learner.threshold;
    const isOdd = host.state.rows >= SETTLING_ROWS && score >= host.threshold;
    host.oddMinutes = isOdd ? host.oddMinutes + 1 : 0;
    host.oddMetrics = isOdd ? mostToBlame(host, usual, byMetric) : [];
  }
  host.before.push(host.row);
  if (host.before.length > REMEMBERED_ROWS) host.before.shift();
}

function mostToBlame(
  {columns, row}: WatchedHost,
  {model}: Usual,
  byMetric: Float64Array,
): OddMetric[] {
  return [...byMetric.keys()]
    .filter(metric => (byMetric[metric] as number) > 0)
    .sort((a, b) => (byMetric[b] as number) - (byMetric[a] as number) || a - b)
    .slice(0, ODD_METRICS_MAX)
    .map(metric => ({
      metric: columns[metric] as string,
      value: row[metric] as number,
      usual: model.means[metric] as number,
    }));
}

function forgetUsual(host: WatchedHost, before: Float32Array[]): void {
  host.usual = undefined;
  host.state = undefined;
  host.before = before;
  host.score = Number.NaN;
  host.threshold = Number.NaN;
  host.oddMinutes = 0;
  host.oddMetrics = [];
}

function createHost(name: string, columns: readonly string[]): WatchedHost {
  return {
    name,
    rack: '',
    columns,
    has: new Uint8Array(columns.length),
    kind: '',
    atMs: 0,
    row: new Float32Array(0),
    before: [],
    usual: undefined,
    state: undefined,
    score: Number.NaN,
    threshold: Number.NaN,
    oddMinutes: 0,
    oddMetrics: [],
  };
}

/** True if the row has a metric that the host never had. */
function noteMetrics({has}: WatchedHost, row: Float32Array): boolean {
  let isNew = false;
  for (let column = 0; column < row.length; column++) {
    if (has[column] === 1 || !Number.isFinite(row[column])) continue;
    has[column] = 1;
    isNew = true;
  }
  return isNew;
}

function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return (
    one === other || (one.length === other.length && one.every((name, at) => name === other[at]))
  );
}
