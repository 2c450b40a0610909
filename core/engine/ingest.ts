/**
 * The way in for telemetry: streams of edges into the log. Transport-free; any core may take any
 * stream. What is kept here is only a help, and gone with the process: who is connected, what is
 * known to be durable, which clock a partition lives on.
 */
import {within} from '../domain/concurrency.ts';
import {partitionOfCell} from '../domain/hash.ts';
import type {TimeBase} from '../domain/telemetry.ts';
import type {Clock, Codec, Log} from '../ports.ts';
import {createAckPacer} from './ingest-acks.ts';
import {type Appender, createAppender} from './ingest-appender.ts';
import type {Hello} from './ingest-checks.ts';
import {createDurableMarks, createEdgeStreams} from './ingest-edges.ts';
import {createEntityLimit} from './ingest-entities.ts';
import {ingestClosing} from './ingest-errors.ts';
import {createGathering} from './ingest-gathering.ts';
import {DEFAULT_INGEST_LIMITS, type IngestLimits} from './ingest-limits.ts';
import type {MetricSets} from './ingest-metric-sets.ts';
import {createPressure} from './ingest-pressure.ts';
import {IngestSession, type IngestStream, type SessionContext} from './ingest-session.ts';
import {createTimeBases} from './ingest-time-bases.ts';

export type IngestOptions = {
  log: Pick<Log, 'append'>;
  codec: Pick<Codec, 'decodeTelemetry'>;
  clock: Clock;
  metricSets: MetricSets;
  limits?: Partial<IngestLimits>;
  /** How far the owner of a partition is behind, as far as this process knows. */
  lagMs?(partition: number): number;
  /** The newest life of an edge in the log; 0: none; undefined: the owner is not here, or not ready. */
  newestLife?(partition: number, edge: Pick<Hello, 'edge' | 'cell'>): number | undefined;
};

export type Ingest = {
  /** Starts a session on a stream that has just been opened. */
  open(stream: IngestStream): IngestSession;
  /** Tells which clock a cell lives on, as a restore finds it. */
  registerKnownCell(cell: string, timeBase: TimeBase): void;
  /** Sessions that are open now. */
  sessionCount(): number;
  /** Takes nothing more, waits (bounded) until what was accepted is durable, ends all streams. */
  close(): Promise<void>;
};

export function createIngest(options: IngestOptions): Ingest {
  const {clock, metricSets, codec} = options;
  const limits = {...DEFAULT_INGEST_LIMITS, ...options.limits};
  const sessions = new Set<IngestSession>();
  const streams = createEdgeStreams();
  const marks = createDurableMarks();
  const timeBases = createTimeBases();
  const pressure = createPressure(limits);
  const gathering = createGathering(clock, limits);
  const appenders = new Map<number, Appender>();
  let closing = false;

  const context: SessionContext = {
    codec,
    limits,
    metricSets,
    timeBases,
    entities: createEntityLimit(limits.entitiesPerCellMax, () => clock.monotonicMs()),
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    lagMs: options.lagMs ?? (() => 0),
    push(partition, entry) {
      let appender = appenders.get(partition);
      if (appender === undefined) {
        appender = createAppender(options.log, partition, limits, gathering);
        appenders.set(partition, appender);
      }
      appender.push(entry);
    },
    acks: createAckPacer(clock, limits.acksPerSecondMax),
    opened: streams.opened,
    closed(session) {
      sessions.delete(session);
      streams.closed(session);
      pressure.closed(session);
    },
    durable: marks.get,
    newestLife: options.newestLife ?? (() => undefined),
    setDurable: marks.set,
    account: pressure.account,
  };

  return {
    open(stream) {
      const session = new IngestSession(context, stream);
      sessions.add(session);
      if (closing) session.end(ingestClosing());
      return session;
    },
    registerKnownCell(cell, timeBase) {
      timeBases.claim(partitionOfCell(cell), cell, timeBase);
    },
    sessionCount: () => sessions.size,
    async close() {
      closing = true;
      for (const session of sessions) session.stream.pause();
      await within(clock, limits.drainMs, pressure.drained());
      for (const session of sessions) session.end(ingestClosing());
    },
  };
}
