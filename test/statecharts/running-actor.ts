import type {Effect, EffectKind} from '../../core/domain/effects.ts';
import {contextText, firstState, stepActor} from '../../statecharts/actor.ts';
import type {
  ActorKind,
  HostContext,
  HostEvent,
  StateName,
  VmContext,
  VmEvent,
} from '../../statecharts/events.ts';
import {
  awaitedEffect,
  machines,
  migrateSnapshot,
  type StoredState,
} from '../../statecharts/registry.ts';

/** One running host or VM: stepActor with a memory. */
export type RunningActor = {
  /** Takes one event to its end; effects have been handed on when it returns. Errors: those of a step. */
  send(event: HostEvent | VmEvent): void;
  /** Dotted: `at-risk.watching`. */
  path(): string;
  top(): StateName;
  context(): HostContext | VmContext;
  /** See {@link awaitedEffect}. */
  awaits(): EffectKind | '';
  /** State path and canonical JSON: equal actors give equal text. */
  serialise(): StoredState;
};

type StartOptions = {
  restored?: StoredState & {version?: number};
  /** Where a new VM runs. */
  host?: string;
};

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
  let rest =
    restored === undefined
      ? firstState(kind, id, host)
      : migrateSnapshot(kind, restored.version ?? version, restored.state, restored.context);
  return {
    send(event) {
      const {effects, ...next} = stepActor(kind, rest, event);
      rest = next;
      for (const effect of effects) onEffect(effect);
    },
    path: () => rest.state,
    top: () => rest.state.split('.', 1)[0] as StateName,
    context: () => rest.context,
    awaits: () => awaitedEffect(kind, rest.state),
    serialise: () => ({state: rest.state, context: contextText(rest.context)}),
  };
}
