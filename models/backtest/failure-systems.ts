import {join} from 'node:path';
import {OUTAGE_CAUSES, type Outage, type OutageCause} from '../../core/domain/outage-history.ts';
import {readTableAt} from '../data/table.ts';
import {invalidRecording} from './invalid-recording.ts';

/** A cluster and its outages. */
export type System = {
  readonly name: string;
  readonly hosts: number;
  /** By begin, then host, then downtime. At least one. */
  readonly outages: readonly RecordedOutage[];
};

export type RecordedOutage = Outage & {
  /** NaN: not recorded. */
  readonly downMs: number;
};

const MINUTE_MS = 60_000;
/** Far more than any cluster has; a number above is a column that is something else. */
const HOSTS_MAX = 100_000;
/** A hundred years; a start beyond is in another unit, or from nowhere. */
const START_MINUTES_MAX = 100 * 365 * 1440;
/** As the recordings abbreviate them. */
const CAUSES = new Map<string, OutageCause>([
  ...OUTAGE_CAUSES.map(cause => [cause, cause] as const),
  ['otherhw', 'other-hardware'],
]);

/**
 * Reads `events.csv` and `nodes.csv`, plain or gzipped, of a folder. Of the nodes it reads how many
 * a system has, nothing else. Times are since the recordings' own epoch.
 *
 * @returns Systems in the order of their names.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` when a file is cut off, or a value cannot be what
 *   its column says.
 */
export async function readSystems(folder: string): Promise<System[]> {
  const hosts = await readHosts(folder);
  const events = await readTableAt(join(folder, 'events.csv'));
  const names = events.texts('system');
  const nodes = events.numbers('node');
  const starts = events.numbers('start_min');
  const downs = events.numbers('down_min');
  const classes = events.texts('class');
  const outages = new Map<string, RecordedOutage[]>();
  for (let row = 0; row < events.rows; row++) {
    const name = names[row] as string;
    const host = nodes[row] as number;
    const atMs = (starts[row] as number) * MINUTE_MS;
    const downMs = (downs[row] as number) * MINUTE_MS;
    const cause = CAUSES.get(classes[row] as string);
    const refuse = (reason: string) => invalidRecording(events.path, `row ${row + 1}: ${reason}`);
    if (!hosts.has(name)) throw refuse(`system "${name}" is not in nodes.csv`);
    if (!isWhole(host, 0)) throw refuse(`node ${host} is not a whole number below ${HOSTS_MAX}`);
    if (!(Math.abs(atMs) <= START_MINUTES_MAX * MINUTE_MS)) {
      throw refuse(`start_min ${starts[row]} is no time within ${START_MINUTES_MAX} minutes`);
    }
    if (downMs < 0 || downMs === Number.POSITIVE_INFINITY) {
      throw refuse(`down_min ${downs[row]} is no duration`);
    }
    if (cause === undefined) {
      throw refuse(`class "${classes[row]}" is none of ${[...CAUSES.keys()].join(', ')}`);
    }
    const ofSystem = outages.get(name) ?? [];
    ofSystem.push({atMs, host, cause, downMs});
    outages.set(name, ofSystem);
  }
  return [...outages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ofSystem]) => ({
      name,
      hosts: ofSystem.reduce((most, {host}) => Math.max(most, host + 1), hosts.get(name) as number),
      outages: ofSystem.sort(compareOutages),
    }));
}

async function readHosts(folder: string): Promise<Map<string, number>> {
  const nodes = await readTableAt(join(folder, 'nodes.csv'));
  const counts = nodes.numbers('nodes_in_system');
  const hosts = new Map<string, number>();
  for (const [row, name] of nodes.texts('system').entries()) {
    const count = counts[row] as number;
    if (!isWhole(count, 1)) {
      throw invalidRecording(
        nodes.path,
        `row ${row + 1}: nodes_in_system ${count} is not a whole number from 1 to ${HOSTS_MAX}`,
      );
    }
    hosts.set(name, count);
  }
  return hosts;
}

function isWhole(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= HOSTS_MAX;
}

function compareOutages(a: RecordedOutage, b: RecordedOutage): number {
  return (
    a.atMs - b.atMs ||
    a.host - b.host ||
    a.downMs - b.downMs ||
    OUTAGE_CAUSES.indexOf(a.cause) - OUTAGE_CAUSES.indexOf(b.cause)
  );
}
