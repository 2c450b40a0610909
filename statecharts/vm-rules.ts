import type {Effect, EffectKind} from '../core/domain/effects.ts';
import type {VmContext, VmEvent} from './events.ts';
import {attemptsMax} from './timing.ts';

type Input = {context: VmContext; event: VmEvent};
type Kind = {kind: EffectKind};

/** Keys in the order of the alphabet, which is that of the canonical text. */
export function freshVm(id: string): VmContext {
  return {
    atRisk: false,
    attempts: 0,
    deadlineMs: 0,
    enteredAtMs: 0,
    frozen: false,
    ghostArmed: false,
    ghostHost: '',
    homeHost: '',
    host: '',
    id,
    risk: 0,
    silenced: false,
    stale: false,
    targetHost: '',
    unresolved: '',
  };
}

/**
 * What an effect of this kind says for this VM. For a ghost's effects `host` is the primary's side
 * and `targetHost` the ghost's, whichever of the two runs the VM.
 */
export function vmEffect(kind: EffectKind, context: VmContext, deadlineMs: number): Effect {
  const base = {kind, vm: context.id, weightPercent: 0, deadlineMs};
  switch (kind) {
    case 'retire-ghost':
      // A VM that was given up on has no host, and its ghost must go all the same.
      return {...base, host: context.host || context.ghostHost, targetHost: context.ghostHost};
    case 'arm-ghost':
    case 'activate-ghost':
      return {...base, host: context.host, targetHost: context.ghostHost};
    case 'sync-back':
    case 'fail-back':
      return {...base, host: context.homeHost, targetHost: context.host};
    case 'shift-traffic':
      return {...base, host: context.host, targetHost: context.host, weightPercent: 100};
    default:
      return {...base, host: context.host, targetHost: context.targetHost};
  }
}

const free = (context: VmContext) =>
  !context.frozen && context.unresolved === '' && context.attempts < attemptsMax;

/** A result of the act whose outcome was given up on. */
const late = ({context, event}: Input) =>
  'kind' in event && context.unresolved !== '' && event.kind === context.unresolved;

const primaryLost = ({context, event}: Input) =>
  event.type === 'host.lost' && context.host !== '' && event.host === context.host;

/** Guards read only context and event. */
export const vmGuards = {
  of: ({event}: Input, {kind}: Kind) => 'kind' in event && event.kind === kind,
  ofWithAttempts: ({context, event}: Input, {kind}: Kind) =>
    'kind' in event && event.kind === kind && context.attempts < attemptsMax,
  /** A completed act whose target has been lost since: the VM went down with it. */
  ofOnLostTarget: ({context, event}: Input, {kind}: Kind) =>
    'kind' in event && event.kind === kind && context.targetHost === '',
  /** A ghost that is armed was not the one that was retired. */
  ghostRetired: ({context, event}: Input) =>
    event.type === 'effect.completed' && event.kind === 'retire-ghost' && !context.ghostArmed,
  late,
  lateOnLostTarget: (input: Input) => late(input) && input.context.targetHost === '',
  /** Risk belongs to the host: what is said of another one is old. */
  here: ({context, event}: Input) => 'host' in event && event.host === context.host,
  elsewhere: ({context, event}: Input) => 'host' in event && event.host !== context.host,
  atTarget: ({context, event}: Input) =>
    'host' in event && context.targetHost !== '' && event.host === context.targetHost,
  stillAtRisk: ({context}: Input) => context.atRisk,
  riskOver: ({context}: Input) => !context.atRisk,
  ghostReady: ({context}: Input) => context.ghostArmed,
  mayMove: ({context, event}: Input) =>
    event.type === 'migration.chosen' &&
    free(context) &&
    event.host === context.host &&
    event.targetHost !== context.host &&
    event.targetHost !== context.ghostHost,
  mayArm: ({context, event}: Input) =>
    event.type === 'ghost.chosen' &&
    free(context) &&
    context.ghostHost === '' &&
    event.host === context.host &&
    event.targetHost !== context.host,
  mayRestart: ({context, event}: Input) =>
    event.type === 'restart.chosen' && free(context) && event.targetHost !== context.ghostHost,
  mayReturn: ({context, event}: Input) =>
    event.type === 'fail-back.chosen' && free(context) && event.host !== context.host,
  hasGhost: ({context}: Input) => context.ghostHost !== '',
  hasGhostAndAttempts: ({context}: Input) =>
    context.ghostHost !== '' && context.attempts < attemptsMax,
  attemptsLeft: ({context}: Input) => context.attempts < attemptsMax,
  primaryLost,
  primaryLostGhostArmed: (input: Input) => primaryLost(input) && input.context.ghostArmed,
  ghostHostLost: ({context, event}: Input) =>
    event.type === 'host.lost' && context.ghostHost !== '' && event.host === context.ghostHost,
  targetLost: ({context, event}: Input) =>
    event.type === 'host.lost' && context.targetHost !== '' && event.host === context.targetHost,
};

