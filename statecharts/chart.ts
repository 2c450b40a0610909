import type {EffectKind} from '../core/domain/effects.ts';
import type {ActorKind} from './events.ts';
import {machines} from './registry.ts';

/** A state as data, from the running machine itself. */
export type ChartState = {
  path: string;
  /** Leaf that is entered with it; itself for a leaf. */
  initial: string;
  leaf: boolean;
  /** The effect whose result is waited for here; empty: none. */
  awaits: EffectKind | '';
  /** Effects that entering it asks for. */
  effects: readonly string[];
};

/** A transition as data. An empty `event` is taken as soon as its guard holds. */
export type ChartTransition = {
  from: string;
  event: string;
  /** In words; empty: always. */
  guard: string;
  /** Empty: the state stays, only the context changes. */
  to: string;
  actions: readonly string[];
  effects: readonly string[];
};

export type Chart = {states: readonly ChartState[]; transitions: readonly ChartTransition[]};

/** The part of XState's nodes that a chart is made of. */
type Node = {
  path: string[];
  initial: {target: readonly Node[]};
  states: Record<string, Node>;
  entry: readonly unknown[];
  always?: readonly Edge[];
  transitions: Map<string, readonly Edge[]>;
  meta?: {awaits?: EffectKind};
};
type Edge = {
  eventType: string;
  guard?: unknown;
  target?: readonly Node[];
  actions: readonly unknown[];
};

/** The chart of a machine, parents before children, each in the order of its source. */
export function chartOf(kind: ActorKind): Chart {
  const root = machines[kind].machine.root as unknown as Node;
  const nodes = descendants(root);
  return {
    states: nodes.slice(1).map(toState),
    transitions: nodes.flatMap(node =>
      [...(node.always ?? []), ...[...node.transitions.values()].flat()].map(edge =>
        toTransition(node, edge),
      ),
    ),
  };
}

function descendants(node: Node): Node[] {
  return [node, ...Object.values(node.states).flatMap(descendants)];
}

const pathOf = ({path}: Node) => path.join('.');

function entered(node: Node): Node {
  const child = node.initial.target[0];
  return Object.keys(node.states).length === 0 || child === undefined ? node : entered(child);
}

function toState(node: Node): ChartState {
  const leaf = entered(node);
  return {
    path: pathOf(node),
    initial: pathOf(leaf),
    leaf: leaf === node,
    awaits: node.meta?.awaits ?? '',
    effects: effectsOf(node.entry),
  };
}

function toTransition(node: Node, edge: Edge): ChartTransition {
  return {
    from: pathOf(node),
    event: edge.eventType,
    guard: edge.guard === undefined ? '' : inWords(edge.guard),
    to: edge.target?.[0] === undefined ? '' : pathOf(edge.target[0]),
    actions: edge.actions.map(inWords),
    effects: effectsOf(edge.actions),
  };
}

type Reference = string | {type: string; params?: {kind?: string; ms?: number}};

/** `primaryLost` → `primary lost`; `{of, start-migration}` → `start-migration`. */
function inWords(reference: unknown): string {
  const {type, params} = asObject(reference);
  const words = type.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
  const detail = params?.kind ?? (params?.ms === undefined ? '' : `${params.ms / 1000} s`);
  if (detail === '') return words;
  return words.startsWith('of') ? `${detail}${words.slice(2)}` : `${words} ${detail}`;
}

function effectsOf(actions: readonly unknown[]): string[] {
  return actions
    .flatMap(action => asObject(action))
    .flatMap(({type, params}) => {
      if (type === 'ask') return [params?.kind ?? ''];
      return type === 'dropGhost' ? ['retire-ghost'] : [];
    });
}

function asObject(reference: unknown): Exclude<Reference, string> {
  return typeof reference === 'string' ? {type: reference} : (reference as {type: string});
}
