import {statSync} from 'node:fs';
import {join} from 'node:path';
import type {Cost} from '../registry/promotion.ts';
import {createStopwatch} from '../registry/stopwatch.ts';
import {openSession, type ScoringSession} from '../session.ts';
import type {Pause} from './judging.ts';

const ROUNDS = 3;
const RUNS = 8;
const ROWS_MAX = 256;

/**
 * What two models cost on the same rows, in the ONNX runtime and in CPU time of this thread. Their
 * runs take turns, and of three rounds the best one counts: what else the thread does, such as
 * collecting garbage, is not the model's. Some 24 runs of each, a millisecond or two, with a pause
 * after each; opening takes some 100 ms.
 *
 * @param folders Of two entries that read the same features.
 * @param rows Of `features`, rows × features; at most 256 are taken.
 * @throws {ForestayError} Those of `openSession`.
 */
export async function measureCosts(
  folders: readonly [champion: string, challenger: string],
  rows: number,
  features: Float32Array,
  pause: Pause,
): Promise<{champion: Cost; challenger: Cost}> {
  const count = Math.min(rows, ROWS_MAX);
  const part = features.subarray(0, (count * features.length) / rows);
  const opened: {session: ScoringSession; out: Float32Array; p99Ms: number}[] = [];
  try {
    for (const folder of folders) {
      const session = await openSession(folder);
      const out = new Float32Array(count * session.model.signature.components.length);
      opened.push({session, out, p99Ms: Number.POSITIVE_INFINITY});
    }
    for (let round = 0; round < ROUNDS; round++) {
      const timed = opened.map(each => ({each, watch: createStopwatch()}));
      for (let run = 0; run < RUNS; run++) {
        for (const {each, watch} of timed) {
          await watch.time(() => each.session.run(count, part, each.out));
          await pause();
        }
      }
      for (const {each, watch} of timed) each.p99Ms = Math.min(each.p99Ms, watch.p99Ms());
    }
    const costOf = (at: 0 | 1): Cost => ({
      bytes: statSync(join(folders[at], 'model.onnx')).size,
      p99Ms: opened[at]?.p99Ms ?? Number.NaN,
    });
    return {champion: costOf(0), challenger: costOf(1)};
  } finally {
    for (const {session} of opened) await session.release();
  }
}
