import {
  type AnyActorScope,
  type AnyMachineSnapshot,
  createEmptyActor,
  type StateValue,
} from 'xstate';
import type {Effect, EffectKind} from '../core/domain/effects.ts';
import type {
  ActorKind,
  EmittedEffect,
  HostContext,
  HostEvent,
  VmContext,
  VmEvent,
} from './events.ts';
import {freshHost} from './host-rules.ts';
import {machines, type RestState} from './registry.ts';
import {freshVm} from './vm-rules.ts';

/** Effects that no state waits for: they run to their end wherever the actor goes. */
export const background: readonly EffectKind[] = [
  'cordon-host',
  'uncordon-host',
  'retire-ghost',
  'shift-traffic',
];

/** A new host or VM: `normal`, a VM on this host. */
export function firstState(kind: ActorKind, id: string, host = ''): RestState {
  return {state: 'normal', context: kind === 'host' ? freshHost(id) : {...freshVm(id), host}};
}

/** The context as JSON. Keys are in the order of the alphabet: equal contexts give equal text. */
export function contextText(context: HostContext | VmContext): string {
  return JSON.stringify(context);
}

/** Where an event leads, and the effects that were asked for on the way, in that order. */
export type Step = RestState & {effects: readonly Effect[]};

/**
 * One event, taken to its end by an actor at rest: the machine's own transition, a pure function, so
 * that no actor has to be made, started and kept for it. The context given is not changed. About 5 µs.
 *
 * Errors: whatever a guard or an action throws, a programmer error.
 */
export function stepActor(kind: ActorKind, rest: RestState, event: HostEvent | VmEvent): Step {
  emitted = [];
  const snapshot = {...snapshotOf(kind, rest.state), context: rest.context};
  // The two machines' types do not unite: their events are checked where they are sent.
  const next: AnyMachineSnapshot = machines[kind].machine.transition(
    snapshot as never,
    event as never,
    scope,
  );
  return {state: dotted(next.value), context: next.context, effects: emitted};
}

let emitted: Effect[] = [];

/** What a transition may do to the world around it: nothing but ask for effects. */
const scope: AnyActorScope = {
  self: createEmptyActor(),
  system: createEmptyActor().system,
  id: '',
  sessionId: '',
  logger: () => {},
  stopChild: () => {},
  defer: run => run(),
  emit: ({effect}: EmittedEffect) => emitted.push(effect),
  actionExecutor: ({exec, info, params}) => exec?.(info, params),
};

const snapshots = {
  host: new Map<string, AnyMachineSnapshot>(),
  vm: new Map<string, AnyMachineSnapshot>(),
};

/** A snapshot in this state, whose context is nobody's; made once a state. */
function snapshotOf(kind: ActorKind, state: string): AnyMachineSnapshot {
  const known = snapshots[kind].get(state);
  if (known !== undefined) return known;
  const {context} = firstState(kind, '');
  const snapshot: AnyMachineSnapshot = machines[kind].machine.resolveState({
    value: nested(state) as never,
    context: context as never,
  });
  snapshots[kind].set(state, snapshot);
  return snapshot;
}

function dotted(value: StateValue): string {
  if (typeof value === 'string') return value;
  const [parent, child] = Object.entries(value)[0] as [string, StateValue];
  return `${parent}.${dotted(child)}`;
}

function nested(path: string): StateValue {
  const dot = path.indexOf('.');
  return dot < 0 ? path : {[path.slice(0, dot)]: nested(path.slice(dot + 1))};
}
