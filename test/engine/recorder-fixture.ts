import type {ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {createMemoryStore} from '../../core/adapters/store-memory.ts';
import {HOST_METRICS, type MetricSet, metricSet} from '../../core/domain/metric-sets.ts';
import type {Tick} from '../../core/domain/records.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import {encodeTickRecords} from '../../core/engine/journal-reader.ts';
import {createRecorder, type RecorderDeps} from '../../core/engine/recorder.ts';
import type {Store} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';

export const PARTITION = 7;
export const START_MS = 1_760_000_000_000;
export const SMD = metricSet('smd.v1', 'host', [
  'cpu_utilisation_ratio',
  'load_1',
  'row',
  'Ünusual',
]);

/** A recorder at work on a log and a store in memory. */
export function recording(t: ExecutionContext, options: Partial<RecorderDeps> = {}) {
  const log = options.log ?? createMemoryLog();
  const store = options.store ?? createMemoryStore();
  const recorder = createRecorder({
    log,
    store,
    codec,
    clock: systemClock,
    random: seededRandom(1),
    partitions: [PARTITION],
    ...options,
  });
  const stop = new AbortController();
  const run = recorder.run(stop.signal);
  run.catch(() => {});
  const end = async () => {
    stop.abort();
    await run;
  };
  t.teardown(() => stop.abort());
  const append = (topic: 'telemetry' | 'journal' | 'inbox' | 'scores', ...values: Uint8Array[]) =>
    log.append(topic, PARTITION, values);
  return {log, store, recorder, run, end, append};
}

export function batch(
  seq: number,
  options: {set?: MetricSet; rows?: number; edge?: string} = {},
): Batch {
  const {set = HOST_METRICS, rows = 2, edge = 'h01'} = options;
  return {
    edge,
    cell: 'default',
    incarnation: 1,
    seq,
    timeBase: 'live',
    blocks: [
      {
        metricSet: set.name,
        metricSetHash: set.hash,
        rows,
        entities: [`hosts/${edge}`],
        rowEntity: new Uint16Array(rows),
        observedAtMs: Float64Array.from({length: rows}, (_, row) => START_MS + seq * 1000 + row),
        values: Float32Array.from({length: rows * set.columns.length}, (_, index) => index),
        devices: [],
      },
    ],
  };
}

export const telemetry = (of: Batch) => codec.encodeTelemetry({kind: 'batch', batch: of});

export function tick(epoch: number, number: number): Tick {
  const atMs = START_MS + 1000 * epoch + number;
  return {
    timeMs: atMs,
    epoch,
    number,
    cut: {telemetryOffset: 0, inboxOffset: 0, scoreRequest: 0},
    transitions: [
      {
        actor: 'hosts/h01',
        machine: 'host',
        machineVersion: 1,
        seq: number,
        from: 'normal',
        to: 'at-risk.watching',
        event: 'risk.raised',
        context: '{"risk":0.9}',
      },
    ],
    risks: [],
    timers: [],
    effects: [
      {
        id: `7/${epoch}/${number}/0`,
        kind: 'start-migration',
        host: 'h01',
        vm: 'v1',
        targetHost: 'h02',
        weightPercent: 0,
        deadlineMs: atMs + 60_000,
        agent: 'h01',
        address: '127.0.0.1:1',
      },
    ],
    decisions: [
      {
        id: `7/${epoch}/${number}/d0`,
        atMs,
        entity: 'hosts/h01',
        host: 'h01',
        risk: 0.9,
        component: 'disk',
        action: 'migrate',
        targetHost: 'h02',
        because: 'it is better',
        outcome: 'acted',
        blockedBy: '',
        alternatives: [],
        modelHash: 'abc',
        policyVersion: 1,
      },
    ],
    inventory: [],
    modelHash: 'abc',
  };
}

export const epoch = (number: number) =>
  codec.encodeJournal({kind: 'epoch', epoch: {epoch: number, owner: 'core', address: ''}});
export const journalTick = (of: Tick) => encodeTickRecords(codec, of)[0] as Uint8Array;

export const result = (id: string) =>
  codec.encodeInbox({
    requestId: id,
    atMs: START_MS + 5,
    author: 'h01',
    kind: 'effect-result',
    result: {id, status: 'done', code: '', message: 'moved', figures: {downtime_seconds: 0.25}},
  });

export const scores = (of: {epoch: number; tickNumber: number}) =>
  codec.encodeScores({
    timeMs: START_MS + of.tickNumber,
    ...of,
    modelHash: 'abc',
    kind: 'risk',
    featureHash: 7,
    hosts: ['h01', 'h02'],
    components: ['cpu', 'disk'],
    risks: Float32Array.of(0, 0.5, 0.25, Number.NaN),
    reasons: [
      {
        row: 0,
        component: 'disk',
        reasons: [{feature: 'disk_latency_seconds.level', value: 2, usual: 0.01, contribution: 3}],
        counterfactual: {changes: [{metric: 'disk_latency_seconds', value: 0.01}], risk: 0.1},
        decisions: ['7/1/1/d0'],
      },
    ],
  });

export const all = (store: Store, table: string) => store.query({table, limit: 10_000});
