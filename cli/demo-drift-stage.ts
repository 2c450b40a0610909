/** What the drift scenario is played on: the fleet, its edges, a core with a registry, and a keeper. */
import {join} from 'node:path';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {createScoringPool} from '../core/adapters/scorer-piscina.ts';
import type {Core} from '../core/assembly.ts';
import {buildInfo} from '../core/build-info.ts';
import {partitionOfCell} from '../core/domain/hash.ts';
import {openKeeper} from '../core/keeping.ts';
import {modelsOfRegistry, openChampion} from '../core/model-source.ts';
import {createDatacenter, type Datacenter} from '../core/simulation/datacenter.ts';
import type {Keeper} from '../models/keeper/keeper-parts.ts';
import {openRegistry, type Registry} from '../models/registry/registry.ts';
import {START_MS} from './datacenter-agents.ts';
import {createVirtualClock, type VirtualClock} from './demo-clock.ts';
import {openDemoCore, serveDemoAgents} from './demo-core.ts';
import {createJournalDigest} from './demo-digest.ts';
import {type DemoControl, openControl} from './demo-drift-control.ts';
import {FormerModel} from './demo-drift-former.ts';
import {ForecastJudge} from './demo-drift-judge.ts';
import {DRIFT_SCENARIO} from './demo-drift-scenario.ts';
import {createDemoFleet, type DemoFleet} from './demo-fleet.ts';
import {Story} from './demo-story.ts';

export type DriftStage = {
  readonly datacenter: Datacenter;
  readonly clock: VirtualClock;
  readonly registry: Registry;
  readonly core: Core;
  readonly partitions: ReadonlySet<number>;
  readonly control: DemoControl;
  readonly fleet: DemoFleet;
  readonly keeper: Keeper;
  /**
   * Tells the keeper what came of a step once all partitions have taken it: what it then asks of the
   * core is in the next step of each of them, however fast it is.
   */
  tellKeeper(): void;
  /** What the keeper has said to people and nobody has taken yet. */
  readonly said: string[];
  readonly judge: ForecastJudge;
  readonly former: FormerModel;
  readonly story: Story;
  readonly digest: ReturnType<typeof createJournalDigest>;
  close(): Promise<void>;
};

export type StageOptions = {
  readonly seed: number;
  /** Folder of the model that serves at first. */
  readonly model: string;
};

export const FAMILY = 'component-failure';
export const ARRIVES_AT_MS = START_MS + DRIFT_SCENARIO.arrivesAfterMs;
const CHECKPOINT_MS = 60 * 60_000;
/** Nobody looks at charts afterwards: a few samples a host are stored. */
const STORE_EVERY = 30;

/** The fleet at the start of the scenario. */
export function buildFleet(seed: number): Datacenter {
  const {hosts, vms, arrivingHosts, durationMsMax} = DRIFT_SCENARIO;
  return createDatacenter({
    random: seededRandom(seed),
    startMs: START_MS,
    durationMs: durationMsMax,
    hosts,
    vms,
    generation: {arrivesAtMs: ARRIVES_AT_MS, hosts: arrivingHosts, isDrawn: true},
  });
}

/** @param folder Of the log, the store and the registry; whoever made it removes it. */
export async function openStage({seed, model}: StageOptions, folder: string): Promise<DriftStage> {
  const datacenter = buildFleet(seed);
  const clock = createVirtualClock(START_MS);
  const registry = await openModels(folder, model);
  const pool = createScoringPool({threads: 1});
  const models = modelsOfRegistry(registry, FAMILY, path => pool.open(path));
  const digest = createJournalDigest();
  const judge = new ForecastJudge(datacenter.hosts, DRIFT_SCENARIO.horizonMs);
  const story = new Story({
    tell: () => {},
    onAct: (host, atMs) => datacenter.ledger.act(host, atMs),
    onClear: host => datacenter.ledger.clear(host),
  });
  const said: string[] = [];
  const first = registry.aliases(FAMILY).aliases.champion ?? fail('nothing serves');
  const former = new FormerModel(await models.open(first));
  const untold: ((keeper: Keeper) => void)[] = [];
  const core = await openDemoCore({
    seed,
    folder,
    clock,
    stepMs: DRIFT_SCENARIO.stepMs,
    checkpointMs: CHECKPOINT_MS,
    sampleEvery: STORE_EVERY,
    learning: true,
    scoreEveryMs: DRIFT_SCENARIO.scoreEveryMs,
    watch: false,
    scorer: await openChampion(registry, FAMILY, path => pool.open(path), model, fail),
    models,
    onTick: (tick, {partition}) => {
      if (!partitions.has(partition)) return;
      digest.add(partition, tick);
      story.tick(tick);
    },
    onForecast: rows => {
      judge.take(rows);
      former.take(rows);
      untold.push(keeper => keeper.observe(rows));
    },
    onOutcome: outcome => untold.push(keeper => keeper.outcome(outcome)),
  });
  const partitions = new Set(datacenter.hosts.map(({cell}) => partitionOfCell(cell)));
  const control = openControl(core.grpcAddress);
  const keeper = openKeeper({
    family: FAMILY,
    mode: 'auto',
    registry,
    models,
    clock,
    files: nodeFiles,
    folder: join(folder, 'training'),
    switchModel: command => control.switchModel(command),
    tell: line => said.push(line),
    settings: DRIFT_SCENARIO.keeper,
    limits: DRIFT_SCENARIO.keeperLimits,
  });
  const service = await serveDemoAgents(datacenter, clock);
  const fleet = createDemoFleet(datacenter, core.grpcAddress, service.address);
  const parts = {datacenter, clock, registry, core, partitions, control, fleet, keeper};
  return {
    ...parts,
    ...{judge, former, story, digest, said},
    tellKeeper() {
      for (const tell of untold.splice(0)) tell(keeper);
    },
    async close() {
      await keeper.close();
      control.close();
      await fleet.close();
      await core.close();
      await service.close();
      await pool.close();
    },
  };
}

function fail(message: string): never {
  throw new Error(message);
}

/** A registry with the model that serves at first. */
async function openModels(folder: string, model: string): Promise<Registry> {
  const registry = openRegistry(join(folder, 'models'), nodeFiles);
  await registry.importArtefact(model, {
    author: {who: 'demo', why: 'It is shipped.', atMs: START_MS},
    codeVersion: buildInfo().version,
  });
  return registry;
}
