/**
 * Where the time of a sample goes in a core. Nothing in the product knows of it: a probe stands in
 * front of a port, or listens to an event that is published anyway.
 */
import {monitorEventLoopDelay, PerformanceObserver, performance} from 'node:perf_hooks';
import type {TelemetryRecord} from '../../core/domain/telemetry.ts';
import {listen} from '../../core/events.ts';
import type {Codec, Log} from '../../core/ports.ts';
import {createUndecided} from './decision-times.ts';
import {createDistribution, type Figures} from './distribution.ts';

/** Milliseconds each, of one message or, from `window` on, of one tick. */
export const STAGES = [
  /** From being due to standing, checked, before the log: sender, network, transport. */
  'receive',
  'decode',
  /** From there until a tick has it: append and wait. */
  'queue',
  'window',
  'inference',
  /** Bands, actors, planner. */
  'transition',
  'journal',
] as const;
export type Stage = (typeof STAGES)[number];

export type CoreReport = {
  seconds: number;
  samples: number;
  messages: number;
  /** From being due to the end of the tick that had its score. */
  decisionMs: Figures;
  stages: Readonly<Record<Stage, Figures>>;
  /** CPU of the main thread in milliseconds, by stage, as far as it runs there. */
  cpuMs: Readonly<Record<'decode' | 'window' | 'transition' | 'request', number>>;
  mainCpuMs: number;
  totalCpuMs: number;
  /** Of `cpuMs`, the time in garbage collection. */
  gcMs: number;
  scoredRows: number;
  transitions: number;
  rssBytesMax: number;
  loopDelayP99Ms: number;
  undecided: number;
  problems: readonly string[];
};

/** Milliseconds since the process was started; NaN: not yet. */
export type RecoveryReport = {
  /** The core serves; its partitions may still be recovering. */
  openedMs: number;
  /** First and last partition that made its first tick. */
  firstTickMs: number;
  allTickedMs: number;
  /** The first scores were applied: of telemetry that the log still held. */
  firstDecisionMs: number;
};

/** A message on its way from the log to its decision. */
type Message = {dueMs: number; offset: number; acceptedMs: number};
/** When a message came hangs on its bytes: a WeakMap would cost more than what is measured. */
const ARRIVAL = Symbol('arrival');
type Arrived = Uint8Array & {[ARRIVAL]?: {dueMs: number; acceptedMs: number}};

const RSS_EVERY_MS = 500;
const nowMs = () => performance.timeOrigin + performance.now();

