/** What encoding and decoding cost, in CPU of this thread. */
import {HOST_METRICS, type MetricSet, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Tick} from '../core/domain/records.ts';
import type {Block, TelemetryRecord} from '../core/domain/telemetry.ts';
import {codec, createCodec} from '../proto/codec.ts';

const packing = createCodec({packAboveBytes: 0});

function blockOf(set: MetricSet, entities: number, samples: number): Block {
  const rows = entities * samples;
  return {
    metricSet: set.name,
    metricSetHash: set.hash,
    rows,
    entities: Array.from({length: entities}, (_, index) => `${set.kind}s/${set.kind}${index}`),
    rowEntity: Uint16Array.from({length: rows}, (_, row) => row % entities),
    observedAtMs: Float64Array.from(
      {length: rows},
      (_, row) => 1.7e12 + 1000 * Math.floor(row / entities),
    ),
    values: Float32Array.from({length: rows * set.columns.length}, (_, at) => Math.sin(at)),
    devices: [],
  };
}

function recordOf(blocks: readonly Block[]): TelemetryRecord {
  const head = {edge: 'edge-1', cell: 'default', incarnation: 1, seq: 1};
  return {kind: 'batch', batch: {...head, timeBase: 'live', blocks}};
}

/** Nanoseconds of CPU a call, after warming up. */
function measure(call: () => unknown): number {
  for (let index = 0; index < 300; index++) call();
  const calls = 2000;
  const before = process.cpuUsage();
  for (let index = 0; index < calls; index++) call();
  const {user, system} = process.cpuUsage(before);
  return ((user + system) * 1000) / calls;
}

function tickOf(transitions: number): Tick {
  const context = JSON.stringify({id: 'h01', deadlineMs: 0, enteredAtMs: 1.7e12, risk: 0.1});
  return {
    timeMs: 1.7e12,
    epoch: 1,
    number: 1,
    cut: {telemetryOffset: 1, inboxOffset: 1, scoreRequest: 1},
    transitions: Array.from({length: transitions}, (_, index) => ({
      actor: `hosts/h${index}`,
      machine: 'host',
      machineVersion: 1,
      seq: 1,
      from: 'normal',
      to: 'at-risk.watching',
      event: 'risk.raised',
      context,
    })),
    risks: [],
    timers: [],
    effects: [],
    decisions: [],
    inventory: [],
    modelHash: 'a'.repeat(64),
  };
}

/** Nanoseconds of CPU a sample, and microseconds a transition, by flat name. */
export function measureWire(): Record<string, number> {
  const tick = tickOf(100);
  const tickBytes = codec.encodeTick(tick);
  return {
    ...costs('wide', recordOf([blockOf(VM_METRICS, 256, 4)]), 1024),
    ...costs('narrow', recordOf([blockOf(HOST_METRICS, 1, 1), blockOf(VM_METRICS, 10, 1)]), 11),
    'wire.tick.encodeMicrosPerTransition': measure(() => codec.encodeTick(tick)) / 100_000,
    'wire.tick.decodeMicrosPerTransition': measure(() => codec.decodeJournal(tickBytes)) / 100_000,
  };
}

function costs(shape: string, record: TelemetryRecord, samples: number): Record<string, number> {
  const bytes = codec.encodeTelemetry(record);
  const packed = packing.encodeTelemetry(record);
  const cases: Record<string, () => unknown> = {
    encode: () => codec.encodeTelemetry(record),
    decode: () => codec.decodeTelemetry(fresh(bytes)),
    encodePacked: () => packing.encodeTelemetry(record),
    decodePacked: () => codec.decodeTelemetry(fresh(packed)),
  };
  return {
    [`wire.${shape}.bytesPerSample`]: bytes.length / samples,
    [`wire.${shape}.packedBytesPerSample`]: packed.length / samples,
    ...Object.fromEntries(
      Object.entries(cases).map(([name, call]) => [
        `wire.${shape}.${name}NsPerSample`,
        measure(call) / samples,
      ]),
    ),
  };
}

/** Another view: the codec remembers what it made of these very bytes. */
const fresh = (bytes: Uint8Array): Uint8Array => bytes.subarray();
