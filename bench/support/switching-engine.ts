/** An engine with a registry of two models, and a fleet that sends while they are switched. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {createNoActuator} from '../../core/adapters/hypervisor-none.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {createScoringPool} from '../../core/adapters/scorer-piscina.ts';
import {tuneCollector} from '../../core/collector.ts';
import {PARTITIONS} from '../../core/domain/hash.ts';
import {DEFAULT_POLICY} from '../../core/domain/policy.ts';
import type {InboxRecord} from '../../core/domain/records.ts';
import {type Engine, startEngine} from '../../core/engine/engine.ts';
import {ServedModels} from '../../core/engine/served-models.ts';
import {modelsOfRegistry} from '../../core/model-source.ts';
import type {Log} from '../../core/ports.ts';
import {submit} from '../../core/submit.ts';
import {openRegistry} from '../../models/registry/registry.ts';
import {codec} from '../../proto/codec.ts';
import {type BigFleet, createBigFleet} from './big-fleet.ts';
import {createRecordedScores, type RecordedScores} from './recorded-scores.ts';

const ARTEFACTS = join(import.meta.dirname, '../../models/artefacts');
const FAMILY = 'component-failure';
const TICK_MS = 250;
/** A second's batches leave in so many parts, as they do from edges that began at random. */
const PARTS = 10;

export type SwitchingEngine = {
  /** The champion, and the one that takes its place. */
  readonly hashes: readonly [string, string];
  readonly recorded: RecordedScores;
  readonly log: Log;
  folderOf(hash: string): string;
  /** Asks every partition to score by a model. */
  ask(hash: string): Promise<void>;
  /** Whether every partition does. */
  serves(hash: string): boolean;
  close(): Promise<void>;
};

export type SwitchingOptions = {
  readonly hosts: number;
  readonly perSecond: number;
  readonly threads: number;
};

export async function openSwitchingEngine(options: SwitchingOptions): Promise<SwitchingEngine> {
  tuneCollector();
  const directory = mkdtempSync(join(tmpdir(), 'forestay-bench-'));
  const registry = openRegistry(directory, nodeFiles);
  const author = {who: 'bench', why: 'a switch', atMs: Date.now()};
  const add = async (folder: string) =>
    (await registry.importArtefact(join(ARTEFACTS, folder), {author, codeVersion: 'bench'})).hash;
  const hashes = [await add('component-failure-1'), await add('component-failure')] as const;
  const pool = createScoringPool({threads: options.threads});
  const recorded = createRecordedScores();
  const open = async (path: string) => recorded.watch(await pool.open(path));
  const scorer = await open(registry.folderOf(hashes[0]));
  const models = new ServedModels(scorer, modelsOfRegistry(registry, FAMILY, open));
  const log = createMemoryLog();
  const engine = await startEngine({
    log,
    codec,
    clock: systemClock,
    random: seededRandom(1),
    scorer,
    models,
    actuators: {hypervisor: createNoActuator(), balancer: createNoActuator()},
    // What cells learn moves risks beyond what any model gives.
    policy: {...DEFAULT_POLICY, learning: {enabled: false}},
    owner: {owner: 'bench', address: ''},
    scoring: {intervalMs: 0, waitMs: 100},
    checkpointMs: 60_000,
    tickBytesMax: 4 << 20,
    time: 'clock',
    tickMs: TICK_MS,
    pollMs: 2 * TICK_MS,
    onTick: tick => recorded.tick(tick),
    onProblem: (partition, problem) => {
      throw new Error(`partition ${partition}: ${problem}`);
    },
  });
  engine.run();
  const fleet = createBigFleet({
    cells: PARTITIONS.length,
    hostsPerCell: Math.ceil(options.hosts / PARTITIONS.length),
    vmsPerHost: 0,
  });
  const sender = send(log, fleet, options.perSecond);
  let requests = 0;
  return {
    hashes,
    recorded,
    log,
    folderOf: registry.folderOf,
    ask: hash => askAll(log, hash, requests++),
    serves: hash => servesAll(engine, hash),
    async close() {
      clearInterval(sender);
      await engine.stop();
      await models.close();
      await scorer.close();
      await pool.close();
      await log.close();
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

function send(log: Log, fleet: BigFleet, perSecond: number): NodeJS.Timeout {
  let turn = 0;
  return setInterval(
    () => {
      const part = turn++ % PARTS;
      const nowMs = Date.now();
      for (const [index, cell] of fleet.cells.entries()) {
        if (index % PARTS !== part) continue;
        const bytes = codec.encodeTelemetry({kind: 'batch', batch: fleet.batch(cell, nowMs)});
        void log.append('telemetry', cell.partition, [bytes]);
      }
    },
    1000 / perSecond / PARTS,
  );
}

async function askAll(log: Log, modelHash: string, request: number): Promise<void> {
  const command: InboxRecord = {
    requestId: `bench-${request}`,
    atMs: Date.now(),
    author: 'bench',
    kind: 'switch-model',
    modelHash,
    percent: 100,
    comment: '',
  };
  await submit({log, codec}, command);
}

function servesAll(engine: Engine, hash: string): boolean {
  return engine.runtimes().every(({state}) => state.model.hash === hash);
}
