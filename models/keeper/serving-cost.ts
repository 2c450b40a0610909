import {statSync} from 'node:fs';
import {join} from 'node:path';
import type {Cost} from '../registry/promotion.ts';
import {openSession, type ScoringSession} from '../session.ts';
import type {Pause} from './judging.ts';

const RUNS = 24;
const ROWS_MAX = 256;
/** What takes less cannot be measured well beside a core that serves, and nobody minds it. */
const TOLD_LEAST_MS = 1;

/**
 * What two models cost on the same rows, in the ONNX runtime and in CPU time of this thread. Their
 * runs take turns, and the best of each counts, not the 99th of 100: a thread that serves does other
 * things between the start of a run and its end, and they are not the model's. A time below a
 * millisecond is told as one. About 24 runs of each, a millisecond or two, with a pause after each;
 * opening takes some 100 ms.
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
  const opened: {session: ScoringSession; risks: Float32Array; bestMs: number}[] = [];
  try {
    for (const folder of folders) {
      const session = await openSession(folder);
      const risks = new Float32Array(count * session.model.signature.components.length);
      opened.push({session, risks, bestMs: Number.POSITIVE_INFINITY});
    }
    for (let run = 0; run < RUNS; run++) {
      for (const each of opened) {
        const began = process.threadCpuUsage();
        await each.session.run(count, part, each.risks);
        const {user, system} = process.threadCpuUsage(began);
        each.bestMs = Math.min(each.bestMs, (user + system) / 1000);
        await pause();
      }
    }
    const costOf = (at: 0 | 1): Cost => ({
      bytes: statSync(join(folders[at], 'model.onnx')).size,
      p99Ms: Math.max(opened[at]?.bestMs ?? Number.NaN, TOLD_LEAST_MS),
    });
    return {champion: costOf(0), challenger: costOf(1)};
  } finally {
    for (const {session} of opened) await session.release();
  }
}
