/** One run of a load against a server: two processes, a warm-up, a window, two reports. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {watchSteal} from '../machine.ts';
import {type Child, startChild} from './children.ts';
import type {CoreOptions, CoreRequest} from './core-process.ts';
import type {GeneratorReport, GeneratorRequest} from './generator.ts';
import type {IngestReport, IngestServerRequest} from './ingest-process.ts';
import type {Load} from './load.ts';
import type {CoreReport} from './probes.ts';

export type Window = {load: Load; warmUpMs: number; windowMs: number; senderStallMs?: number};

export type RunOptions = Window & {
  log: {kind: 'segments'} | {kind: 'kafka'; brokers: readonly string[]};
  tickMs: number;
  intervalMs: number;
  sampleEvery: number;
  /** Planted in the middle of the window, for the bench to find. */
  serverStallMs?: number;
  /** For Node of the core: a heap limit, a profile. */
  execArgv?: readonly string[];
};

export type Measured<Report> = {server: Report; generator: GeneratorReport; steal: number};
export type RunReport = {core: CoreReport; generator: GeneratorReport; steal: number};

/** Between the end of the window and the reports: what was sent in it may still be acked. */
const SETTLE_MS = 1000;
const CONNECT_MS_MAX = 300_000;

let runs = 0;

/** Loads a whole core. */
export async function runLoad(options: RunOptions): Promise<RunReport> {
  const directory = await mkdtemp(join(tmpdir(), 'forestay-bench-'));
  const core = startChild(new URL('./core-process.ts', import.meta.url), [], options.execArgv);
  const tell = (request: CoreRequest) => core.ask<never>(request);
  try {
    const address: string = await tell({kind: 'open', options: coreOptions(options, directory)});
    const begin = async () => {
      await tell({kind: 'begin'});
      const {serverStallMs: stallMs = 0, windowMs} = options;
      if (stallMs > 0) await tell({kind: 'stall', afterMs: windowMs / 2, stallMs});
    };
    const end = (): Promise<CoreReport> => tell({kind: 'end'});
    const {server, ...rest} = await measure(options, {address, begin, end});
    return {core: server, ...rest};
  } finally {
    await core.ask({kind: 'close'}, 20_000).catch(() => {});
    await core.stop();
    await rm(directory, {recursive: true, force: true});
  }
}

/** Loads the way in alone: what is acked is not kept. */
export async function runIngest(window: Window): Promise<Measured<IngestReport>> {
  const child = startChild(new URL('./ingest-process.ts', import.meta.url));
  const tell = (kind: IngestServerRequest['kind']) => child.ask<never>({kind});
  try {
    const address: string = await tell('open');
    const begin = (): Promise<void> => tell('begin');
    return await measure(window, {address, begin, end: () => tell('end')});
  } finally {
    await child.stop();
  }
}

/** A generator that has connected all its edges. */
export async function startGenerator(address: string, load: Load): Promise<Child> {
  const generator = startChild(new URL('./generator.ts', import.meta.url));
  const request: GeneratorRequest = {kind: 'connect', address, load};
  try {
    await generator.ask(request, CONNECT_MS_MAX);
    return generator;
  } catch (error) {
    await generator.stop();
    throw error;
  }
}

async function measure<Report>(
  {load, warmUpMs, windowMs, senderStallMs = 0}: Window,
  server: {address: string; begin(): Promise<void>; end(): Promise<Report>},
): Promise<Measured<Report>> {
  const generator = await startGenerator(server.address, load);
  const order = (request: GeneratorRequest) => generator.ask<never>(request);
  try {
    await order({kind: 'start', warmUpMs, windowMs, stallMs: senderStallMs});
    await server.begin();
    const steal = watchSteal();
    await sleep(windowMs);
    const report = await server.end();
    const stolen = steal();
    await sleep(SETTLE_MS);
    return {server: report, generator: await order({kind: 'finish'}), steal: stolen};
  } finally {
    await generator.stop();
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
