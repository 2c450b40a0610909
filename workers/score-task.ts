import type {ErrorCode} from '../core/domain/errors.ts';

/** What the scoring threads share with the one that feeds them. */
export type ScoreWorkerData = {
  /** Name of the BroadcastChannel on which {@link ThreadMessage}s travel. */
  readonly channel: string;
  /** Rows in and risks out, one slot a task in flight. */
  readonly slots: SharedArrayBuffer;
  readonly slotBytes: number;
};

/** A model as threads know it; its file must not change while it is served. */
export type ServedModel = {
  /** SHA-256 of the file. */
  readonly hash: string;
  readonly path: string;
  /** Columns in and out. */
  readonly features: number;
  readonly components: number;
};

export type ScoreTask = {
  readonly kind: 'score' | 'explain';
  readonly model: ServedModel;
  readonly slot: number;
  readonly rows: number;
};

/** An error's own fields do not survive the way between threads, so they travel as data. */
export type ScoreReply<Value> =
  | {readonly ok: true; readonly value: Value}
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, string | number | boolean>>;
      readonly cause: string;
    };

/** To a thread: open or release a model; from it: that it listens, and how an opening went. */
export type ThreadMessage =
  | {readonly kind: 'ready'; readonly thread: number}
  | {readonly kind: 'open'; readonly thread: number; readonly model: ServedModel}
  | {
      readonly kind: 'opened';
      readonly thread: number;
      readonly hash: string;
      readonly reply: ScoreReply<undefined>;
    }
  | {readonly kind: 'release'; readonly hash: string};

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Bytes of so many rows of features, and their risks. */
export function rowBytes({features, components}: ServedModel, rows: number): number {
  return rows * (features + components) * FLOAT_BYTES;
}

/** The features of a slot: rows × features. */
export function slotFeatures(
  {slots, slotBytes}: ScoreWorkerData,
  {model, slot, rows}: ScoreTask,
): Float32Array<SharedArrayBuffer> {
  return new Float32Array(slots, slot * slotBytes, rows * model.features);
}

/** The risks of a slot: rows × components, behind its features. */
export function slotRisks(
  {slots, slotBytes}: ScoreWorkerData,
  {model, slot, rows}: ScoreTask,
): Float32Array<SharedArrayBuffer> {
  const start = slot * slotBytes + rows * model.features * FLOAT_BYTES;
  return new Float32Array(slots, start, rows * model.components);
}
