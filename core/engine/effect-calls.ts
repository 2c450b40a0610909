import {
  type EffectReport,
  type EffectResult,
  type IssuedEffect,
  NEVER_BEGUN,
} from '../domain/effects.ts';
import {isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Actuator, Fence, Hypervisor, LoadBalancer} from '../ports.ts';
import type {Announcer} from './announcer.ts';
import {agentFor, entityOf} from './effect-address.ts';
import type {PartitionState} from './partition-state.ts';
import {type HeardElsewhere, violatedPrecondition} from './preconditions.ts';

export type EffectCalls = {
  /** Starts an effect, if its preconditions still hold. Undefined: it runs, or nobody knows. */
  execute(effect: IssuedEffect): Promise<EffectResult | undefined>;
  /** Asks after an effect, or asks it to stop. Undefined: it runs, or nobody knows. */
  ask(effect: IssuedEffect): Promise<EffectResult | undefined>;
  /** Forgets effects that have their result. */
  forget(): void;
};

/** What still runs so long after its deadline hangs, whoever waits for it. */
const OVERDUE_MS = 60_000;

/** What is said to agents about one effect, and what their answers mean (executor X1, X2). */
export function createEffectCalls(
  {
    state,
    actuators,
    heardElsewhere,
  }: {
    state: PartitionState;
    actuators: {hypervisor: Hypervisor; balancer: LoadBalancer};
    heardElsewhere?: HeardElsewhere | undefined;
  },
  announce: Announcer['announce'],
): EffectCalls {
  const cancelled = new Set<string>();
  const fence = (): Fence => ({partition: state.partition, epoch: state.epoch});
  const actuatorOf = (effect: IssuedEffect): Actuator =>
    effect.kind === 'shift-traffic' ? actuators.balancer : actuators.hypervisor;

  const execute = async (effect: IssuedEffect): Promise<EffectResult | undefined> => {
    const violated = violatedPrecondition(state, effect, heardElsewhere);
    if (violated !== undefined) return failed(effect.id, 'EFFECT_PRECONDITION', violated);
    publish('effect.issued', {kind: effect.kind});
    try {
      await announce(actuatorOf(effect), effect);
      return final(await actuatorOf(effect).execute(effect, fence()));
    } catch (error) {
      return refusalOf(effect.id, error);
    }
  };

  const ask = async (issued: IssuedEffect): Promise<EffectResult | undefined> => {
    // An agent that was started anew may listen elsewhere.
    const {address} = agentFor(state, issued);
    const effect = address === '' ? issued : {...issued, address};
    const actuator = actuatorOf(effect);
    if (state.actors.hostContext(effect.agent)?.lost) {
      return failed(effect.id, 'HOST_LOST', `${effect.agent} was lost while the effect ran`);
    }
    try {
      await announce(actuator, effect);
      const report = await cancelOrQuery(actuator, effect);
      if (report === undefined || report.status === 'unknown') return await retryOrClose(effect);
      return final(report);
    } catch (error) {
      return refusalOf(effect.id, error);
    }
  };

  /** Asked to stop once, when nobody waits for it any more; whatever the agent then says counts. */
  const cancelOrQuery = async (
    actuator: Actuator,
    effect: IssuedEffect,
  ): Promise<EffectReport | undefined> => {
    const isOverdue = state.timeMs > effect.deadlineMs + OVERDUE_MS;
    if ((isWanted(state, effect) && !isOverdue) || cancelled.has(effect.id)) {
      return (await actuator.query(effect, [effect.id]))[0];
    }
    const report = await actuator.cancel(effect, effect.id, fence());
    cancelled.add(effect.id);
    return report;
  };

  /**
   * The agent never saw it: send it again while somebody waits for it, else close it. A call of
   * before may still be on its way, so that the agent is told first that it must not begin.
   */
  const retryOrClose = async (effect: IssuedEffect): Promise<EffectResult | undefined> => {
    const isOurs = effect.id.startsWith(`${state.partition}/${state.epoch}/`);
    const isDue = isOurs && isWanted(state, effect) && state.timeMs < effect.deadlineMs;
    const violated = isDue ? violatedPrecondition(state, effect, heardElsewhere) : undefined;
    if (isDue && violated === undefined) return await execute(effect);
    const result = final(await actuatorOf(effect).cancel(effect, effect.id, fence()));
    if (violated === undefined || result?.status !== 'abandoned') return result;
    return failed(effect.id, 'EFFECT_PRECONDITION', violated);
  };

  return {
    execute,
    ask,
    forget() {
      for (const id of cancelled) if (!state.running.has(id)) cancelled.delete(id);
    },
  };
}

/** Whether the actor still waits for it; if not, everything is to be as before. */
function isWanted(state: PartitionState, effect: IssuedEffect): boolean {
  return state.actors.wants(entityOf(effect), effect.kind);
}

function final(report: EffectReport): EffectResult | undefined {
  const {id, status, code, message, figures} = report;
  if (status === 'running' || status === 'unknown') return undefined;
  if (status === 'cancelled' && code === NEVER_BEGUN) {
    return {id, status: 'abandoned', code: 'ABANDONED', message: 'never executed', figures: {}};
  }
  return {id, status, code, message, figures};
}

function failed(id: string, code: string, message: string): EffectResult {
  return {id, status: 'failed', code, message, figures: {}};
}

/** An agent that does not answer leaves the outcome open (X2); one that refuses has answered. */
function refusalOf(id: string, error: unknown): EffectResult | undefined {
  if (!isForestayError(error)) throw error;
  if (error.retryable) return undefined;
  // It says that another core owns the partition now, and nothing of the effect: that core asks.
  if (error.code === 'STALE_EPOCH') return undefined;
  return failed(id, error.code, error.message);
}
