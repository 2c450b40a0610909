/** Sequences cut into batches of equal size: windows that stand alone, or streams that go on. */
import type {Sequences} from './sequences.ts';

/** Refilled for the next one: copy what is to be kept. */
export type Batch = {
  /** steps · rows × inputs, all rows of the first step first. */
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  readonly weights: Float32Array;
  /** The row of the data that each target is of; −1: padding. */
  readonly sources: Int32Array;
  /** Rows of the batch whose state begins anew, where state goes on from batch to batch. */
  readonly fresh: Uint8Array;
};

export type Batching = {
  readonly data: Sequences;
  /** The data's features, normalised: rows × width. */
  readonly inputs: Float32Array;
  /** A row without features, as a window has before the first row of its sequence. */
  readonly missing: Float32Array;
  readonly steps: number;
  /** Rows of a batch. */
  readonly rows: number;
};

/** One batch has this many targets more than {@link Batching.rows} or as many. */
function emptyBatch({data, inputs, rows, steps}: Batching, targetRows: number): Batch {
  const width = inputs.length / data.weights.length;
  return {
    inputs: new Float32Array(steps * rows * width),
    targets: new Float32Array(targetRows * data.targetColumns),
    weights: new Float32Array(targetRows),
    sources: new Int32Array(targetRows),
    fresh: new Uint8Array(rows),
  };
}

/**
 * Batches of windows: `steps` rows that end with one of `ends`, whose target is learned. A window
 * that reaches beyond the start of its sequence begins with rows without features.
 */
export function* windowBatches(batching: Batching, ends: Uint32Array): Generator<Batch> {
  const {data, inputs, missing, steps, rows} = batching;
  const width = missing.length;
  const batch = emptyBatch(batching, rows);
  const firstRows = firstRowsOf(data);
  batch.fresh.fill(1);
  for (let from = 0; from < ends.length; from += rows) {
    batch.inputs.fill(0);
    for (let lane = 0; lane < rows; lane++) {
      const end = ends[from + lane];
      setTarget(batch, lane, data, end);
      if (end === undefined) continue;
      const first = firstRows[end] as number;
      for (let step = 0; step < steps; step++) {
        const row = end - steps + 1 + step;
        const values = row < first ? missing : inputs.subarray(row * width, (row + 1) * width);
        batch.inputs.set(values, (step * rows + lane) * width);
      }
    }
    yield batch;
  }
}

/**
 * Batches of streams: each lane reads its sequence `steps` rows at a time, batch after batch, then
 * takes the next of `order` and begins anew. Lanes without one are padding; so that few are, let
 * there be more sequences than lanes, of similar lengths.
 */
export function* streamBatches(batching: Batching, order: Uint32Array): Generator<Batch> {
  const {data, inputs, missing, steps, rows} = batching;
  const width = missing.length;
  const batch = emptyBatch(batching, steps * rows);
  const at = new Uint32Array(rows);
  const ends = new Uint32Array(rows);
  for (let taken = 0; ; ) {
    batch.inputs.fill(0);
    let working = 0;
    for (let lane = 0; lane < rows; lane++) {
      batch.fresh[lane] = 0;
      while (at[lane] === ends[lane] && taken < order.length) {
        const sequence = order[taken++] as number;
        at[lane] = data.starts[sequence] as number;
        ends[lane] = data.starts[sequence + 1] as number;
        batch.fresh[lane] = 1;
      }
      const from = at[lane] as number;
      const to = Math.min(from + steps, ends[lane] as number);
      if (to > from) working++;
      for (let step = 0; step < steps; step++) {
        const row = from + step < to ? from + step : undefined;
        const target = step * rows + lane;
        setTarget(batch, target, data, row);
        if (row === undefined) continue;
        batch.inputs.set(inputs.subarray(row * width, (row + 1) * width), target * width);
      }
      at[lane] = to;
    }
    if (working === 0) return;
    // A batch of context alone, without a target, would have no mean; it still moves the state.
    yield batch;
  }
}

function setTarget(batch: Batch, at: number, data: Sequences, row: number | undefined): void {
  const {targetColumns: columns, targets, weights} = data;
  batch.sources[at] = row ?? -1;
  batch.weights[at] = row === undefined ? 0 : (weights[row] as number);
  if (row === undefined) {
    batch.targets.fill(0, at * columns, (at + 1) * columns);
  } else {
    batch.targets.set(targets.subarray(row * columns, (row + 1) * columns), at * columns);
  }
}

/** The first row of the sequence that each row belongs to. */
function firstRowsOf({starts, weights}: Sequences): Uint32Array {
  const first = new Uint32Array(weights.length);
  for (const [sequence, start] of starts.entries()) first.fill(start, start, starts[sequence + 1]);
  return first;
}
