/** One seed: a while of faults, then peace, then judgement. */
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {formatError} from '../../core/domain/errors.ts';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import {listen} from '../../core/events.ts';
import {checkEffects} from './check-effects.ts';
import {checkReplay} from './check-replay.ts';
import {unsettled} from './check-settled.ts';
import {checkTelemetry} from './check-telemetry.ts';
import {Nemesis} from './nemesis.ts';
import type {Violation} from './oracle.ts';
import {NO_PLANT, type Plant} from './plants.ts';
import {drawSwarm} from './swarm.ts';
import {START_MS, World} from './world.ts';

export type Outcome = {
  seed: number;
  violations: readonly Violation[];
  /** Hash of everything that happened. */
  trace: string;
  checks: number;
  faults: number;
  virtualMs: number;
};

const CALM_MS = 15_000;
/**
 * Within this time everything must have come to rest: a restart that hangs is given up on after
 * nine minutes, the VM's actor rests for five if it was the third try, and tries again.
 */
const PEACE_MS = 18 * 60_000;
const LOOK_EVERY_MS = 5_000;
const DRAIN_MS = 60_000;

export async function runSeed(
  seed: number,
  {plant = NO_PLANT, onLine}: {plant?: Plant; onLine?: (line: string) => void} = {},
): Promise<Outcome> {
  const random = seededRandom(`simulator/${seed}`);
  const world = new World(random, drawSwarm(random.fork('swarm'), plant), plant);
  const {scheduler, trace, oracle} = world;
  if (onLine !== undefined) trace.onLine = onLine;
  const unlisten = listenForDefects(world);
  try {
    const nemesis = new Nemesis(world);
    await world.start();
    await scheduler.runUntil(START_MS + CALM_MS);
    nemesis.begin();
    await scheduler.runUntil(START_MS + CALM_MS + world.swarm.faultMs);
    nemesis.end();
    trace.add('peace');
    if (oracle.violations.length === 0) await judge(world);
  } finally {
    unlisten();
  }
  return {
    seed,
    violations: oracle.violations,
    trace: trace.hash(),
    checks: oracle.checks,
    faults: trace.faults,
    virtualMs: scheduler.nowMs - START_MS,
  };
}

/** S16: a defect of the product, wherever it shows. */
function listenForDefects({oracle}: World): () => void {
  const defect = (error: unknown) => oracle.expect(false, 'S16', () => formatError(error));
  process.on('unhandledRejection', defect);
  const unlisten = [
    listen('actor.quarantined', ({kind, code}) => defect(`a ${kind} is quarantined: ${code}`)),
    listen('record.quarantined', ({topic, offset, code}) =>
      defect(`${topic} ${offset} is set aside: ${code}`),
    ),
    listen('rows.rejected', ({table}) => defect(`${table} rejected a row`)),
  ];
  return () => {
    process.off('unhandledRejection', defect);
    for (const end of unlisten) end();
  };
}

async function judge(world: World): Promise<void> {
  const {oracle, partitions, datacenter, store, scorer, swarm} = world;
  await settleDown(world);
  const states = await end(world);
  const {log} = world.broker;
  const lived = [...states.values()];
  const {policy} = swarm;
  await checkTelemetry(oracle, log, store, lived, partitions);
  await checkEffects({oracle, log, datacenter, policy, partitions, underWay: underWay(lived)});
  const model = scorer.signature();
  await checkReplay({oracle, log, policy, model, lived, partitions});
}

/** Waits until all is at rest; what is not after the bound is held against its invariant. */
async function settleDown(world: World): Promise<void> {
  const {scheduler, oracle, partitions, datacenter} = world;
  const untilMs = scheduler.nowMs + PEACE_MS;
  for (;;) {
    await scheduler.runUntil(scheduler.nowMs + LOOK_EVERY_MS);
    const states = new Map([...world.owners()].map(([partition, {state}]) => [partition, state]));
    const left = unsettled(states, partitions, datacenter);
    if (left.length === 0) return oracle.expect(true, 'S12', () => '');
    if (scheduler.nowMs < untilMs) continue;
    for (const {invariant, what} of left) oracle.expect(false, invariant, () => what);
    return;
  }
}

/** Effects that the end interrupts: what an actor chose after all had been at rest. */
function underWay(states: readonly PartitionState[]): Set<string> {
  const ids = states.flatMap(({running, timeMs}) =>
    [...running.values()].filter(({deadlineMs}) => deadlineMs > timeMs).map(({id}) => id),
  );
  return new Set(ids);
}

/** Edges send what they have and stop, the recorder catches up, owners hand over. */
async function end(world: World) {
  const {scheduler, oracle, hosts} = world;
  await finish(world, 'an edge does not drain', async () => {
    await Promise.all(hosts.map(host => host.edge?.stop()));
  });
  for (const {name, edge} of hosts) {
    const left = edge?.counters.uplink.inFlightBatches ?? 0;
    oracle.expect(left === 0, 'S14', () => `${left} batches of ${name} were never acknowledged`);
  }
  // What the edges have just sent is taken, and what was on its way comes in.
  await scheduler.runUntil(scheduler.nowMs + LOOK_EVERY_MS);
  const states = new Map([...world.owners()].map(([partition, {state}]) => [partition, state]));
  await finish(world, 'the recorder does not catch up', async () => {
    await world.cores[0]?.recorder?.drained(DRAIN_MS);
  });
  await finish(world, 'a core does not stop', async () => {
    await Promise.all(world.cores.map(core => core?.stop()));
  });
  return states;
}

/** Lets time pass until the work is done, for so long at most. */
async function finish(world: World, problem: string, work: () => Promise<void>): Promise<void> {
  const {scheduler, oracle} = world;
  let isDone = false;
  const done = work().then(
    () => {
      isDone = true;
    },
    error => oracle.expect(false, 'S14', () => `${problem}: ${formatError(error)}`),
  );
  const untilMs = scheduler.nowMs + DRAIN_MS;
  while (!isDone && scheduler.nowMs < untilMs) await scheduler.runUntil(scheduler.nowMs + 100);
  oracle.expect(isDone, 'S14', () => problem);
  if (isDone) await done;
}
