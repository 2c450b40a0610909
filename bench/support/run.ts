/** One run of a load against a core: two processes, a warm-up, a window, two reports. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {watchSteal} from '../machine.ts';
import {startChild} from './children.ts';
import type {CoreOptions, CoreRequest} from './core-process.ts';
import type {GeneratorReport, GeneratorRequest} from './generator.ts';
import type {Load} from './load.ts';
import type {CoreReport} from './probes.ts';

export type RunOptions = {
  load: Load;
  log: {kind: 'segments'} | {kind: 'kafka'; brokers: readonly string[]};
  warmUpMs: number;
  windowMs: number;
  tickMs: number;
  intervalMs: number;
  sampleEvery: number;
  /** What is planted, for the bench to find. */
  plant?: {senderStallMs?: number; serverStallMs?: number};
  /** For Node of the core: `--cpu-prof`, a heap limit. */
  execArgv?: readonly string[];
};

export type RunReport = {core: CoreReport; generator: GeneratorReport; steal: number};

/** Between the end of the window and the reports: what was sent in it may still be decided. */
const SETTLE_MS = 1000;

let runs = 0;

export async function runLoad(options: RunOptions): Promise<RunReport> {
  const directory = await mkdtemp(join(tmpdir(), 'forestay-bench-'));
  const core = startChild(new URL('./core-process.ts', import.meta.url), [], options.execArgv);
  const generator = startChild(new URL('./generator.ts', import.meta.url));
  const tell = (request: CoreRequest) => core.ask(request);
  const order = <Answer>(request: GeneratorRequest) => generator.ask<Answer>(request, 300_000);
  try {
    const address = await core.ask<string>({
      kind: 'open',
      options: coreOptions(options, directory),
    });
    await order({kind: 'connect', address, load: options.load});
    const {warmUpMs, windowMs, plant} = options;
    await order({kind: 'start', warmUpMs, windowMs, stallMs: plant?.senderStallMs ?? 0});
    await tell({kind: 'begin'});
    if (plant?.serverStallMs !== undefined) {
      await tell({kind: 'stall', afterMs: windowMs / 2, stallMs: plant.serverStallMs});
    }
    const steal = watchSteal();
    await sleep(windowMs);
    const coreReport = await core.ask<CoreReport>({kind: 'end'});
    const stolen = steal();
    await sleep(SETTLE_MS);
    const generatorReport = await order<GeneratorReport>({kind: 'finish'});
    return {core: coreReport, generator: generatorReport, steal: stolen};
  } finally {
    await generator.stop();
    await core.ask({kind: 'close'}, 20_000).catch(() => {});
    await core.stop();
    await rm(directory, {recursive: true, force: true});
  }
}

function coreOptions(options: RunOptions, directory: string): CoreOptions {
  const {tickMs, intervalMs, sampleEvery, log} = options;
  return {
    tickMs,
    intervalMs,
    sampleEvery,
    log:
      log.kind === 'segments'
        ? {kind: 'segments', directory: join(directory, 'log')}
        : {...log, topicPrefix: `bench-${process.pid}-${++runs}`},
  };
}
