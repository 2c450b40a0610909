/** A session on a stream that remembers, over a log whose appends the test can hold back. */
import {setImmediate as turn} from 'node:timers/promises';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import type {ForestayError} from '../../core/domain/errors.ts';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {HOST_METRICS, type MetricSet} from '../../core/domain/metric-sets.ts';
import type {Batch, Block, TelemetryRecord} from '../../core/domain/telemetry.ts';
import {createIngest, type IngestOptions} from '../../core/engine/ingest.ts';
import {createMetricSets} from '../../core/engine/ingest-metric-sets.ts';
import type {IngestStream, Reply} from '../../core/engine/ingest-session.ts';
import {type EngineEventName, type EngineEvents, listen} from '../../core/events.ts';
import type {Clock, Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';

export const NOW_MS = 1_700_000_000_000;
export const HELLO = {edge: 'h01', cell: 'default', incarnation: 1};

export type ManualClock = Clock & {advance(ms: number): void};

/** Stands still until it is moved; nobody sleeps on it here. */
export function manualClock(): ManualClock {
  let nowMs = NOW_MS;
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (_ms, signal) =>
      new Promise(resolve => signal?.addEventListener('abort', () => resolve())),
    advance: ms => {
      nowMs += ms;
    },
  };
}

export function blockOf(set: MetricSet = HOST_METRICS, overrides: Partial<Block> = {}): Block {
  const rows = overrides.rows ?? 1;
  return {
    metricSet: set.name,
    metricSetHash: set.hash,
    rows,
    entities: Array.from({length: rows}, (_, row) => `${set.kind}s/${row}`),
    rowEntity: Uint16Array.from({length: rows}, (_, row) => row),
    observedAtMs: new Float64Array(rows).fill(NOW_MS),
    values: new Float32Array(rows * set.columns.length).fill(0.5),
    devices: [],
    ...overrides,
  };
}

export function batchOf(seq: number, overrides: Partial<Batch> = {}): Batch {
  return {...HELLO, seq, timeBase: 'live', blocks: [blockOf()], ...overrides};
}

export function batchBytes(seq: number, overrides: Partial<Batch> = {}): Uint8Array {
  return codec.encodeTelemetry({kind: 'batch', batch: batchOf(seq, overrides)});
}

export function gapBytes(fromSeq: number, toSeq = fromSeq, overrides = {}): Uint8Array {
  const gap = {...HELLO, fromSeq, toSeq, reason: 'refused', ...overrides};
  return codec.encodeTelemetry({kind: 'gap', gap});
}

/** A stream that remembers what it was told, in order. */
export function recordingStream() {
  const replies: Reply[] = [];
  const calls: string[] = [];
  const errors: (ForestayError | undefined)[] = [];
  const stream: IngestStream = {
    reply: reply => replies.push(reply),
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    end: error => {
      calls.push('end');
      errors.push(error);
    },
  };
  return {stream, replies, calls, errors};
}

/** A memory log whose telemetry appends wait for `release` or fail with `fail`. */
export function heldLog() {
  const inner = createMemoryLog();
  const groups: number[] = [];
  let waiting: {go(): void; fail(error: Error): void}[] = [];
  const log: Log = {
    ...inner,
    append(topic, partition, values) {
      if (topic !== 'telemetry') return inner.append(topic, partition, values);
      groups.push(values.length);
      return new Promise((resolve, reject) => {
        waiting.push({
          go: () => resolve(inner.append(topic, partition, values)),
          fail: reject,
        });
      });
    },
  };
  const takeAll = async () => {
    await settled();
    const all = waiting;
    waiting = [];
    return all;
  };
  return {
    log,
    /** Sizes of the appends so far. */
    groups,
    release: async () => {
      for (const append of await takeAll()) append.go();
      await settled();
    },
    releaseNewestFirst: async () => {
      for (const append of (await takeAll()).reverse()) {
        append.go();
        await settled();
      }
    },
    fail: async (error: Error) => {
      for (const append of await takeAll()) append.fail(error);
      await settled();
    },
  };
}

/** Resolves when everything that can happen without the outside has happened. */
export async function settled(): Promise<void> {
  for (let count = 0; count < 5; count++) await turn();
}

export function setUp(options: Partial<IngestOptions> & {log?: Log} = {}) {
  const log = options.log ?? createMemoryLog();
  const clock = manualClock();
  const metricSets = createMetricSets({log, codec, clock});
  const ingest = createIngest({log, codec, clock, metricSets, ...options});
  const open = (hello = HELLO) => {
    const recording = recordingStream();
    const session = ingest.open(recording.stream);
    session.hello(hello);
    return {session, ...recording};
  };
  return {log, clock, metricSets, ingest, open};
}

export async function telemetryOf(log: Log, cell = 'default'): Promise<TelemetryRecord[]> {
  const records = await log.read('telemetry', partitionOfCell(cell), 0, 1 << 30);
  return records.map(({value}) => codec.decodeTelemetry(value));
}

/** Sequences in the log, a gap as `from-to`. */
export async function sequencesOf(log: Log, cell = 'default'): Promise<(number | string)[]> {
  const records = await telemetryOf(log, cell);
  return records.map(record =>
    record.kind === 'batch' ? record.batch.seq : `${record.gap.fromSeq}-${record.gap.toSeq}`,
  );
}

/** Events of one name for as long as the test runs. The tests of a file share them: run serially. */
export function eventsOf<Name extends EngineEventName>(
  t: {teardown(stop: () => void): void},
  name: Name,
): EngineEvents[Name][] {
  const events: EngineEvents[Name][] = [];
  t.teardown(listen(name, event => events.push(event)));
  return events;
}
