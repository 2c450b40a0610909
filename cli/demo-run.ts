/**
 * Conducts one run: virtual time moves a second, the world goes on, edges sample, the core ticks;
 * time stands still while anything is in flight. So equal seeds give equal journals, however fast
 * or busy the machine is.
 */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {systemClock} from '../core/adapters/clock-system.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {partitionOfCell} from '../core/domain/hash.ts';
import {listen} from '../core/events.ts';
import type {Scorer} from '../core/ports.ts';
import {
  createDatacenter,
  type Datacenter,
  type DatacenterOptions,
} from '../core/simulation/datacenter.ts';
import type {LedgerDetails, LedgerSummary} from '../core/simulation/ledger.ts';
import {CONFIRM_AFTER_MS, runReactive} from '../core/simulation/reactive.ts';
import {type IntentThread, openIntentThread} from '../edge/intent-thread.ts';
import {START_MS} from './datacenter-agents.ts';
import {createVirtualClock} from './demo-clock.ts';
import {openDemoCore, serveDemoAgents, stepAll} from './demo-core.ts';
import {createJournalDigest} from './demo-digest.ts';
import {createDemoFleet} from './demo-fleet.ts';
import {type Acts, Story, type StoryLine} from './demo-story.ts';
import {joinThisMachine} from './demo-this-machine.ts';
import {createPace} from './pace.ts';

export type DemoOptions = {
  seed: number;
  hosts: number;
  vms: number;
  durationMs: number;
  /** Virtual seconds a second; Infinity: as fast as it goes. */
  speed: number;
  faults: DatacenterOptions['faults'];
  /** Whether people reboot hosts on purpose; absent: nobody does. */
  intents?: DatacenterOptions['intents'];
  openScorer: () => Promise<Scorer>;
  /** Folder of the reboot-intent model that the hosts' edges share; undefined: none. */
  intentModel?: string | undefined;
  /** False: cells do not move risks by what they have learned of their own hosts. */
  learning?: boolean;
  /** Whether the machine it runs on takes part, observed only. */
  thisMachine: boolean;
  tell: (line: StoryLine) => void;
  /** Told when the core serves. */
  onServing?: (core: {grpcAddress: string; httpAddress: string}) => void;
  signal?: AbortSignal;
  /** Told when the run is over or interrupted, and awaited: the core still serves. */
  onOver?: (outcome: DemoOutcome) => Promise<void>;
};

export type DemoResult = {
  seed: number;
  journalSha256: string;
  acts: Acts;
  forestay: LedgerSummary;
  reactive: LedgerSummary;
};

export type DemoOutcome = DemoResult & {
  details: LedgerDetails;
  ticks: number;
  /** Virtual time that was reached; less than asked for when it was interrupted. */
  untilMs: number;
  /** What became of the machine it ran on; undefined if it took no part. */
  thisMachine: {host: string; risk: number} | undefined;
  wallSeconds: number;
};

const SECOND_MS = 1000;
/** Enough of the samples for charts; a run of an hour would store 700,000 otherwise. */
const STORE_EVERY = 10;
const CHECKPOINT_MS = 10 * 60_000;

export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  const startedMs = systemClock.monotonicMs();
  const folder = await mkdtemp(join(tmpdir(), 'forestay-demo-'));
  try {
    return await conduct(options, folder, async run => {
      const reactive = runReactive(buildDatacenter(options), {
        untilMs: run.untilMs,
        confirmAfterMs: CONFIRM_AFTER_MS,
      });
      const wallSeconds = (systemClock.monotonicMs() - startedMs) / 1000;
      const outcome = {...run, reactive, wallSeconds};
      await options.onOver?.(outcome);
      return outcome;
    });
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

function buildDatacenter(options: DemoOptions): Datacenter {
  const {seed, hosts, vms, durationMs, faults, intents = 'none'} = options;
  return createDatacenter({
    random: seededRandom(seed),
    startMs: START_MS,
    durationMs,
    hosts,
    vms,
    intents,
    ...(faults === undefined ? {} : {faults}),
  });
}

/** `conclude` is awaited while the core still serves. */
async function conduct(
  options: DemoOptions,
  folder: string,
  conclude: (run: Omit<DemoOutcome, 'reactive' | 'wallSeconds'>) => Promise<DemoOutcome>,
): Promise<DemoOutcome> {
  const datacenter = buildDatacenter(options);
  const clock = createVirtualClock(START_MS);
  const digest = createJournalDigest();
  const cells = new Set(datacenter.hosts.map(host => host.cell));
  const simulated = new Set([...cells].map(partitionOfCell));
  let ticks = 0;
  const story = tellStory(options, datacenter);
  const unlisten = listen('effect.finished', ({vm, figures}) => story.finished(vm, figures));
  const core = await openDemoCore({
    seed: options.seed,
    folder,
    clock,
    stepMs: SECOND_MS,
    checkpointMs: CHECKPOINT_MS,
    sampleEvery: STORE_EVERY,
    scorer: await options.openScorer(),
    learning: options.learning ?? true,
    onTick: (tick, {partition}) => {
      if (!simulated.has(partition)) return;
      ticks++;
      digest.add(partition, tick);
      story.tick(tick);
    },
    onScores: (partition, scores) => {
      if (simulated.has(partition)) story.scores(scores);
    },
  });
  options.onServing?.(core);
  const service = await serveDemoAgents(datacenter, clock);
  const intent = await openIntent(options);
  const fleet = createDemoFleet(datacenter, core.grpcAddress, service.address, intent);
  const thisMachine = options.thisMachine
    ? await joinThisMachine({core: core.grpcAddress, folder, avoid: simulated})
    : undefined;
  try {
    const pace = createPace(SECOND_MS, options.speed);
    for (
      let nowMs = START_MS + SECOND_MS;
      nowMs <= START_MS + options.durationMs;
      nowMs += SECOND_MS
    ) {
      if (options.signal?.aborted) break;
      clock.moveTo(nowMs);
      datacenter.step(nowMs);
      await fleet.sample(nowMs);
      await stepAll(core, {simulated, live: thisMachine?.partition}, nowMs);
      await pace();
    }
    const {ledger, nowMs} = datacenter;
    return await conclude({
      seed: options.seed,
      journalSha256: digest.hex(),
      acts: story.acts,
      forestay: ledger.summary(nowMs),
      details: ledger.details(nowMs),
      ticks,
      untilMs: nowMs,
      thisMachine: thisMachine && {
        host: thisMachine.host,
        risk: core.model.hosts.get(`hosts/${thisMachine.host}`)?.risk ?? Number.NaN,
      },
    });
  } finally {
    unlisten();
    await thisMachine?.stop();
    await fleet.close();
    await intent?.close();
    await core.close();
    await service.close();
  }
}

function tellStory({tell}: DemoOptions, datacenter: Datacenter): Story {
  return new Story({
    tell,
    onAct: (host, atMs) => datacenter.ledger.act(host, atMs),
    onClear: host => datacenter.ledger.clear(host),
    wasMeant: name => {
      const host = datacenter.hosts.find(each => each.name === name);
      return host?.outages.at(-1)?.cause === 'planned';
    },
  });
}

async function openIntent({
  intentModel: folder,
  seed,
}: DemoOptions): Promise<IntentThread | undefined> {
  if (folder === undefined) return undefined;
  return openIntentThread({folder, clock: systemClock, random: seededRandom(seed)});
}
