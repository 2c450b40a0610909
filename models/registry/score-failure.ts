import {featuresOf} from '../../core/domain/features.ts';
import type {FailureData} from '../failure/data.ts';
import {mapFeatures, raiseHorizons} from '../failure/scoring.ts';
import {openSession} from '../session.ts';
import type {JudgedRows} from './pairing.ts';
import {createStopwatch} from './stopwatch.ts';

/** What a model says of rows, and how long it took. */
export type Scored = {
  /** Rows × outputs. */
  readonly risks: Float32Array;
  /** 99 of 100 runs took no more CPU time. */
  readonly p99Ms: number;
};

const BATCH_ROWS = 256;
const DAY_SECONDS = 86_400;

/**
 * Scores rows in the ONNX runtime, as they are served. Features are found by name: what the data
 * lack is missing to the model.
 *
 * @param folder Of an entry; of the data's outputs it must have all.
 * @throws {ForestayError} Those of {@link openSession}.
 */
export async function scoreFailureRows(folder: string, data: FailureData): Promise<Scored> {
  const session = await openSession(folder);
  try {
    const {contract, components} = session.model.signature;
    const features = featuresOf(contract);
    const rows = mapFeatures(data, features);
    const columns = data.outputs.map(({name}) => components.indexOf(name));
    const risks = new Float32Array(data.rows * columns.length);
    const told = new Float32Array(BATCH_ROWS * components.length);
    const watch = createStopwatch();
    for (let from = 0; from < data.rows; from += BATCH_ROWS) {
      const count = Math.min(BATCH_ROWS, data.rows - from);
      const batch = rows.subarray(from * features.length, (from + count) * features.length);
      await watch.time(() =>
        session.run(count, batch, told.subarray(0, count * components.length)),
      );
      for (let row = 0; row < count; row++) {
        for (const [at, column] of columns.entries()) {
          risks[(from + row) * columns.length + at] = told[
            row * components.length + column
          ] as number;
        }
      }
    }
    return {risks: raiseHorizons(risks, data.outputs), p99Ms: watch.p99Ms()};
  } finally {
    await session.release();
  }
}

/** The rows as judges of two models; a block is a host's day. */
export function judgeFailureRows({rows, outputs, labels, group, second}: FailureData): JudgedRows {
  const ids = new Map<string, number>();
  const block = Int32Array.from({length: rows}, (_, row) => {
    const id = `${group[row]}/${Math.floor((second[row] as number) / DAY_SECONDS)}`;
    if (!ids.has(id)) ids.set(id, ids.size);
    return ids.get(id) as number;
  });
  return {rows, outputs: outputs.map(({name}) => name), labels, block};
}
