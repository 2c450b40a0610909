/**
 * Shows the anomaly watch what hosts do, once a minute of each, and others what it finds. A sink:
 *
 * A1. A tick pays for copying rows that are due and for nothing else; nothing is waited for.
 * A2. At most {@link ROWS_WAITING_MAX} minutes of hosts wait for their answer; of more, none is kept
 *     and all are counted.
 * A3. Nothing that is found is an input of anything; whatever fails is counted and forgotten.
 */
import type {AnomalyReport, MinuteRows} from '../domain/anomaly/fleet-watch.ts';
import {WATCHED_METRICS} from '../domain/anomaly/metric-spans.ts';
import {isForestayError} from '../domain/errors.ts';
import type {ScoresRecord} from '../domain/records.ts';
import {publish} from '../events.ts';
import type {Codec, Log, Watch} from '../ports.ts';
import {bandRow, type HostEntry, type PartitionState} from './partition-state.ts';
import type {SetTable} from './set-table.ts';

const MINUTE_MS = 60_000;
const LOOK_EVERY_MS = 1000;
/** Two minutes of the largest fleet that a core is made for. */
const ROWS_WAITING_MAX = 20_000;
const ODD_VMS_METRIC = 'anomalous_vms_ratio';

export type ObserverDeps = {
  watch: Watch;
  log: Log;
  codec: Codec;
  /** Told of what was found, before it goes to the scores topic. */
  onFound: (partition: number, record: ScoresRecord) => void;
  rowsWaitingMax?: number;
};

/** What was looked at in a partition: forgotten with its state. */
type View = {
  lookedAtMs: number;
  /** Newest minute of each host that was taken. */
  minutes: Map<string, number>;
  columns: WeakMap<SetTable['set'], Columns>;
};

type Columns = {names: string[]; places: number[]; oddVms: number};
type Due = {host: HostEntry; row: number};

export class AnomalyObserver {
  readonly #deps: ObserverDeps;
  readonly #views = new WeakMap<PartitionState, View>();
  readonly #flights = new Set<Promise<void>>();
  #waiting = 0;

  constructor(deps: ObserverDeps) {
    this.#deps = deps;
  }

  /** After a tick: takes the averages of the last half minute of every host that began another. */
  ticked(state: PartitionState): void {
    let view = this.#views.get(state);
    if (view === undefined) {
      view = {lookedAtMs: 0, minutes: new Map(), columns: new WeakMap()};
      this.#views.set(state, view);
    }
    if (state.timeMs - view.lookedAtMs < LOOK_EVERY_MS) return;
    view.lookedAtMs = state.timeMs;
    for (const [table, due] of findDue(state, view.minutes)) {
      if (this.#waiting + due.length > (this.#deps.rowsWaitingMax ?? ROWS_WAITING_MAX)) {
        publish('anomalies.missed', {hosts: due.length, code: 'SCORER_SATURATED'});
        continue;
      }
      const columns = view.columns.get(table.set) ?? columnsOf(table.set.columns);
      view.columns.set(table.set, columns);
      this.#send(state, {...copyRows(table, columns, due), timeBase: state.timeBase ?? 'live'});
    }
  }

  /** Everything that was sent has been answered, and told. */
  async settled(): Promise<void> {
    while (this.#flights.size > 0) await Promise.all(this.#flights);
  }

  #send(state: PartitionState, rows: MinuteRows): void {
    const hosts = rows.hosts.length;
    this.#waiting += hosts;
    const {partition, epoch, tickNumber} = state;
    const flight = this.#deps.watch
      .observe(rows)
      .then(report => this.#tell(partition, {epoch, tickNumber}, report))
      .catch(error => {
        const code = isForestayError(error) ? error.code : 'SCORER_FAILED';
        publish('anomalies.missed', {hosts, code});
      })
      .finally(() => {
        this.#waiting -= hosts;
        this.#flights.delete(flight);
      });
    this.#flights.add(flight);
  }

  async #tell(
    partition: number,
    of: Pick<ScoresRecord, 'epoch' | 'tickNumber'>,
    {anomalies, learned}: AnomalyReport,
  ): Promise<void> {
    const {log, codec, onFound} = this.#deps;
    publish('anomalies.found', {hosts: anomalies.length, learned});
    if (anomalies.length === 0) return;
    const record: ScoresRecord = {
      ...of,
      kind: 'risk',
      timeMs: Math.max(...anomalies.map(({atMs}) => atMs)),
      modelHash: '',
      featureHash: 0,
      hosts: [],
      risks: new Float32Array(0),
      components: [],
      reasons: [],
      anomalies,
    };
    onFound(partition, record);
    await log.append('scores', partition, [codec.encodeScores(record)]);
  }
}

/** Hosts whose samples began another minute, by their table; their first minute teaches nothing. */
function findDue(state: PartitionState, minutes: Map<string, number>): Map<SetTable, Due[]> {
  const due = new Map<SetTable, Due[]>();
  for (const host of state.hosts.values()) {
    const found = bandRow(state, host);
    if (found === undefined || found.table.windows.columns === 0) continue;
    const {lastMs, firstMs} = found.table.windows;
    const last = lastMs[found.row] as number;
    const minute = Math.floor(last / MINUTE_MS);
    const before = minutes.get(host.name);
    if (before === minute) continue;
    minutes.set(host.name, minute);
    if (before === undefined || minute < before) continue;
    if (last - (firstMs[found.row] as number) < MINUTE_MS) continue;
    const rows = due.get(found.table) ?? [];
    rows.push({host, row: found.row});
    due.set(found.table, rows);
  }
  return due;
}

function columnsOf(columns: readonly string[]): Columns {
  const names = WATCHED_METRICS.filter(name => columns.includes(name));
  return {
    names,
    places: names.map(name => columns.indexOf(name)),
    oddVms: columns.indexOf(ODD_VMS_METRIC),
  };
}

function copyRows(
  {windows}: SetTable,
  columns: Columns,
  due: readonly Due[],
): Omit<MinuteRows, 'timeBase'> {
  const {names, places, oddVms} = columns;
  const values = new Float32Array(due.length * places.length);
  let at = 0;
  for (const {row} of due) {
    const from = row * windows.columns;
    for (const place of places) values[at++] = windows.fast[from + place] as number;
  }
  return {
    columns: names,
    hosts: due.map(({host}) => host.name),
    cells: due.map(({host}) => host.cell),
    racks: due.map(({host}) => host.facts?.rack ?? ''),
    atMs: Float64Array.from(due, ({row}) => {
      const last = windows.lastMs[row] as number;
      return last - (last % MINUTE_MS);
    }),
    values,
    oddVms: Float32Array.from(due, ({row}) =>
      oddVms < 0 ? Number.NaN : (windows.fast[row * windows.columns + oddVms] as number),
    ),
  };
}