export function createProbes() {
  const stages = Object.fromEntries(STAGES.map(stage => [stage, createDistribution()])) as Record<
    Stage,
    ReturnType<typeof createDistribution>
  >;
  const decision = createDistribution();
  const undecided = createUndecided<Message>();
  const problems = new Set<string>();
  const loopDelay = monitorEventLoopDelay({resolution: 5});
  const cpuMs = {decode: 0, window: 0, transition: 0, request: 0};
  const counts = {samples: 0, messages: 0, scoredRows: 0, transitions: 0, rssBytesMax: 0, gcMs: 0};
  const firstTicks = new Map<number, number>();
  let firstDecisionMs = Number.NaN;
  let [decodedAtMs, windowedAtMs] = [0, 0];
  let loop = performance.eventLoopUtilization();
  let [beganAtMs, cpu, mainCpu] = [0, process.cpuUsage(), process.threadCpuUsage()];

  const take = (bytes: Uint8Array, record: TelemetryRecord, decodeMs: number): void => {
    if (record.kind !== 'batch' || (bytes as Arrived)[ARRIVAL] !== undefined) return;
    const newestMs = record.batch.blocks[0]?.observedAtMs.at(-1) ?? 0;
    const acceptedMs = nowMs();
    (bytes as Arrived)[ARRIVAL] = {dueMs: newestMs, acceptedMs};
    stages.receive.record(acceptedMs - newestMs);
    stages.decode.record(decodeMs);
  };

  listen('samples.taken', ({count}) => {
    windowedAtMs = performance.now();
    counts.samples += count;
    counts.messages++;
  });
  listen('scores.taken', ({rows}) => {
    counts.scoredRows += rows;
    if (Number.isNaN(firstDecisionMs)) firstDecisionMs = performance.now();
  });
  listen('transition.made', () => {
    counts.transitions++;
  });
  listen('scores.applied', ({durationMs}) => stages.inference.record(durationMs));
  listen('tick.staged', tick => {
    const {partition, foldMs, journalMs, requestMs} = tick;
    if (!firstTicks.has(partition)) firstTicks.set(partition, performance.now());
    const foldedAtMs = performance.now() - requestMs - journalMs;
    const foldAtMs = foldedAtMs - foldMs;
    // A tick without batches has no windows; the clock of the last one is then before this fold.
    const windowMs = windowedAtMs > foldAtMs ? Math.min(foldMs, windowedAtMs - foldAtMs) : 0;
    cpuMs.window += windowMs;
    cpuMs.transition += foldMs - windowMs;
    cpuMs.request += requestMs;
    if (windowMs > 0) stages.window.record(windowMs);
    stages.transition.record(foldMs - windowMs);
    if (journalMs > 0.01) stages.journal.record(journalMs);
    const now = nowMs();
    const {taken, decided} = undecided.follow(tick);
    for (const {dueMs} of decided) decision.record(now - dueMs);
    for (const {acceptedMs} of taken) {
      stages.queue.record(performance.timeOrigin + foldAtMs - acceptedMs);
    }
  });

  const note = (partition: number, values: readonly Uint8Array[], firstOffset: number): void => {
    for (const [index, value] of values.entries()) {
      const arrival = (value as Arrived)[ARRIVAL];
      if (arrival === undefined) continue;
      undecided.append(partition, {...arrival, offset: firstOffset + index});
    }
  };

  setInterval(() => {
    counts.rssBytesMax = Math.max(counts.rssBytesMax, process.memoryUsage.rss());
  }, RSS_EVERY_MS).unref();
  new PerformanceObserver(list => {
    for (const {duration} of list.getEntries()) counts.gcMs += duration;
  }).observe({entryTypes: ['gc']});

  return {
    codec: (inner: Codec): Codec => ({
      ...inner,
      decodeTelemetry(bytes) {
        const startedMs = performance.now();
        const record = inner.decodeTelemetry(bytes);
        decodedAtMs = performance.now();
        cpuMs.decode += decodedAtMs - startedMs;
        take(bytes, record, decodedAtMs - startedMs);
        return record;
      },
    }),
    log: (inner: Log): Log => ({
      append: async (topic, partition, values) => {
        const firstOffset = await inner.append(topic, partition, values);
        if (topic === 'telemetry') note(partition, values, firstOffset);
        return firstOffset;
      },
      read: (topic, partition, from, maxBytes) => inner.read(topic, partition, from, maxBytes),
      startOffset: (topic, partition) => inner.startOffset(topic, partition),
      endOffset: (topic, partition) => inner.endOffset(topic, partition),
      own: handler => inner.own(handler),
      release: (...args) => inner.release(...args),
      close: () => inner.close(),
    }),
    recovery: (): RecoveryReport => ({
      openedMs: Number.NaN,
      firstTickMs: Math.min(...firstTicks.values()),
      allTickedMs: Math.max(...firstTicks.values()),
      firstDecisionMs,
    }),
    problem: (text: string) => void problems.add(text),
    begin: async () => {
      for (const stage of STAGES) stages[stage].reset();
      decision.reset();
      loopDelay.reset();
      loopDelay.enable();
      Object.assign(cpuMs, {decode: 0, window: 0, transition: 0, request: 0});
      Object.assign(counts, {samples: 0, messages: 0, scoredRows: 0, transitions: 0, gcMs: 0});
      cpu = process.cpuUsage();
      mainCpu = process.threadCpuUsage();
      loop = performance.eventLoopUtilization();
      beganAtMs = performance.now();
    },
    end: async (): Promise<CoreReport> => {
      const all = process.cpuUsage(cpu);
      const main = process.threadCpuUsage(mainCpu);
      const mainCpuMs = (main.user + main.system) / 1000;
      // Stages are timed on the wall. Of that time the thread had this share of a processor.
      const share = Math.min(1, mainCpuMs / performance.eventLoopUtilization(loop).active);
      return {
        ...counts,
        seconds: (performance.now() - beganAtMs) / 1000,
        decisionMs: decision.figures(),
        stages: Object.fromEntries(
          STAGES.map(stage => [stage, stages[stage].figures()]),
        ) as CoreReport['stages'],
        cpuMs: {
          decode: share * cpuMs.decode,
          window: share * cpuMs.window,
          transition: share * cpuMs.transition,
          request: share * cpuMs.request,
        },
        mainCpuMs,
        totalCpuMs: (all.user + all.system) / 1000,
        loopDelayP99Ms: loopDelay.percentile(99) / 1e6,
        undecided: undecided.count(),
        problems: [...problems].slice(0, 3),
      };
    },
  };
}
