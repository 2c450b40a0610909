/** What encoding and decoding cost, in CPU of this thread. */
import type {Tick} from '../core/domain/records.ts';
import type {TelemetryRecord} from '../core/domain/telemetry.ts';
import {codec, createCodec} from '../proto/codec.ts';
import {createMessages} from './support/load.ts';

const packing = createCodec({packAboveBytes: 0});
const START_MS = 1.7e12;

/** Messages as `pipeline` and `ingest` send them. */
const SHAPES = {
  /** 256 VMs of eight metrics, four rounds. */
  wide: {hostsPerEdge: 256, vmsPerHost: 0, rounds: 4, hostSet: 'eight'},
  /** A live agent's, with ten VMs. */
  narrow: {hostsPerEdge: 1, vmsPerHost: 10, rounds: 1, hostSet: 'live'},
  /** The same without VMs: what its host alone costs. */
  host: {hostsPerEdge: 1, vmsPerHost: 0, rounds: 1, hostSet: 'live'},
  /** Many hosts in one message. */
  hosts: {hostsPerEdge: 256, vmsPerHost: 0, rounds: 4, hostSet: 'live'},
} as const;

function recordOf(shape: (typeof SHAPES)[keyof typeof SHAPES]): TelemetryRecord {
  const load = {...shape, edges: 8, cells: 1, samplesPerSecond: 1000, pack: false, herd: false};
  // Of edges that are well, and without an inventory.
  return codec.decodeTelemetry(createMessages(load, 1, 'cell-0').bytes(3, START_MS));
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
    ...Object.assign(
      {},
      ...Object.entries(SHAPES).map(([name, shape]) => costs(name, recordOf(shape))),
    ),
    'wire.tick.encodeMicrosPerTransition': measure(() => codec.encodeTick(tick)) / 100_000,
    'wire.tick.decodeMicrosPerTransition': measure(() => codec.decodeJournal(tickBytes)) / 100_000,
  };
}

function costs(shape: string, record: TelemetryRecord): Record<string, number> {
  if (record.kind !== 'batch') throw new TypeError('a gap has no samples');
  const samples = record.batch.blocks.reduce((sum, {rows}) => sum + rows, 0);
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
