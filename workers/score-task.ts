import type {ErrorCode} from '../core/domain/errors.ts';
import type {ModelSignature} from '../core/ports.ts';

/** What the scoring threads share with the one that feeds them. */
export type ScoreWorkerData = {
  readonly modelPath: string;
  readonly rowsPerTask: number;
  readonly shape: ModelShape;
  /** Rows in and risks out, one slot a task in flight. */
  readonly slots: SharedArrayBuffer;
  /** One number: how many threads have finished starting, well or not. */
  readonly started: SharedArrayBuffer;
};

export type ScoreTask = {
  readonly kind: 'describe' | 'score' | 'explain';
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

export type ModelDescription = {readonly signature: ModelSignature; readonly usual: Float32Array};

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Columns in and out. */
export type ModelShape = {readonly features: number; readonly components: number};

/** Bytes of one slot: rows of features, then rows of risks. */
export function slotBytes({features, components}: ModelShape, rowsPerTask: number): number {
  return rowsPerTask * (features + components) * FLOAT_BYTES;
}

/** The features of a slot: rows × features. */
export function slotFeatures(
  {slots, shape, rowsPerTask}: ScoreWorkerData,
  slot: number,
  rows: number,
): Float32Array<SharedArrayBuffer> {
  return new Float32Array(slots, slot * slotBytes(shape, rowsPerTask), rows * shape.features);
}

/** The risks of a slot: rows × components. */
export function slotRisks(
  {slots, shape, rowsPerTask}: ScoreWorkerData,
  slot: number,
  rows: number,
): Float32Array<SharedArrayBuffer> {
  const start = slot * slotBytes(shape, rowsPerTask) + rowsPerTask * shape.features * FLOAT_BYTES;
  return new Float32Array(slots, start, rows * shape.components);
}
