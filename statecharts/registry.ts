import type {EffectKind} from '../core/domain/effects.ts';
import {ForestayError} from '../core/domain/errors.ts';
import type {ActorKind, HostContext, VmContext} from './events.ts';
import {hostMachine} from './host.ts';
import {freshHost} from './host-rules.ts';
import {vmMachine} from './vm.ts';
import {freshVm} from './vm-rules.ts';

/** Raise a version with every change after which an old state or context would not be understood. */
export const machines = {
  host: {id: 'host', version: 1, machine: hostMachine},
  vm: {id: 'vm', version: 1, machine: vmMachine},
} as const;

/** An actor at rest: dotted state path and context as JSON. */
export type StoredState = {state: string; context: string};

/** The same as values: what an actor is made of again when it has something to hear. */
export type RestState = {state: string; context: HostContext | VmContext};

const leaves = {host: leafNodes(hostMachine.root), vm: leafNodes(vmMachine.root)};

/** All states that an actor can be in, in the order of the chart. */
export function statePaths(kind: ActorKind): readonly string[] {
  return [...leaves[kind].keys()];
}

/**
 * The effect whose result an actor in this state waits for; empty: none. An effect of an actor that
 * runs although nobody waits for it is to be cancelled, unless it is one of the background.
 */
export function awaitedEffect(kind: ActorKind, path: string): EffectKind | '' {
  return leaves[kind].get(path)?.meta?.awaits ?? '';
}

type Node = {path: string[]; meta?: {awaits: EffectKind}; states: Record<string, Node>};

function leafNodes(node: Node): Map<string, Node> {
  const children = Object.values(node.states);
  if (children.length === 0) return new Map([[node.path.join('.'), node]]);
  return new Map(children.flatMap(child => [...leafNodes(child)]));
}

/**
 * Brings a stored actor to the present version of its machine. Every older version needs its own
 * step here; there is none yet.
 *
 * Errors: `ACTOR_QUARANTINED` for an unknown version or state, or a context that is not one.
 */
export function migrateSnapshot(
  kind: ActorKind,
  version: number,
  state: string,
  context: string,
): RestState {
  const current = machines[kind].version;
  if (version !== current) {
    throw refusal(kind, `version ${version} is not ${current}`, {version});
  }
  if (!leaves[kind].has(state)) {
    throw refusal(kind, `it has no state ${JSON.stringify(state)}`, {version, state});
  }
  return {state, context: parseContext(kind, context)};
}

function parseContext(kind: ActorKind, json: string): HostContext | VmContext {
  let stored: unknown;
  try {
    stored = JSON.parse(json);
  } catch (cause) {
    throw refusal(kind, 'the context is not JSON', {bytes: json.length}, cause);
  }
  const found = (typeof stored === 'object' ? stored : null) as Record<string, unknown> | null;
  // Filled in place: its keys are in the canonical order, whatever the order of the text.
  const context: Record<string, unknown> = kind === 'host' ? freshHost('') : freshVm('');
  for (const key of Object.keys(context)) {
    const wanted = typeof context[key];
    const value = found?.[key];
    if (typeof value !== wanted) {
      throw refusal(kind, `field ${key} of the context must be a ${wanted}`, {wrong: key});
    }
    context[key] = value;
  }
  return context as HostContext | VmContext;
}

function refusal(
  kind: ActorKind,
  because: string,
  details: Record<string, string | number>,
  cause?: unknown,
): ForestayError {
  return new ForestayError(
    'ACTOR_QUARANTINED',
    `stored actor of machine ${kind} cannot be restored: ${because}; ` +
      'run the version that wrote it, or add a migration',
    {details: {machine: kind, ...details}, cause},
  );
}
