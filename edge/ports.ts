/**
 * The seams of an edge. Each type is the part of its namesake in core/ports.ts that an edge needs,
 * so that one implementation serves both; the edge itself depends on nothing of the core.
 */
import type {TelemetryRecord} from '../core/domain/telemetry.ts';

export type Clock = {
  /** Milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Milliseconds on a scale that never goes back; only differences mean anything. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export type Random = {
  /** Uniform in [0, 1). */
  next(): number;
};

export type Files = {
  makeDirectory(path: string): void;
  /** Names of what is in the folder, sorted. */
  list(path: string): string[];
  exists(path: string): boolean;
  size(path: string): number;
  read(path: string): Uint8Array;
  /** Replaces the file atomically and durably. */
  replace(path: string, bytes: Uint8Array): void;
  remove(path: string): void;
  truncate(path: string, length: number): void;
  openAppend(path: string): AppendFile;
};

export type AppendFile = {
  /** Writes all the bytes, in order; not durable before a sync. */
  write(chunks: readonly Uint8Array[]): void;
  sync(): Promise<void>;
  syncNow(): void;
  close(): void;
};

export type TelemetryCodec = {
  encodeTelemetry(record: TelemetryRecord): Uint8Array;
};

/**
 * One stream to the core. It carries records as the spool keeps them, encoded once. `send` gives
 * false when the other side is behind (the record is taken all the same): wait for `writable`.
 */
export type Link = {
  send(bytes: Uint8Array): boolean;
  close(): void;
};

/** May be called at any time after the dial has returned, never during it. */
export type LinkEvents = {
  acked(incarnation: number, seq: number): void;
  refused(refusal: {incarnation: number; seq: number; code: string; message: string}): void;
  throttled(intervalMs: number): void;
  writable(): void;
  /** The stream is over; `error` says why, if it was not asked for. */
  closed(error: Error | undefined): void;
};

/** Opens a stream for an edge and says hello. */
export type Dial = (
  hello: {edge: string; cell: string; incarnation: number},
  events: LinkEvents,
) => Link;

/** Takes one line for people. */
export type Note = (line: string) => void;
