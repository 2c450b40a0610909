/**
 * A core as it is shipped, in a process of its own, with probes at its ports: the stages of the
 * prediction path are measured where they meet, and from the engine's own events.
 */
import {join} from 'node:path';
import {createScoringPool, type ScoringPool} from '../../core/adapters/scorer-piscina.ts';
import {createWatchThread} from '../../core/adapters/watch-thread.ts';
import type {Core} from '../../core/assembly.ts';
import {DEFAULT_CONFIG} from '../../core/config-schema.ts';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import type {Store} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {openBenchCore} from './bench-core.ts';
import {type BenchLog, openBenchLog} from './bench-log.ts';
import {serveParent} from './children.ts';
import {createProbes} from './probes.ts';

export type CoreOptions = {
  log: BenchLog;
  tickMs: number;
  /** A host is scored at most this often; 0: at every new sample. */
  intervalMs: number;
  checkpointMs?: number;
  /** The store gets every n-th batch of an edge. */
  sampleEvery: number;
};

export type CoreRequest =
  | {kind: 'open'; options: CoreOptions}
  /** The window begins: what was counted before does not. */
  | {kind: 'begin'}
  | {kind: 'end'}
  /** Blocks the event loop for this long, soon: a planted stall. */
  | {kind: 'stall'; afterMs: number; stallMs: number}
  | {kind: 'recovery'}
  | {kind: 'close'};

const MODELS = '../../models/artefacts';
const probes = createProbes();
let core: Core | undefined;
let pool: ScoringPool | undefined;

async function open(options: CoreOptions): Promise<string> {
  const {log, tickMs, intervalMs, sampleEvery, checkpointMs = 60_000} = options;
  const models = createScoringPool({threads: 1});
  pool = models;
  const model = (name: string) => models.open(join(import.meta.dirname, MODELS, name));
  core = await openBenchCore(
    {
      log: probes.log(await openBenchLog(log)),
      codec: probes.codec(codec),
      scorer: await model('component-failure'),
      outlook: await model('component-outlook'),
      watch: createWatchThread(DEFAULT_CONFIG.anomaly),
      store: nowhere,
    },
    {
      policy: DEFAULT_POLICY,
      tickMs,
      checkpointMs,
      scoring: {intervalMs, waitMs: 100},
      sampleEvery,
      time: 'clock',
      onProblem: problem => probes.problem(problem),
    },
  );
  return core.grpcAddress;
}

/** Takes rows and keeps nothing: what a database does is not measured here. */
const nowhere: Store = {
  ensure: async () => {},
  write: async () => {},
  readOffsets: async () => [],
  query: async () => [],
  count: async () => 0,
  close: async () => {},
};

function stall(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

serveParent(async (request: CoreRequest) => {
  switch (request.kind) {
    case 'open':
      return open(request.options);
    case 'begin':
      return probes.begin();
    case 'end':
      return probes.end();
    case 'stall':
      setTimeout(stall, request.afterMs, request.stallMs);
      return undefined;
    case 'recovery':
      return probes.recovery();
    case 'close':
      await core?.close();
      return pool?.close();
  }
});
