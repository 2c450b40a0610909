import {type AnyStateMachine, createActor, type StateValue} from 'xstate';
import type {Effect, EffectKind} from '../core/domain/effects.ts';
import type {
  ActorKind,
  EmittedEffect,
  HostContext,
  HostEvent,
  StateName,
  VmContext,
  VmEvent,
} from './events.ts';
import {freshHost} from './host-rules.ts';
import {
  awaitedEffect,
  machines,
  migrateSnapshot,
  type RestState,
  type StoredState,
} from './registry.ts';
import {freshVm} from './vm-rules.ts';

/** One running host or VM. */
export type RunningActor = {
  /**
   * Takes one event to its end; effects have been handed on when it returns. About 10 µs.
   * Errors: whatever a guard or an action throws, a programmer error; the actor is over then.
   */
  send(event: HostEvent | VmEvent): void;
  /** Where it is now. The context is never changed in place. */
  rest(): RestState;
  /** Dotted: `at-risk.watching`. */
  path(): string;
  top(): StateName;
  context(): HostContext | VmContext;
  /** See {@link awaitedEffect}. */
  awaits(): EffectKind | '';
  /** State path and canonical JSON: equal actors give equal text. */
  serialise(): StoredState;
  stop(): void;
};

export type StartOptions = {
  restored?: StoredState & {version?: number};
  /** Where a new VM runs. */
  host?: string;
};

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

/**
 * Starts an actor in `normal`, or where it was stored. `onEffect` is called in emission order,
 * after the transition.
 *
 * Errors: `ACTOR_QUARANTINED` if the stored state cannot be understood.
 */
export function startActor(
  kind: ActorKind,
  id: string,
  onEffect: (effect: Effect) => void,
  {restored, host = ''}: StartOptions = {},
): RunningActor {
  const {version} = machines[kind];
  const rest =
    restored === undefined
      ? firstState(kind, id, host)
      : migrateSnapshot(kind, restored.version ?? version, restored.state, restored.context);
  return resumeActor(kind, rest, onEffect);
}

/** Goes on where an actor rested: it behaves as if it had run all the while. About 15 µs. */
export function resumeActor(
  kind: ActorKind,
  rest: RestState,
  onEffect: (effect: Effect) => void,
): RunningActor {
  // The two machines' types do not unite; their events are checked at `send`.
  const machine: AnyStateMachine = machines[kind].machine;
  const snapshot = machine.resolveState({value: nested(rest.state), context: rest.context});
  const actor = createActor(machine, {input: {id: rest.context.id}, snapshot});
  let failure: unknown;
  let emitted: Effect[] = [];
  actor.on('effect', ({effect}: EmittedEffect) => emitted.push(effect));
  // Without an observer XState throws in a later turn, where nobody can tell whose error it is.
  actor.subscribe({
    error: error => {
      failure = error;
    },
  });
  actor.start();
  const path = () => dotted(actor.getSnapshot().value);
  const context = (): HostContext | VmContext => actor.getSnapshot().context;
  return {
    send(event) {
      actor.send(event);
      if (failure !== undefined) throw failure;
      const effects = emitted;
      emitted = [];
      for (const effect of effects) onEffect(effect);
    },
    rest: () => ({state: path(), context: context()}),
    path,
    top: () => path().split('.', 1)[0] as StateName,
    context,
    awaits: () => awaitedEffect(kind, path()),
    serialise: () => ({state: path(), context: contextText(context())}),
    stop: () => actor.stop(),
  };
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
