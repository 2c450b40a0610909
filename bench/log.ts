/** What the logs carry on this machine. CPU is that of this process, all threads. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {systemClock} from '../core/adapters/clock-system.ts';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {openKafkaLog} from '../core/adapters/log-kafka.ts';
import {openSegmentLog} from '../core/adapters/log-segments.ts';
import type {Log, Topic} from '../core/ports.ts';
import {KAFKA_FROM, LOG_KINDS, type LogKind, withLog} from './pipeline.ts';
import {resultOf, wordsOf} from './result.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

type Load = {name: string; topic: Topic; bytes: number; partitions: number; inFlight: number};
type Figures = Record<string, number>;

const seconds = 3;
const loads: readonly Load[] = [
  {name: 'appendOneAtATime', topic: 'journal', bytes: 200, partitions: 1, inFlight: 1},
  {name: 'append', topic: 'inbox', bytes: 200, partitions: 64, inFlight: 256},
  {
    name: 'appendWide',
    topic: 'telemetry',
    bytes: 36_000,
    partitions: 8,
    inFlight: 64,
  },
];

/** Runs `step` for a while, `inFlight` at a time, and says what a record cost. */
async function measure(
  name: string,
  inFlight: number,
  step: (worker: number) => Promise<{records: number; bytes: number}>,
): Promise<Figures> {
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
  const cpuMicros = user + system;
  return {
    [`${name}.recordsPerSecond`]: records / elapsedS,
    [`${name}.megabytesPerSecond`]: bytes / 1e6 / elapsedS,
    [`${name}.cpuMicrosPerRecord`]: cpuMicros / records,
    [`${name}.cpuNsPerByte`]: (1000 * cpuMicros) / bytes,
  };
}

async function measureLog(prefix: string, open: () => Promise<Log>): Promise<Figures> {
  const figures: Figures = {};
  const log = await open();
  for (const {name, topic, bytes, partitions, inFlight} of loads) {
    const value = Buffer.alloc(bytes, 'forestay telemetry ');
    const append = async (worker: number) => {
      await log.append(topic, worker % partitions, [value]);
      return {records: 1, bytes};
    };
    Object.assign(figures, await measure(`${prefix}.${name}`, inFlight, append));
  }
  await log.close();
  const reopened = await open();
  Object.assign(figures, await measureReads(`${prefix}.readWide`, reopened));
  await reopened.close();
  return figures;
}

async function measureReads(name: string, log: Log): Promise<Figures> {
  const partitions = 8;
  const next = new Array<number>(partitions).fill(0);
  return measure(name, partitions, async worker => {
    const records = await log.read('telemetry', worker, next[worker] as number);
    next[worker] = (records.at(-1)?.offset ?? 0) + 1;
    return {
      records: records.length,
      bytes: records.reduce((sum, {value}) => sum + value.length, 0),
    };
  });
}

async function measureKind(kind: LogKind): Promise<Figures> {
  return withLog(kind, async target => {
    if (target.kind === 'kafka') {
      const {brokers} = target;
      const topicPrefix = `bench-${process.pid}`;
      return measureLog('log.kafka', () =>
        openKafkaLog({brokers, clock: systemClock, topicPrefix}),
      );
    }
    const directory = mkdtempSync(join(tmpdir(), 'forestay-bench-'));
    try {
      return await measureLog('log.segments', () =>
        openSegmentLog({directory, files: nodeFiles, clock: systemClock}),
      );
    } finally {
      rmSync(directory, {recursive: true});
    }
  });
}

export const log: BenchVerb = {
  name: 'log',
  summary: 'appends and reads of the log alone',
  options: [
    {
      flags: '--log <kinds>',
      description: `segments, kafka or both; ${KAFKA_FROM}`,
      default: 'segments',
    },
  ],
  run: measureLogs,
};

async function measureLogs({options}: BenchArgs): Promise<BenchResult> {
  const metrics: Figures = {};
  for (const kind of wordsOf(options.log, 'log', LOG_KINDS)) {
    Object.assign(metrics, await measureKind(kind));
  }
  return resultOf({metrics});
}