/** How events change the context. Each gives the fields that change. */
export const vmChanges = {
  entered: ({event}: Input) => ({enteredAtMs: event.atMs ?? 0}),
  flagged: ({event}: Input) => (event.type === 'flag.changed' ? {[event.flag]: event.on} : {}),
  raised: ({event}: Input) =>
    event.type === 'risk.raised' ? {atRisk: true, risk: event.risk} : {},
  cleared: ({event}: Input) =>
    event.type === 'risk.cleared' ? {atRisk: false, risk: event.risk} : {},
  rested: () => ({attempts: 0, deadlineMs: 0}),
  /** An act was asked for: its target and its deadline. */
  aimed: ({event}: Input) =>
    'targetHost' in event ? {targetHost: event.targetHost, deadlineMs: event.deadlineMs} : {},
  ghostPlaced: ({event}: Input) =>
    'targetHost' in event ? {ghostHost: event.targetHost, deadlineMs: event.deadlineMs} : {},
  ghostArmed: () => ({ghostArmed: true, attempts: 0}),
  ghostDisarmed: () => ({ghostArmed: false}),
  ghostGone: () => ({ghostArmed: false, ghostHost: ''}),
  homeward: ({event}: Input) =>
    event.type === 'fail-back.chosen'
      ? {homeHost: event.host, targetHost: event.host, deadlineMs: event.deadlineMs}
      : {},
  tried: ({context}: Input) => ({attempts: context.attempts + 1}),
  fresh: () => ({attempts: 0}),
  /** The act ended without effect: the VM is where it was. */
  settled: () => ({targetHost: '', unresolved: '' as const}),
  /** The target is lost, and with it a ghost that was there. */
  targetGone: ({context}: Input) =>
    context.ghostHost === context.targetHost
      ? {targetHost: '', ghostHost: '', ghostArmed: false}
      : {targetHost: ''},
  /** The act succeeded: the VM runs on the target. A ghost there is the VM now. */
  arrived: ({context}: Input) => ({
    host: context.targetHost,
    targetHost: '',
    unresolved: '' as const,
    ghostHost: context.ghostHost === context.targetHost ? '' : context.ghostHost,
    ghostArmed: false,
    atRisk: false,
    risk: 0,
    attempts: 0,
  }),
  /** The inventory shows the VM on a host that we did not expect. */
  observed: ({context, event}: Input) =>
    event.type === 'placement.observed'
      ? {
          host: event.host,
          targetHost: '',
          unresolved: '' as const,
          ghostArmed: false,
          ghostHost: context.ghostHost === event.host ? '' : context.ghostHost,
          atRisk: false,
          risk: 0,
        }
      : {},
  /** Nothing runs the VM any more. What was said of its host no longer matters. */
  down: () => ({ghostArmed: false, atRisk: false, risk: 0, attempts: 0}),
  failedOver: ({context}: Input) => ({
    homeHost: context.host,
    targetHost: context.ghostHost,
    unresolved: '' as const,
    atRisk: false,
    risk: 0,
    attempts: 0,
  }),
  /** Whoever runs the VM now is its home. */
  adopted: () => ({homeHost: ''}),
  /** The operator takes over; the inventory will say where. */
  released: () => ({host: '', targetHost: '', unresolved: '' as const}),
};
