import {assign, emit, setup} from 'xstate';
import type {EffectKind} from '../core/domain/effects.ts';
import type {EmittedEffect, HostContext, HostEvent} from './events.ts';
import {hostChanges, hostEffect, hostGuards} from './host-rules.ts';
import {timing} from './timing.ts';

/** Types, guards and actions of the host machine; host.ts is the chart. */
export const hostSetup = setup({
  types: {
    context: {} as HostContext,
    events: {} as HostEvent,
    emitted: {} as EmittedEffect,
    input: {} as {id: string},
    meta: {} as {awaits: EffectKind},
  },
  guards: hostGuards,
  actions: {
    entered: assign(hostChanges.entered),
    flagged: assign(hostChanges.flagged),
    raised: assign(hostChanges.raised),
    cleared: assign(hostChanges.cleared),
    rested: assign(hostChanges.rested),
    fresh: assign(hostChanges.fresh),
    tried: assign(hostChanges.tried),
    cordoned: assign(hostChanges.cordoned),
    uncordoned: assign(hostChanges.uncordoned),
    suspected: assign(hostChanges.suspected),
    heard: assign(hostChanges.heard),
    lost: assign(hostChanges.lost),
    returned: assign(hostChanges.returned),
    wait: assign(({event}, {ms}: {ms: number}) => ({deadlineMs: event.atMs + ms})),
    /** Where nobody waits for the effect, it has as long as a cordon. */
    ask: emit(({context, event}, {kind}: {kind: EffectKind}) => {
      const isAwaited = context.deadlineMs > event.atMs;
      const deadlineMs = isAwaited ? context.deadlineMs : event.atMs + timing.cordonMs;
      return {type: 'effect' as const, effect: hostEffect(kind, context, deadlineMs)};
    }),
  },
});
