/** Whether the bench sees what goes wrong: stalls are planted in it, and it must find them. */
import {resultOf} from './result.ts';
import type {Load} from './support/load.ts';
import {type RunOptions, type RunReport, runLoad} from './support/run.ts';
import type {BenchResult, BenchVerb} from './verb.ts';

const STALL_MS = 500;
/** A stall that is seen shorter than this share of itself was not seen. */
const SEEN_SHARE = 0.8;

const LOAD: Load = {
  edges: 4,
  cells: 4,
  hostsPerEdge: 16,
  vmsPerHost: 0,
  rounds: 1,
  hostSet: 'eight',
  samplesPerSecond: 3200,
  pack: false,
  herd: false,
};

const RUN: RunOptions = {
  load: LOAD,
  log: {kind: 'segments'},
  warmUpMs: 1500,
  windowMs: 4000,
  tickMs: 250,
  intervalMs: 0,
  sampleEvery: 60,
};

export const self: BenchVerb = {
  name: 'self',
  summary: 'plant a stall in the sender and one in the core, and find both',
  options: [],
  run: measureSelf,
};

async function measureSelf(): Promise<BenchResult> {
  const quiet = await runLoad(RUN);
  const sender = await runLoad({...RUN, senderStallMs: STALL_MS});
  const server = await runLoad({...RUN, serverStallMs: STALL_MS});
  const found = {
    'self.sender.foundMs': sender.generator.senderLagMs.max,
    'self.server.foundMs': server.generator.ackMs.max,
  };
  return resultOf({
    metrics: {
      'self.plantedMs': STALL_MS,
      ...found,
      'self.quiet.senderLagMs': quiet.generator.senderLagMs.max,
      'self.quiet.ackMs': quiet.generator.ackMs.max,
      'self.server.senderLagMs': server.generator.senderLagMs.max,
      'self.server.loopDelayMs': server.core.loopDelayP99Ms,
    },
    failures: [...missed(found), ...problemsOf([quiet, sender, server])],
    notes: [
      'a stall of the sender shows as its own lag, one of the core as late acks of punctual messages',
    ],
  });
}

function missed(found: Readonly<Record<string, number>>): string[] {
  return Object.entries(found)
    .filter(([, ms]) => ms < SEEN_SHARE * STALL_MS)
    .map(([name, ms]) => `${name} is ${ms.toFixed(0)}: a stall of ${STALL_MS} ms was not found`);
}

const problemsOf = (reports: readonly RunReport[]): string[] =>
  reports.flatMap(({core, generator}) => [...core.problems, ...generator.refusals]);
