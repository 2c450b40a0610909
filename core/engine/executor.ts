/**
 * Carries out what a partition's ticks decided. It makes no choice.
 *
 * X1 An effect is dispatched only after its tick counts, and its preconditions are looked at again
 *    right before.
 * X2 A time-out is not a result. The agent is asked by id until it knows: done, failed, running, or
 *    unknown, which means that it may be sent again under the same id.
 * X3 The one final result goes to the inbox; the first one per id counts.
 * X4 The new epoch is announced to an agent before anything else is asked of it.
 * X5 On a simulated base every call is awaited, in order, so that runs repeat. Else calls run beside
 *    the ticks, in order for each entity, so that a slow agent stops nothing but its own effects.
 */

import type {EffectResult, IssuedEffect} from '../domain/effects.ts';
import type {InboxRecord} from '../domain/records.ts';
import type {Clock, Codec, Hypervisor, LoadBalancer, Log, Random} from '../ports.ts';
import {createAnnouncer} from './announcer.ts';
import {createCallLanes} from './call-lanes.ts';
import {entityOf} from './effect-address.ts';
import {createEffectCalls} from './effect-calls.ts';
import type {PartitionState} from './partition-state.ts';
import type {HeardElsewhere} from './preconditions.ts';

export type Actuators = {hypervisor: Hypervisor; balancer: LoadBalancer};

export type ExecutorOptions = {
  log: Log;
  codec: Codec;
  clock: Clock;
  random: Random;
  actuators: Actuators;
  state: PartitionState;
  heardElsewhere?: HeardElsewhere | undefined;
  onProblem?: ((partition: number, problem: string) => void) | undefined;
};

export type Executor = {
  /** Tells every agent of the fleet the epoch; hosts whose agent does not answer stay frozen. */
  announceAll(): Promise<void>;
  /** Starts effects in order. */
  dispatch(effects: readonly IssuedEffect[]): Promise<void>;
  /** Asks after everything that is under way, in the order of ids, and again for frozen hosts. */
  poll(): Promise<void>;
  /** Resolves when no call is under way. */
  drained(): Promise<void>;
};

/** Calls that may be under way at once; what finds no room is taken up by a later poll. */
const CALLS_MAX = 256;

export function createExecutor(options: ExecutorOptions): Executor {
  const {state} = options;
  /** Results that are in the inbox and that no tick has taken yet. */
  const reported = new Set<string>();
  /** Effects that a call is about, and other work that is under way. */
  const called = new Set<string>();
  const lanes = createCallLanes(CALLS_MAX);
  const announcer = createAnnouncer(options);
  const calls = createEffectCalls(options, announcer.announce);

  /** X5. Work of a key that is still under way is not begun again. */
  const begin = async (key: string, lane: string, work: () => Promise<void>): Promise<void> => {
    if (called.has(key)) return;
    if (state.timeBase === 'simulated') return await work();
    const isTaken = lanes.run(lane, () => work().finally(() => called.delete(key)));
    if (isTaken) called.add(key);
  };

  /** X1. A poll may come while a tick is on its way to the journal. */
  const isDurable = ({id}: IssuedEffect): boolean => {
    const [, epoch = 0, tick = 0] = id.split('/').map(Number);
    return epoch < state.epoch || tick <= state.tickNumber;
  };

  /** Makes one call about an effect and puts its result, if there is one, into the inbox. */
  const call = async (
    effect: IssuedEffect,
    ask: (effect: IssuedEffect) => Promise<EffectResult | undefined>,
  ): Promise<void> => {
    if (reported.has(effect.id)) return;
    await begin(effect.id, entityOf(effect), async () => {
      const result = await ask(effect);
      if (result === undefined) return;
      await report(options, result);
      reported.add(result.id);
    });
  };

  return {
    announceAll: announcer.announceAll,
    async dispatch(effects) {
      lanes.check();
      for (const effect of effects) await call(effect, calls.execute);
    },
    async poll() {
      lanes.check();
      await begin('announce', 'announce', announcer.announceFrozen);
      const running = [...state.running.values()].filter(isDurable).sort(byOrigin);
      for (const effect of running) {
        if (state.running.has(effect.id)) await call(effect, calls.ask);
      }
      for (const id of reported) if (!state.running.has(id)) reported.delete(id);
      calls.forget();
    },
    drained: lanes.drained,
  };
}

/** Appends a result to the inbox; its request id makes a repeat harmless. */
async function report(
  {log, codec, clock, state}: ExecutorOptions,
  result: EffectResult,
): Promise<void> {
  const record: InboxRecord = {
    kind: 'effect-result',
    requestId: `effect/${result.id}`,
    atMs: state.timeBase === 'live' ? clock.nowMs() : state.timeMs,
    author: 'executor',
    result,
  };
  await log.append('inbox', state.partition, [codec.encodeInbox(record)]);
}

/** `partition/epoch/tick/index`, by number. */
function byOrigin(a: IssuedEffect, b: IssuedEffect): number {
  const left = a.id.split('/').map(Number);
  const right = b.id.split('/').map(Number);
  for (let index = 0; index < left.length; index++) {
    const difference = (left[index] as number) - (right[index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
