/**
 * The seams of Forestay. Everything that leaves the process, and everything that a simulation
 * replaces, is one of these types. Each has two implementations and one contract test. The seam
 * between edge and core, `Link`, is in edge/ports.ts: the edge dials.
 */
import type {AnomalyReport, MinuteRows} from './domain/anomaly/fleet-watch.ts';
import type {EffectReport, IssuedEffect} from './domain/effects.ts';
import type {FeatureContract} from './domain/features.ts';
import type {InboxRecord, JournalRecord, ScoresRecord, Tick} from './domain/records.ts';
import type {Batch, Gap, TelemetryRecord} from './domain/telemetry.ts';

/** Time as an input. A simulated clock stands still until it is moved. */
export type Clock = {
  /** Milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Milliseconds on a scale that never goes back; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

/** A stream of random numbers. Equal seeds give equal streams on every machine. */
export type Random = {
  /** Uniform in [0, 1). */
  next(): number;
  /** An independent stream; the same name always gives the same one. */
  fork(name: string): Random;
};

/** The few file calls that spool, segments and checkpoints are made of. Paths are absolute. */
export type Files = {
  makeDirectory(path: string): void;
  list(path: string): string[];
  exists(path: string): boolean;
  size(path: string): number;
  read(path: string): Uint8Array;
  readRange(path: string, offset: number, length: number): Uint8Array;
  /** Replaces the file atomically (temporary file, sync, rename, sync of the directory). */
  replace(path: string, bytes: Uint8Array): void;
  /**
   * Makes a file with these bytes, durably and atomically: of many at once one makes it, and nobody
   * sees a part. False, and nothing done, if there is one.
   */
  create(path: string, bytes: Uint8Array): boolean;
  remove(path: string): void;
  truncate(path: string, length: number): void;
  /** Opens for appending at the end; creates the file. */
  openAppend(path: string): AppendFile;
};

export type AppendFile = {
  /** Writes all the bytes, in order; not durable before {@link AppendFile.sync}. */
  write(chunks: readonly Uint8Array[]): void;
  sync(): Promise<void>;
  syncNow(): void;
  close(): void;
};

export type Topic = 'telemetry' | 'inbox' | 'journal' | 'scores' | 'checkpoints';
export const TOPICS: readonly Topic[] = ['telemetry', 'inbox', 'journal', 'scores', 'checkpoints'];

export type LogRecord = {offset: number; value: Uint8Array};

/**
 * Five topics of 64 partitions. Offsets of a partition are contiguous from 0 in append order.
 *
 * Errors: `LOG_APPEND_FAILED` (retryable: the outcome is unknown, read to the end before trying
 * again), `LOG_CLOSED`, `LOG_CORRUPT`.
 */
export type Log = {
  /** Appends values in order; resolves with the first one's offset once all are durable. */
  append(topic: Topic, partition: number, values: readonly Uint8Array[]): Promise<number>;
  /**
   * Records from `from` on, at least one if there is one, at most about `maxBytes`. Empty at the
   * end. An offset below the start (retention) is answered from the start.
   */
  read(
    topic: Topic,
    partition: number,
    from: number,
    maxBytes?: number,
  ): Promise<readonly LogRecord[]>;
  /** Offset of the oldest record that is kept. */
  startOffset(topic: Topic, partition: number): Promise<number>;
  /** Offset that the next record will get. */
  endOffset(topic: Topic, partition: number): Promise<number>;
  /** Joins the owners; partitions are handed over through `handler` until `leave`. */
  own(handler: OwnershipHandler): Promise<Membership>;
  /**
   * A start needs nothing of this journal, or of these checkpoints, below `before`; never takes any
   * of it back. Of these two topics nothing else is deleted, whatever its age: checkpoints at once,
   * the journal as its retention says. A log that others share keeps by its own settings.
   */
  release(topic: 'journal' | 'checkpoints', partition: number, before: number): Promise<void>;
  close(): Promise<void>;
};

/** One contract for eager groups, newer ones, and a single embedded owner. */
export type OwnershipHandler = {
  /** Restore, fence, then consume. */
  assigned(partition: number): Promise<void>;
  /** Finish what can be finished before the deadline. */
  revoking(partition: number, deadlineMs: number): Promise<void>;
  /** Gone already: drop the state, write nothing. */
  lost(partition: number): void;
};

export type Membership = {leave(): Promise<void>};

/** The model that a scorer serves, as its file declares it. */
export type ModelSignature = {
  /** SHA-256 of the model file, hexadecimal. */
  hash: string;
  name: string;
  /** What its input columns are. */
  contract: FeatureContract;
  /** Of the contract. */
  featureHash: number;
  featureCount: number;
  /** One output column each. */
  components: readonly string[];
  /** A metric set without one of these is not scored. */
  requiredMetrics: readonly string[];
};

/**
 * Risks from features. Errors: `SCORER_SATURATED` (retryable), `SCORER_FAILED`,
 * `MODEL_HASH_MISMATCH`.
 */
export type Scorer = {
  signature(): ModelSignature;
  /**
   * `features` is rows × featureCount, row-major, and must not change until the answer is there;
   * gives rows × components.
   */
  score(modelHash: string, rows: number, features: Float32Array): Promise<Float32Array>;
  /**
   * Contribution of each feature to each component in log-odds: rows × components × features, and
   * the value that a usual host has for every feature.
   */
  explain(
    modelHash: string,
    rows: number,
    features: Float32Array,
  ): Promise<{contributions: Float32Array; usual: Float32Array}>;
  /** Waits for what is in flight, then ends the workers. */
  close(): Promise<void>;
};

/**
 * Where models are found by the hash of their file. Errors: `NOT_FOUND`, and those of a model that is
 * not to be trusted: `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`,
 * `SCORER_FAILED`.
 */
export type ModelSource = {open(hash: string): Promise<Scorer>};

/**
 * How odd hosts are, minute by minute, against what is usual among hosts of their kind; learned as
 * it goes, kept nowhere. Nobody waits for it. Errors: `SCORER_FAILED`; it then begins anew.
 */
export type Watch = {
  /** Rows of a host in the order of time; the answer may come after later ones were given. */
  observe(rows: MinuteRows): Promise<AnomalyReport>;
  close(): Promise<void>;
};

export type ColumnType = 'symbol' | 'text' | 'double' | 'long' | 'timestamp';

/** A table that the program creates. Rows with equal keys are one row. */
export type TableSchema = {
  name: string;
  version: number;
  columns: readonly {name: string; type: ColumnType}[];
  /** Timestamp column first; what makes a resend harmless. */
  keys: readonly string[];
};

export type StoreValue = string | number | null;
export type StoreRow = readonly StoreValue[];

export type StoreQuery = {
  table: string;
  /** Equality on columns. */
  where?: Readonly<Record<string, string | number>>;
  /** Inclusive. */
  fromMs?: number;
  /** Exclusive. */
  toMs?: number;
  order?: 'ascending' | 'descending';
  limit: number;
};

/** How far a sink has read a journal or telemetry partition. */
export type SinkOffset = {topic: Topic; partition: number; offset: number; epoch: number};

/**
 * Rows for people and analysis. A sink: it never stops a decision. Rows that its retention does not
 * keep go after a later write, the oldest first; offsets stay.
 * Errors: `STORE_WRITE_FAILED` (retryable unless `details.poison`), `STORE_SCHEMA_NEWER`.
 */
export type Store = {
  /** Creates the table, or migrates it to this version. Idempotent. */
  ensure(table: TableSchema): Promise<void>;
  /** Resolves when the rows and then the offsets are durable. Rows follow the schema's columns. */
  write(
    batches: readonly {table: string; rows: readonly StoreRow[]}[],
    offsets: readonly SinkOffset[],
  ): Promise<void>;
  readOffsets(): Promise<readonly SinkOffset[]>;
  /** Rows in time order, as objects by column name. Timestamps are milliseconds. */
  query(query: StoreQuery): Promise<readonly Readonly<Record<string, StoreValue>>[]>;
  count(table: string, where?: Readonly<Record<string, string | number>>): Promise<number>;
  close(): Promise<void>;
};

/** Who carries out an effect. */
export type AgentAddress = {agent: string; address: string};

/** The caller's fence: an agent refuses epochs lower than the highest it has seen. */
export type Fence = {partition: number; epoch: number};

/**
 * Carries effects to agents. `none` is the implementation for a core that only observes.
 * Errors: `STALE_EPOCH`, `AGENT_UNREACHABLE` (retryable), `EFFECT_UNSUPPORTED`.
 */
export type Actuator = {
  announce(agent: AgentAddress, fence: Fence): Promise<void>;
  /** Starts an effect; a repeated id is answered with what is known of it. */
  execute(effect: IssuedEffect, fence: Fence): Promise<EffectReport>;
  query(agent: AgentAddress, ids: readonly string[]): Promise<readonly EffectReport[]>;
  /** An id never seen is kept, durably, as `cancelled` with code `NEVER_BEGUN`: it never begins. */
  cancel(agent: AgentAddress, id: string, fence: Fence): Promise<EffectReport>;
  renewLease(agent: AgentAddress, fence: Fence, leaseMs: number): Promise<void>;
  close(): Promise<void>;
};

/** Acts on hosts: migrate, ghost, fence, restart, cordon. */
export type Hypervisor = Actuator;
/** Acts on traffic: shift-traffic. */
export type LoadBalancer = Actuator;

/** Domain records to bytes and back. Errors: `RECORD_MALFORMED`, `BATCH_MALFORMED`. */
export type Codec = {
  /** Equal ticks give equal bytes. */
  encodeTick(tick: Tick): Uint8Array;
  encodeJournal(record: JournalRecord): Uint8Array;
  decodeJournal(bytes: Uint8Array): JournalRecord;
  encodeTelemetry(record: {kind: 'batch'; batch: Batch} | {kind: 'gap'; gap: Gap}): Uint8Array;
  decodeTelemetry(bytes: Uint8Array): TelemetryRecord;
  encodeInbox(record: InboxRecord): Uint8Array;
  decodeInbox(bytes: Uint8Array): InboxRecord;
  encodeScores(record: ScoresRecord): Uint8Array;
  decodeScores(bytes: Uint8Array): ScoresRecord;
};
