import {assign, emit, enqueueActions, setup} from 'xstate';
import type {EffectKind} from '../core/domain/effects.ts';
import type {EmittedEffect, VmContext, VmEvent} from './events.ts';
import {timing} from './timing.ts';
import {vmChanges, vmEffect, vmGuards} from './vm-rules.ts';

export const vmSetup = setup({
  types: {
    context: {} as VmContext,
    events: {} as VmEvent,
    emitted: {} as EmittedEffect,
    input: {} as {id: string},
    meta: {} as {awaits: EffectKind},
  },
  guards: vmGuards,
  actions: {
    entered: assign(vmChanges.entered),
    flagged: assign(vmChanges.flagged),
    raised: assign(vmChanges.raised),
    cleared: assign(vmChanges.cleared),
    rested: assign(vmChanges.rested),
    aimed: assign(vmChanges.aimed),
    ghostPlaced: assign(vmChanges.ghostPlaced),
    ghostArmed: assign(vmChanges.ghostArmed),
    ghostDisarmed: assign(vmChanges.ghostDisarmed),
    ghostGone: assign(vmChanges.ghostGone),
    homeward: assign(vmChanges.homeward),
    tried: assign(vmChanges.tried),
    fresh: assign(vmChanges.fresh),
    settled: assign(vmChanges.settled),
    targetGone: assign(vmChanges.targetGone),
    arrived: assign(vmChanges.arrived),
    observed: assign(vmChanges.observed),
    down: assign(vmChanges.down),
    failedOver: assign(vmChanges.failedOver),
    adopted: assign(vmChanges.adopted),
    released: assign(vmChanges.released),
    wait: assign(({event}, {ms}: {ms: number}) => ({deadlineMs: event.atMs + ms})),
    /** After a failure an actor rests; `deadline.passed` gives its attempts back. */
    rest: assign(({context, event}) => ({
      deadlineMs: context.attempts > 0 ? event.atMs + timing.restMs : 0,
    })),
    unresolved: assign((_, {kind}: {kind: EffectKind}) => ({unresolved: kind})),
    ask: emit(({context, event}, {kind}: {kind: EffectKind}) => ({
      type: 'effect' as const,
      effect: vmEffect(kind, context, Math.max(context.deadlineMs, event.atMs)),
    })),
    /** Asks for a ghost that is still there to be dropped, and never uses it again. */
    dropGhost: enqueueActions(({context, event, enqueue}, _params: {kind: 'retire-ghost'}) => {
      if (context.ghostHost === '' || context.unresolved === 'activate-ghost') return;
      const deadlineMs = event.atMs + timing.retireMs;
      enqueue.emit({type: 'effect', effect: vmEffect('retire-ghost', context, deadlineMs)});
      enqueue.assign({ghostArmed: false});
    }),
    waitForGhost: assign(({context, event}) => ({
      deadlineMs: context.ghostHost === '' ? 0 : event.atMs + timing.retireMs,
    })),
  },
});

export const of = (kind: EffectKind) => ({type: 'of', params: {kind}}) as const;
export const ask = (kind: EffectKind) => ({type: 'ask', params: {kind}}) as const;
export const unresolved = (kind: EffectKind) => ({type: 'unresolved', params: {kind}}) as const;
export const wait = (ms: number) => ({type: 'wait', params: {ms}}) as const;
export const dropGhost = {type: 'dropGhost', params: {kind: 'retire-ghost'}} as const;
