import type {Effect, EffectKind} from '../core/domain/effects.ts';
import type {HostContext, HostEvent} from './events.ts';
import {attemptsMax} from './timing.ts';

type Input = {context: HostContext; event: HostEvent};
type Kind = {kind: EffectKind};

/** Keys in the order of the alphabet, which is that of the canonical text. */
export function freshHost(id: string): HostContext {
  return {
    atRisk: false,
    attempts: 0,
    component: '',
    cordoned: false,
    deadlineMs: 0,
    enteredAtMs: 0,
    frozen: false,
    id,
    lost: false,
    risk: 0,
    silenced: false,
    stale: false,
    suspected: false,
  };
}

export function hostEffect(kind: EffectKind, context: HostContext, deadlineMs: number): Effect {
  return {kind, host: context.id, vm: '', targetHost: '', weightPercent: 0, deadlineMs};
}

/** Guards read only context and event. */
export const hostGuards = {
  of: ({event}: Input, {kind}: Kind) => 'kind' in event && event.kind === kind,
  ofWithAttempts: ({context, event}: Input, {kind}: Kind) =>
    'kind' in event && event.kind === kind && context.attempts < attemptsMax,
  attemptsLeft: ({context}: Input) => context.attempts < attemptsMax,
  cordoned: ({context}: Input) => context.cordoned,
  cordonLeftOver: ({context, event}: Input) =>
    'kind' in event && event.kind === 'cordon-host' && !context.cordoned,
  suspected: ({context}: Input) => context.suspected,
  stillAtRisk: ({context}: Input) => context.atRisk,
  riskOver: ({context}: Input) => !context.atRisk,
};

/** How events change the context. Each gives the fields that change. */
export const hostChanges = {
  entered: ({event}: Input) => ({enteredAtMs: event.atMs ?? 0}),
  flagged: ({event}: Input) => (event.type === 'flag.changed' ? {[event.flag]: event.on} : {}),
  raised: ({event}: Input) =>
    event.type === 'risk.raised'
      ? {atRisk: true, risk: event.risk, component: event.component}
      : {},
  cleared: ({event}: Input) =>
    event.type === 'risk.cleared' ? {atRisk: false, risk: event.risk, component: ''} : {},
  rested: () => ({attempts: 0, deadlineMs: 0}),
  fresh: () => ({attempts: 0}),
  tried: ({context}: Input) => ({attempts: context.attempts + 1}),
  cordoned: () => ({cordoned: true}),
  uncordoned: () => ({cordoned: false}),
  suspected: () => ({suspected: true}),
  heard: () => ({suspected: false}),
  /** Nothing is placed on a lost host, nor on one that is back but not yet trusted. */
  lost: () => ({
    lost: true,
    cordoned: true,
    suspected: false,
    atRisk: false,
    risk: 0,
    component: '',
  }),
  returned: () => ({lost: false}),
};
