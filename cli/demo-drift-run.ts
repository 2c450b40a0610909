/**
 * Conducts the drift scenario: a new generation of hardware arrives in a fleet that is served by the
 * shipped model, and nobody but the keeper does anything about it. Virtual time stands still while
 * anything is in flight.
 */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {systemClock} from '../core/adapters/clock-system.ts';
import {buildInfo} from '../core/build-info.ts';
import {shortHash} from '../core/domain/hash.ts';
import {CONFIRM_AFTER_MS, runReactive} from '../core/simulation/reactive.ts';
import type {AuditRecord} from '../models/registry/audit.ts';
import {START_MS} from './datacenter-agents.ts';
import {stepAll} from './demo-core.ts';
import {writeBadModel} from './demo-drift-bad-model.ts';
import {ForecastJudge} from './demo-drift-judge.ts';
import {DriftPhases, type PhaseFigures} from './demo-drift-phases.ts';
import {DriftProgress, type Milestones} from './demo-drift-progress.ts';
import {DRIFT_SCENARIO} from './demo-drift-scenario.ts';
import {createStaff} from './demo-drift-staff.ts';
import {
  ARRIVES_AT_MS,
  buildFleet,
  type DriftStage,
  FAMILY,
  openStage,
  type StageOptions,
} from './demo-drift-stage.ts';
import type {DemoResult} from './demo-run.ts';

export type DriftOptions = StageOptions & {
  readonly tell: (line: DriftLine) => void;
  readonly signal?: AbortSignal;
};

/** A line of the registry's audit log, or what happened besides; virtual times. */
export type DriftLine = {readonly atMs: number} & (
  | {readonly kind: 'scene'; readonly text: string}
  | {readonly kind: 'said'; readonly text: string}
  | {readonly kind: 'audit'; readonly record: AuditRecord}
);

export type DriftOutcome = DemoResult & {
  readonly milestones: Milestones;
  readonly phases: readonly PhaseFigures[];
  readonly untilMs: number;
  /** False: it was interrupted. */
  readonly isWhole: boolean;
  readonly wallSeconds: number;
  /** Of them: while virtual time stood still for the keeper, trainings among it. */
  readonly keeperSeconds: number;
};

type Run = Omit<DriftOutcome, 'reactive' | 'wallSeconds'>;

/** Of the audit log; nothing in it hurries. */
const FOLLOW_EVERY_MS = 60_000;

export async function runDrift(options: DriftOptions): Promise<DriftOutcome> {
  const startedMs = systemClock.monotonicMs();
  const folder = await mkdtemp(join(tmpdir(), 'forestay-demo-'));
  try {
    const stage = await openStage(options, folder);
    let run: Run;
    try {
      run = await play(stage, options, folder);
    } finally {
      await stage.close();
    }
    const reactive = runReactive(buildFleet(options.seed), {
      untilMs: run.untilMs,
      confirmAfterMs: CONFIRM_AFTER_MS,
    });
    return {...run, reactive, wallSeconds: (systemClock.monotonicMs() - startedMs) / 1000};
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

async function play(
  stage: DriftStage,
  {seed, tell, signal}: DriftOptions,
  folder: string,
): Promise<Run> {
  const {datacenter, clock, core, control, fleet, registry, keeper} = stage;
  const {stepMs, durationMsMax, knownAfterMs, horizonMs} = DRIFT_SCENARIO;
  const staff = createStaff(datacenter, knownAfterMs);
  const progress = new DriftProgress(ARRIVES_AT_MS, record => {
    tell({kind: 'audit', atMs: record.atMs, record});
  });
  const former = new ForecastJudge(datacenter.hosts, horizonMs);
  const phases = new DriftPhases(datacenter, stage.judge, former);
  const partitions = {simulated: stage.partitions};
  let keeperMs = 0;
  let nowMs = START_MS;
  while (nowMs < START_MS + durationMsMax && !isOver(progress.milestones, nowMs)) {
    if (signal?.aborted) break;
    nowMs += stepMs;
    datacenter.step(nowMs);
    // Before the core's clock: it holds back whoever is far ahead of its ticks.
    await fleet.sample(nowMs);
    clock.moveTo(nowMs);
    await stepAll(core, partitions, nowMs);
    for (const finding of staff(nowMs)) await control.declare(finding);
    const heldMs = systemClock.monotonicMs();
    stage.tellKeeper();
    await keeper.idle();
    keeperMs += systemClock.monotonicMs() - heldMs;
    if (nowMs === ARRIVES_AT_MS) tell({kind: 'scene', atMs: nowMs, text: arrival()});
    if (nowMs % FOLLOW_EVERY_MS !== 0) continue;
    await addBadModel(stage, progress, join(folder, 'bad-model'), tell);
    const {records} = registry.history();
    tellSaid(stage, records, tell);
    progress.follow(records);
    phases.follow(progress.milestones);
  }
  await stage.former.tell(former);
  return {
    seed,
    journalSha256: stage.digest.hex(),
    acts: stage.story.acts,
    forestay: datacenter.ledger.summary(nowMs),
    milestones: progress.milestones,
    phases: phases.figures(nowMs),
    untilMs: nowMs,
    isWhole: !signal?.aborted,
    keeperSeconds: keeperMs / 1000,
  };
}

/** What the keeper says to people and does not write down. */
function tellSaid(
  {said, clock}: DriftStage,
  records: readonly AuditRecord[],
  tell: DriftOptions['tell'],
): void {
  const written = new Set(records.map(({why}) => why));
  for (const text of said.splice(0)) {
    if (!written.has(text)) tell({kind: 'said', atMs: clock.nowMs(), text});
  }
}

/** The bad model is refused, and the good one has been watched for long enough. */
function isOver({promotedAtMs, refusedAtMs}: Milestones, nowMs: number): boolean {
  if (promotedAtMs === undefined || refusedAtMs === undefined) return false;
  const {afterMs, horizonMs} = DRIFT_SCENARIO;
  return nowMs >= promotedAtMs + afterMs + horizonMs;
}

/** Puts a model beside the promoted one that says the opposite, and says nothing of it. */
async function addBadModel(
  {clock, registry}: DriftStage,
  progress: DriftProgress,
  folder: string,
  tell: DriftOptions['tell'],
): Promise<void> {
  const nowMs = clock.nowMs();
  const {promotedAtMs, badModelAtMs} = progress.milestones;
  if (promotedAtMs === undefined || badModelAtMs !== undefined) return;
  const {champion, challenger} = registry.aliases(FAMILY).aliases;
  const isTime = nowMs >= promotedAtMs + DRIFT_SCENARIO.badModelAfterMs;
  if (!isTime || champion === null || challenger !== null) return;
  await writeBadModel(registry.folderOf(champion), folder);
  const author = {who: 'somebody', why: '', atMs: nowMs};
  const {hash} = await registry.add(folder, {author, codeVersion: buildInfo().version});
  progress.badModelAdded(hash, nowMs);
  const text = `somebody adds ${shortHash(hash)}: the champion's own trees, saying the opposite, under its card`;
  tell({kind: 'scene', atMs: nowMs, text});
  await registry.change(FAMILY, {kind: 'challenge', hash}, author);
}

function arrival(): string {
  const {arrivingHosts, hosts} = DRIFT_SCENARIO;
  return `${arrivingHosts} hosts of a new generation arrive, ${hosts - arrivingHosts} are here; their sensors have other ranges`;
}
