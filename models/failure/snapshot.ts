/** What a model's inputs looked like in the rows that it learned from. */
import {type DriftSnapshot, takeSnapshot} from '../../core/domain/drift/snapshot.ts';
import {type FeatureKind, featuresOf, unitOf} from '../../core/domain/features.ts';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {type FailureData, pickRows} from './data.ts';

/** The averages of a host that has been heard for less say little. */
export const SETTLED_SECONDS = 20 * 60;
/** Less is no gap: a row may be lost. */
const GAP_STEPS = 3;

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

/**
 * Snapshot of rows; those of a host's first 20 minutes are left out, as they are when rows are
 * watched. About 3 µs a row.
 *
 * @param hostsPerFleet Groups of that many make a fleet; undefined: all are of one.
 */
export function snapshotOf(data: FailureData, hostsPerFleet?: number): DriftSnapshot {
  const settled = settledRows(data);
  const {features, group} = pickRows(data, settled);
  const columns = featuresOf(data.contract).map(({name, metric, kind}) => ({
    name,
    unit: unitOf(metric),
    isPresenceOnly: MOVES.includes(kind) || MOVED_BY_TIME.has(metric),
  }));
  const fleet = group.map(each =>
    hostsPerFleet === undefined ? 0 : Math.floor(each / hostsPerFleet),
  );
  return takeSnapshot({features, host: group, fleet}, columns);
}

/**
 * Rows of hosts that were heard for 20 minutes before, as far as rows tell: a gap of three steps
 * ends what was heard. Where rows are further apart than that, or none is left, all are.
 */
function settledRows({rows, group, second}: FailureData): Int32Array {
  const all = Int32Array.from({length: rows}, (_, row) => row);
  const order = all
    .slice()
    .sort(
      (a, b) =>
        (group[a] as number) - (group[b] as number) ||
        (second[a] as number) - (second[b] as number),
    );
  const step = usualStep(order, group, second);
  if (!(step * GAP_STEPS < SETTLED_SECONDS)) return all;
  const isSettled = new Uint8Array(rows);
  let host = Number.NaN;
  let since = 0;
  let last = 0;
  for (const row of order) {
    const at = second[row] as number;
    if (group[row] !== host || at - last > GAP_STEPS * step) since = at;
    host = group[row] as number;
    last = at;
    isSettled[row] = Number(at - since >= SETTLED_SECONDS);
  }
  const settled = all.filter(row => isSettled[row] === 1);
  return settled.length === 0 ? all : settled;
}

/** Median time between two rows of a host; NaN without any. */
function usualStep(order: Int32Array, group: Int32Array, second: Int32Array): number {
  const steps = order
    .slice(1)
    .map((row, at) => {
      const before = order[at] as number;
      return group[row] === group[before]
        ? (second[row] as number) - (second[before] as number)
        : -1;
    })
    .filter(step => step >= 0)
    .sort();
  return steps[steps.length >> 1] ?? Number.NaN;
}
