import type {IssuedEffect} from '../domain/effects.ts';
import {isAtRisk, type PartitionState} from './partition-state.ts';

/** Another partition that hears a host, which then only seems to be silent here. */
export type HeardElsewhere = (host: string, partition: number) => number | undefined;

/**
 * What must still hold right before a side effect: seconds may have passed since the plan, and
 * ticks since then may have shown otherwise.
 *
 * @returns In words what does not hold any more, or undefined.
 */
export function violatedPrecondition(
  state: PartitionState,
  effect: IssuedEffect,
  heardElsewhere: HeardElsewhere = () => undefined,
): string | undefined {
  const ends = ENDING.has(effect.kind);
  if (state.control.paused && !ends) return 'acting was paused after the decision';
  if (state.control.mode !== 'auto' && !ends) return `the mode is ${state.control.mode} now`;
  if (effect.agent === '' || effect.address === '') return 'no agent acts on this host';
  const source = state.hosts.get(effect.host);
  if (source?.facts?.observeOnly) return `${effect.host} may only be observed`;
  if (source?.frozen && !ends && !RESCUING.has(effect.kind)) {
    return `${effect.host} has not heard the present epoch`;
  }
  if (effect.kind === 'fence-host') {
    const other = heardElsewhere(effect.host, state.partition);
    if (other !== undefined) {
      return `${effect.host} is heard in partition ${other}: its edge was given another cell`;
    }
  }
  return TARGETED.has(effect.kind) ? targetProblem(state, effect) : undefined;
}

/**
 * Effects that end an act instead of beginning one. A pause must not leave a VM that has moved
 * without its traffic, or memory held by a ghost that nobody needs.
 */
const ENDING: ReadonlySet<string> = new Set(['shift-traffic', 'retire-ghost']);

/** Effects whose source is gone: its agent answers nobody. */
const RESCUING: ReadonlySet<string> = new Set(['restart-vm', 'activate-ghost']);

/** Effects that put something on the target. */
const TARGETED: ReadonlySet<string> = new Set(['start-migration', 'arm-ghost', 'restart-vm']);

function targetProblem(state: PartitionState, effect: IssuedEffect): string | undefined {
  const name = effect.targetHost;
  const target = state.hosts.get(name);
  const context = state.actors.hostContext(name);
  if (target === undefined || context === undefined) return `target ${name} is unknown`;
  if (context.lost || context.suspected) return `target ${name} does not answer`;
  if (target.facts?.observeOnly) return `target ${name} may only be observed`;
  if (target.frozen) return `target ${name} has not heard the present epoch`;
  // A VM that is down may have been sent to a host that others avoid.
  if (effect.kind === 'restart-vm') return undefined;
  if (context.cordoned) return `target ${name} was cordoned`;
  return isAtRisk(state, target) ? `target ${name} came to be at risk itself` : undefined;
}
