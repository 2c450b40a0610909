/**
 * A core as it is shipped, in a process of its own, with the job's model, bands and cadence. Nothing
 * is stored: the peers store nothing either.
 */

import {createPiscinaScorer} from '../../core/adapters/scorer-piscina.ts';
import {createMemoryStore} from '../../core/adapters/store-memory.ts';
import type {Core} from '../../core/assembly.ts';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import {listen} from '../../core/events.ts';
import {codec} from '../../proto/codec.ts';
import {openBenchCore} from '../support/bench-core.ts';
import {type BenchLog, openBenchLog} from '../support/bench-log.ts';
import {serveParent} from '../support/children.ts';
import {BANDS, STRIDE} from './job.ts';

export type CoreRequest =
  | {kind: 'open'; log: BenchLog; modelPath: string; tickMs: number; rowsPerTask: number}
  | {kind: 'progress'}
  | {kind: 'close'};

/** What the core has done so far, and the CPU time of its process with all threads. */
export type Progress = {
  samples: number;
  scores: number;
  cpuMicros: number;
  rssBytes: number;
  problems: readonly string[];
};

let core: Core | undefined;
let samples = 0;
let scores = 0;
const problems: string[] = [];
listen('samples.taken', ({count}) => {
  samples += count;
});
listen('scores.taken', ({rows}) => {
  scores += rows;
});
listen('scores.failed', ({code}) => problems.push(`scoring failed: ${code}`));
listen('samples.late', ({count}) => problems.push(`${count} samples were late`));
listen('batch.refused', ({code}) => problems.push(`a batch was refused: ${code}`));

async function open({log, modelPath, tickMs, rowsPerTask}: CoreRequest & {kind: 'open'}) {
  core = await openBenchCore(
    {
      log: await openBenchLog(log),
      codec,
      scorer: await createPiscinaScorer({modelPath, threads: 1, rowsPerTask}),
      store: createMemoryStore(),
    },
    {
      policy: {...DEFAULT_POLICY, band: BANDS},
      tickMs,
      checkpointMs: 3_600_000_000,
      scoring: {intervalMs: 0, everySamples: STRIDE, waitMs: 100},
      record: false,
      time: 'data',
      onProblem: problem => problems.push(problem),
    },
  );
  return core.grpcAddress;
}

function progress(): Progress {
  const {user, system} = process.cpuUsage();
  const rssBytes = process.memoryUsage.rss();
  return {samples, scores, cpuMicros: user + system, rssBytes, problems: problems.slice(0, 5)};
}

if (process.send !== undefined) {
  serveParent(async (request: CoreRequest) => {
    switch (request.kind) {
      case 'open':
        return open(request);
      case 'progress':
        return progress();
      case 'close':
        return core?.close();
    }
  });
}
