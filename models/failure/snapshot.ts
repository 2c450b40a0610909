/** What a model's inputs looked like in the rows that it learned from. */
import {
  type DriftSnapshot,
  type RowsSnapshot,
  takeSnapshot,
} from '../../core/domain/drift/snapshot.ts';
import {type FeatureKind, featuresOf, unitOf} from '../../core/domain/features.ts';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {type FailureData, pickRows} from './data.ts';
import {settledRows} from './settled-rows.ts';

/**
 * What moves as time passes, on a fleet that goes on as ever: ages, the hour, what a month of boots
 * has left. Besides, how a level moves: with the load, and with how long a host has been heard. Of 30
 * simulated fleets of 24 hosts over 6 hours 2 raised alarms with noises and trends, none without; of
 * 4 fleets of 48 hosts over 20 hours all did, in seven looks of ten, and none without.
 */
const MOVED_BY_TIME: ReadonlySet<string> = new Set(
  HOST_METRIC_CATALOGUE.filter(
    ({name, source}) => source === 'boots' || /^time_|_age_(hours|seconds)$/.test(name),
  ).map(({name}) => name),
);
const MOVES: readonly FeatureKind[] = ['trend', 'noise', 'deviation', 'slope'];

/** Of one's own fleet, classes with the most rows are told apart. */
const CLASSES_MAX = 8;
const CLASS_ROWS_MIN = 50;
/** Rows that stand for many are drawn as often as they stand for, so many times in all. */
const DRAWN_ROWS = 50_000;
const HOUR_SECONDS = 3600;
/** More hours than anybody keeps rows of: a number for each host and hour. */
const HOURS_MAX = 8192;

export type SnapshotSource = {
  /** Groups of that many make a fleet; absent: all rows are of one's own fleet. */
  readonly hostsPerFleet?: number;
  /** How many rows each stands for; absent: itself. */
  readonly weights?: Float32Array;
  /** Hardware of each group of one's own fleet; absent: nobody told. */
  readonly hardware?: readonly string[];
};

/**
 * Snapshot of rows; those of a host's first 20 minutes are left out, as they are when rows are
 * watched. About 20 µs a row.
 */
export function snapshotOf(
  data: FailureData,
  {hostsPerFleet, weights, hardware}: SnapshotSource = {},
): DriftSnapshot {
  const settled = settledRows(data);
  if (hostsPerFleet !== undefined) {
    const {group} = data;
    const hosts = settled.map(row => group[row] as number);
    return takeOf(
      data,
      settled,
      hosts,
      hosts.map(host => Math.floor(host / hostsPerFleet)),
    );
  }
  const rows = weights === undefined ? settled : drawRows(settled, weights);
  const own = {...takeOwn(data, rows), isOwnFleet: true};
  const classes = hardware === undefined ? [] : classesOf(data, rows, hardware);
  return classes.length < 2 ? own : {...own, classes};
}

/** Each as often as it stands for, evenly. */
function drawRows(rows: Int32Array, weights: Float32Array): Int32Array {
  const all = rows.reduce((sum, row) => sum + (weights[row] as number), 0);
  const count = Math.min(DRAWN_ROWS, Math.round(all));
  const drawn = new Int32Array(count);
  let at = 0;
  let reached = weights[rows[0] as number] as number;
  for (let draw = 0; draw < count; draw++) {
    while (reached < ((draw + 0.5) / count) * all && at < rows.length - 1) {
      reached += weights[rows[++at] as number] as number;
    }
    drawn[draw] = rows[at] as number;
  }
  return drawn;
}

function classesOf(data: FailureData, rows: Int32Array, hardware: readonly string[]) {
  const hardwareOf = (row: number) => hardware[data.group[row] as number] as string;
  return [...Map.groupBy(rows, hardwareOf)]
    .filter(([, own]) => own.length >= CLASS_ROWS_MIN)
    .sort(([a, own], [b, other]) => other.length - own.length || (a < b ? -1 : 1))
    .slice(0, CLASSES_MAX)
    .map(([name, own]) => ({hardware: name, ...takeOwn(data, Int32Array.from(own))}));
}

/** A fleet's hour is one observation of what time moves, and so is a host's of what hosts differ in. */
function takeOwn(data: FailureData, rows: Int32Array): RowsSnapshot {
  const {group, second} = data;
  const hours = rows.map(row => Math.floor((second[row] as number) / HOUR_SECONDS) % HOURS_MAX);
  const hostHours = rows.map(
    (row, at) => (group[row] as number) * HOURS_MAX + (hours[at] as number),
  );
  const hosts = new Set(rows.map(row => group[row] as number)).size;
  return {...takeOf(data, rows, hostHours, hours), hosts};
}

function takeOf(
  data: FailureData,
  rows: Int32Array,
  host: Int32Array,
  fleet: Int32Array,
): RowsSnapshot {
  const columns = featuresOf(data.contract).map(({name, metric, kind}) => ({
    name,
    unit: unitOf(metric),
    isPresenceOnly: MOVES.includes(kind) || MOVED_BY_TIME.has(metric),
  }));
  return takeSnapshot({features: pickRows(data, rows).features, host, fleet}, columns);
}
