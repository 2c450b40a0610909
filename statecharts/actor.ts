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
import {awaitedEffect, machines, migrateSnapshot, type StoredState} from './registry.ts';
import {freshVm} from './vm-rules.ts';

/** One running host or VM. */
export type RunningActor = {
  /**
   * Takes one event to its end; effects have been handed on when it returns. About 10 µs.
   * Errors: whatever a guard or an action throws, a programmer error; the actor is over then.
   */
  send(event: HostEvent | VmEvent): void;
  /** Dotted: `at-risk.watching`. */
  path(): string;
  top(): StateName;
  context(): HostContext | VmContext;
  /**
   * The effect whose result this state waits for; empty: none. An effect of this actor that runs
   * although nobody waits for it is to be cancelled (see {@link background} for those that never
   * are).
   */
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
  const stored =
    restored === undefined
      ? {state: 'normal', context: kind === 'host' ? freshHost(id) : {...freshVm(id), host}}
      : migrateSnapshot(kind, restored.version ?? version, restored.state, restored.context);
  // The two machines' types do not unite; their events are checked at `send`.
  const machine: AnyStateMachine = machines[kind].machine;
  const snapshot = machine.resolveState({value: nested(stored.state), context: stored.context});
  const actor = createActor(machine, {input: {id}, snapshot});
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
  const keys = Object.keys(stored.context).sort();
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
    path,
    top: () => path().split('.', 1)[0] as StateName,
    context,
    awaits: () => awaitedEffect(kind, path()),
    serialise: () => ({state: path(), context: JSON.stringify(context(), keys)}),
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
