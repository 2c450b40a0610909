/**
 * What encoding and decoding cost, in CPU. `node bench/wire.ts` prints one line a case; CPU per item
 * is the figure that lasts, not the rate on this machine.
 */
import {setImmediate as turn} from 'node:timers/promises';
import {systemClock} from '../core/adapters/clock-system.ts';
import {createMemoryLog} from '../core/adapters/log-memory.ts';
import {HOST_METRICS, type MetricSet, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Tick} from '../core/domain/records.ts';
import type {Block, TelemetryRecord} from '../core/domain/telemetry.ts';
import {createIngest} from '../core/engine/ingest.ts';
import {createMetricSets} from '../core/engine/ingest-metric-sets.ts';
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

function report(name: string, call: () => unknown, items: number, item: string): void {
  const ns = measure(call);
  const each = (ns / items).toFixed(1);
  console.log(`${name.padEnd(44)} ${(ns / 1000).toFixed(1).padStart(8)} µs  ${each} ns/${item}`);
}

function reportTelemetry(name: string, record: TelemetryRecord, samples: number): void {
  const bytes = codec.encodeTelemetry(record);
  const packed = packing.encodeTelemetry(record);
  const sizes = `${bytes.length} B, packed ${packed.length} B`;
  console.log(`${name}: ${samples} samples, ${sizes}`);
  report('  encode', () => codec.encodeTelemetry(record), samples, 'sample');
  report('  decode', () => codec.decodeTelemetry(bytes), samples, 'sample');
  report('  encode packed', () => packing.encodeTelemetry(record), samples, 'sample');
  report('  decode packed', () => codec.decodeTelemetry(packed), samples, 'sample');
}

/** The whole way from a stream's bytes to the ack, without the transport. */
async function reportIngest(name: string, blocks: readonly Block[], samples: number) {
  const log = createMemoryLog();
  const ports = {log, codec, clock: systemClock};
  const ingest = createIngest({...ports, metricSets: createMetricSets(ports)});
  let acked = 0;
  const session = ingest.open({
    reply: reply => {
      if (reply.kind === 'ack') acked = reply.seq;
    },
    pause: () => undefined,
    resume: () => undefined,
    end: error => {
      if (error !== undefined) throw error;
    },
  });
  session.hello({edge: 'edge-1', cell: 'default', incarnation: 1});
  const head = {edge: 'edge-1', cell: 'default', incarnation: 1, timeBase: 'live' as const};
  const batches = Array.from({length: 3000}, (_, index) =>
    codec.encodeTelemetry({kind: 'batch', batch: {...head, seq: index + 1, blocks}}),
  );
  const before = process.cpuUsage();
  for (const [index, bytes] of batches.entries()) {
    session.record(bytes);
    if (index % 10 === 9) await turn();
  }
  while (acked < batches.length) await turn();
  const {user, system} = process.cpuUsage(before);
  const ns = ((user + system) * 1000) / batches.length;
  const each = (ns / samples).toFixed(1);
  console.log(`${name.padEnd(44)} ${(ns / 1000).toFixed(1).padStart(8)} µs  ${each} ns/sample`);
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

reportTelemetry('wide: 256 VMs × 4', recordOf([blockOf(VM_METRICS, 256, 4)]), 1024);
reportTelemetry('wide: 1 VM × 1024', recordOf([blockOf(VM_METRICS, 1, 1024)]), 1024);
reportTelemetry(
  'narrow: one host and 8 VMs, once',
  recordOf([blockOf(HOST_METRICS, 1, 1), blockOf(VM_METRICS, 8, 1)]),
  9,
);
reportTelemetry('narrowest: one host, once', recordOf([blockOf(HOST_METRICS, 1, 1)]), 1);
await reportIngest('ingest: 256 VMs × 4, to a log in memory', [blockOf(VM_METRICS, 256, 4)], 1024);
await reportIngest('ingest: one host, to a log in memory', [blockOf(HOST_METRICS, 1, 1)], 1);
const tick = tickOf(100);
const tickBytes = codec.encodeTick(tick);
report('encode tick', () => codec.encodeTick(tick), 100, 'transition');
report('decode tick', () => codec.decodeJournal(tickBytes), 100, 'transition');
