/**
 * What the logs carry, on this machine:
 *
 *     node bench/log.ts [segments|kafka] [-o json]
 *
 * Kafka is the one of FORESTAY_TEST_KAFKA, or is started here. CPU is this process's, all threads:
 * the figure that lasts; rates depend on the disk and on what else runs.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {systemClock} from '../core/adapters/clock-system.ts';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {openKafkaLog} from '../core/adapters/log-kafka.ts';
import {openSegmentLog} from '../core/adapters/log-segments.ts';
import type {Log, Topic} from '../core/ports.ts';
import {startService} from '../test/services/start.ts';

type Load = {name: string; topic: Topic; bytes: number; partitions: number; inFlight: number};
type Row = {
  log: string;
  load: string;
  perSecond: number;
  megabytesPerSecond: number;
  cpuMicrosecondsPerRecord: number;
  cpuMicrosecondsPerKilobyte: number;
};

const seconds = 3;
const loads: readonly Load[] = [
  {name: 'append 200 B, one at a time', topic: 'journal', bytes: 200, partitions: 1, inFlight: 1},
  {name: 'append 200 B, 256 in flight', topic: 'inbox', bytes: 200, partitions: 64, inFlight: 256},
  {
    name: 'append 36 KB, 64 in flight',
    topic: 'telemetry',
    bytes: 36_000,
    partitions: 8,
    inFlight: 64,
  },
];

/** Runs `step` for a while, `inFlight` at a time, and says what a record cost. */
async function measure(
  log: string,
  load: string,
  inFlight: number,
  step: (worker: number) => Promise<{records: number; bytes: number}>,
): Promise<Row> {
  let [records, bytes] = [0, 0];
  const cpu = process.cpuUsage();
  const startedAtMs = performance.now();
  const endAtMs = startedAtMs + seconds * 1000;
  const work = async (worker: number): Promise<void> => {
    while (performance.now() < endAtMs) {
      const done = await step(worker);
      if (done.records === 0) return;
      records += done.records;
      bytes += done.bytes;
    }
  };
  await Promise.all(Array.from({length: inFlight}, (_, worker) => work(worker)));
  const elapsedS = (performance.now() - startedAtMs) / 1000;
  const {user, system} = process.cpuUsage(cpu);
  return {
    log,
    load,
    perSecond: Math.round(records / elapsedS),
    megabytesPerSecond: round(bytes / 1e6 / elapsedS),
    cpuMicrosecondsPerRecord: round((user + system) / records),
    cpuMicrosecondsPerKilobyte: round((user + system) / (bytes / 1000)),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

async function measureLog(name: string, open: () => Promise<Log>): Promise<Row[]> {
  const rows: Row[] = [];
  const log = await open();
  for (const {name: load, topic, bytes, partitions, inFlight} of loads) {
    const value = Buffer.alloc(bytes, 'forestay telemetry ');
    rows.push(
      await measure(name, load, inFlight, async worker => {
        await log.append(topic, worker % partitions, [value]);
        return {records: 1, bytes};
      }),
    );
  }
  await log.close();
  const reopened = await open();
  rows.push(await measureReads(name, 'read 36 KB records', reopened));
  await reopened.close();
  return rows;
}

async function measureReads(name: string, load: string, log: Log): Promise<Row> {
  const partitions = 8;
  const next = new Array<number>(partitions).fill(0);
  return measure(name, load, partitions, async worker => {
    const records = await log.read('telemetry', worker, next[worker] as number);
    next[worker] = (records.at(-1)?.offset ?? 0) + 1;
    return {
      records: records.length,
      bytes: records.reduce((sum, {value}) => sum + value.length, 0),
    };
  });
}

async function measureSegments(): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'forestay-bench-'));
  try {
    return await measureLog('segments', () =>
      openSegmentLog({directory, files: nodeFiles, clock: systemClock}),
    );
  } finally {
    rmSync(directory, {recursive: true});
  }
}

async function measureKafka(): Promise<Row[]> {
  const shared = process.env.FORESTAY_TEST_KAFKA;
  const service = shared ? undefined : await startService('kafka');
  const brokers = (shared ?? service?.address ?? '').split(',');
  const topicPrefix = `bench-${process.pid}`;
  try {
    return await measureLog('kafka', () =>
      openKafkaLog({brokers, clock: systemClock, topicPrefix}),
    );
  } finally {
    await service?.stop();
  }
}

const {values, positionals} = parseArgs({
  options: {output: {type: 'string', short: 'o', default: 'table'}},
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : ['segments', 'kafka'];
const rows: Row[] = [];
if (wanted.includes('segments')) rows.push(...(await measureSegments()));
if (wanted.includes('kafka')) rows.push(...(await measureKafka()));
if (values.output === 'json') console.log(JSON.stringify(rows));
else console.table(rows);
