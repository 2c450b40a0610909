/**
 * Carries out what a partition's ticks decided. It makes no choice.
 *
 * X1 An effect is dispatched only after its tick counts, and its preconditions are looked at again
 *    right before.
 * X2 A time-out is not a result. The agent is asked by id until it knows: done, failed, running, or
 *    unknown, which means that it may be sent again under the same id.
 * X3 The one final result goes to the inbox; the first one per id counts.
 * X4 The new epoch is announced to an agent before anything else is asked of it.
 */

import type {EffectReport, EffectResult, IssuedEffect} from '../domain/effects.ts';
import {isForestayError} from '../domain/errors.ts';
import type {InboxRecord} from '../domain/records.ts';
import {publish} from '../events.ts';
import type {
  Actuator,
  AgentAddress,
  Clock,
  Codec,
  Fence,
  Hypervisor,
  LoadBalancer,
  Log,
} from '../ports.ts';
import type {PartitionState} from './partition-state.ts';
import {violatedPrecondition} from './preconditions.ts';

export type Actuators = {hypervisor: Hypervisor; balancer: LoadBalancer};

export type ExecutorOptions = {
  log: Log;
  codec: Codec;
  clock: Clock;
  actuators: Actuators;
  state: PartitionState;
};

export type Executor = {
  /** Tells every agent of the fleet the epoch; hosts whose agent does not answer stay frozen. */
  announceAll(): Promise<void>;
  /** Starts effects in order. */
  dispatch(effects: readonly IssuedEffect[]): Promise<void>;
  /** Asks after everything that is under way, in the order of ids. */
  poll(): Promise<void>;
};

export function createExecutor(options: ExecutorOptions): Executor {
  const {state, actuators} = options;
  const announced = new Set<string>();
  const cancelled = new Set<string>();
  /** Results that are in the inbox and that no tick has taken yet. */
  const reported = new Set<string>();
  const fence = (): Fence => ({partition: state.partition, epoch: state.epoch});
  const actuatorOf = (effect: IssuedEffect) =>
    effect.kind === 'shift-traffic' ? actuators.balancer : actuators.hypervisor;

  const announce = async (actuator: Actuator, agent: AgentAddress): Promise<void> => {
    const key = `${agent.agent}@${agent.address}#${state.epoch}`;
    if (announced.has(key)) return;
    await actuator.announce(agent, fence());
    announced.add(key);
  };

  const execute = async (effect: IssuedEffect): Promise<EffectResult | undefined> => {
    const violated = violatedPrecondition(state, effect);
    if (violated !== undefined) return failed(effect.id, 'EFFECT_PRECONDITION', violated);
    publish('effect.issued', {kind: effect.kind});
    try {
      await announce(actuatorOf(effect), effect);
      return final(await actuatorOf(effect).execute(effect, fence()));
    } catch (error) {
      return refusalOf(effect.id, error);
    }
  };

  const ask = async (effect: IssuedEffect): Promise<EffectResult | undefined> => {
    const actuator = actuatorOf(effect);
    if (state.actors.hostContext(effect.agent)?.lost) {
      return failed(effect.id, 'HOST_LOST', `${effect.agent} was lost while the effect ran`);
    }
    try {
      await announce(actuator, effect);
      if (wantsCancel(state, effect) && !cancelled.has(effect.id)) {
        cancelled.add(effect.id);
        return final(await actuator.cancel(effect, effect.id, fence()));
      }
      const [report] = await actuator.query(effect, [effect.id]);
      if (report === undefined || report.status === 'unknown') return await retryOrAbandon(effect);
      return final(report);
    } catch (error) {
      return refusalOf(effect.id, error);
    }
  };

  /** The agent never saw it: send it again while there is time, else close it. */
  const retryOrAbandon = async (effect: IssuedEffect): Promise<EffectResult | undefined> => {
    const ours = effect.id.startsWith(`${state.partition}/${state.epoch}/`);
    if (ours && state.timeMs < effect.deadlineMs) return await execute(effect);
    return {
      id: effect.id,
      status: 'abandoned',
      code: 'ABANDONED',
      message: 'never executed',
      figures: {},
    };
  };

  const settle = async (result: EffectResult | undefined): Promise<void> => {
    if (result === undefined) return;
    await report(options, result);
    reported.add(result.id);
  };

  return {
    async announceAll() {
      for (const host of state.hosts.values()) {
        const address = host.facts?.actuatorAddress ?? '';
        if (address === '') continue;
        try {
          await announce(actuators.hypervisor, {agent: host.name, address});
          host.frozen = false;
        } catch (error) {
          if (!isForestayError(error)) throw error;
          host.frozen = true;
        }
      }
    },
    async dispatch(effects) {
      for (const effect of effects) await settle(await execute(effect));
    },
    async poll() {
      const running = [...state.running.values()].sort(byOrigin);
      for (const effect of running) {
        if (!state.running.has(effect.id) || reported.has(effect.id)) continue;
        await settle(await ask(effect));
      }
      for (const id of reported) if (!state.running.has(id)) reported.delete(id);
      for (const id of cancelled) if (!state.running.has(id)) cancelled.delete(id);
    },
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

/** The actor gave up waiting: everything is to be as before. */
function wantsCancel(state: PartitionState, effect: IssuedEffect): boolean {
  const actor = effect.vm === '' ? `hosts/${effect.host}` : `vms/${effect.vm}`;
  return !state.actors.wants(actor, effect.kind);
}

function final(report: EffectReport): EffectResult | undefined {
  const {id, status, code, message, figures} = report;
  if (status === 'running' || status === 'unknown') return undefined;
  return {id, status, code, message, figures};
}

function failed(id: string, code: string, message: string): EffectResult {
  return {id, status: 'failed', code, message, figures: {}};
}

/** An agent that does not answer leaves the outcome open (X2); one that refuses has answered. */
function refusalOf(id: string, error: unknown): EffectResult | undefined {
  if (!isForestayError(error)) throw error;
  if (error.retryable) return undefined;
  return failed(id, error.code, error.message);
}
