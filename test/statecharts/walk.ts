import assert from 'node:assert/strict';
import type {Effect} from '../../core/domain/effects.ts';
import type {ActorKind, HostEvent, VmEvent} from '../../statecharts/events.ts';
import type {StoredState} from '../../statecharts/registry.ts';
import {type RunningActor, startActor} from './running-actor.ts';

const statesMax = 10_000;

export type AnyEvent = HostEvent | VmEvent;

const atMs = 1_000;
const deadlineMs = 60_000;
const result = {atMs, effectId: '0/1/1/0', figures: {}};

/** Every event of a VM that two hosts and a ghost's host can give rise to. */
export const vmEvents: readonly VmEvent[] = [
  ...['h1', 'h2', 'g1'].flatMap((host): VmEvent[] => [
    {type: 'risk.raised', atMs, risk: 0.5, host},
    {type: 'host.lost', atMs, host},
    {type: 'placement.observed', atMs, host},
    {type: 'fail-back.chosen', atMs, host, deadlineMs},
    {type: 'restart.chosen', atMs, targetHost: host, deadlineMs},
    {type: 'migration.chosen', atMs, host, targetHost: host === 'h1' ? 'h2' : 'h1', deadlineMs},
    {type: 'ghost.chosen', atMs, host, targetHost: host === 'g1' ? 'h1' : 'g1', deadlineMs},
  ]),
  {type: 'risk.cleared', atMs, risk: 0.1},
  {type: 'retire-ghost.chosen', atMs},
  {type: 'flag.changed', atMs, flag: 'frozen', on: true},
  {type: 'flag.changed', atMs, flag: 'frozen', on: false},
  {type: 'deadline.passed', atMs},
  {type: 'cancelled', atMs, by: 'operator'},
  ...(
    [
      'start-migration',
      'arm-ghost',
      'retire-ghost',
      'activate-ghost',
      'sync-back',
      'fail-back',
      'shift-traffic',
      'restart-vm',
    ] as const
  ).flatMap((kind): VmEvent[] => [
    {type: 'effect.completed', kind, code: '', ...result},
    {type: 'effect.failed', kind, code: 'BUSY', ...result},
  ]),
];

export const hostEvents: readonly HostEvent[] = [
  {type: 'risk.raised', atMs, risk: 0.5, component: 'disk'},
  {type: 'risk.cleared', atMs, risk: 0.1},
  {type: 'cordon.chosen', atMs},
  {type: 'uncordon.chosen', atMs},
  {type: 'evacuation.started', atMs, count: 2},
  {type: 'evacuation.ended', atMs, count: 0},
  {type: 'host.suspected', atMs},
  {type: 'host.heard', atMs},
  {type: 'fence.chosen', atMs},
  {type: 'host.lost', atMs, proof: 'fence'},
  {type: 'host.returned', atMs},
  {type: 'flag.changed', atMs, flag: 'stale', on: true},
  {type: 'deadline.passed', atMs},
  {type: 'cancelled', atMs, by: 'operator'},
  ...(['cordon-host', 'uncordon-host', 'fence-host'] as const).flatMap((kind): HostEvent[] => [
    {type: 'effect.completed', kind, code: '', ...result},
    {type: 'effect.failed', kind, code: 'BUSY', ...result},
  ]),
];

/** One step of one actor, with everything there is to say about it. */
export type Step = {
  event: AnyEvent;
  before: StoredState;
  after: StoredState;
  effects: readonly Effect[];
  actor: RunningActor;
};

/** Starts an actor that shows each of its steps. */
export function watched(kind: ActorKind, restored?: StoredState) {
  let effects: Effect[] = [];
  const options = restored === undefined ? {host: 'h1'} : {restored};
  const actor = startActor(kind, 'x', effect => effects.push(effect), options);
  return {
    actor,
    send(event: AnyEvent): Step {
      effects = [];
      const before = actor.serialise();
      actor.send(event);
      return {event, before, after: actor.serialise(), effects, actor};
    },
  };
}

/**
 * Every state and context that an actor can get into by these events, nearest first. Time stands
 * still, so there are finitely many. Calls `see` for each step from each of them.
 */
export function explore(
  kind: ActorKind,
  events: readonly AnyEvent[],
  see: (step: Step) => void = () => {},
): readonly StoredState[] {
  const known = new Map<string, StoredState>();
  const add = (stored: StoredState) => {
    const key = `${stored.state} ${stored.context}`;
    if (!known.has(key)) known.set(key, stored);
  };
  add(watched(kind).actor.serialise());
  for (const stored of known.values()) {
    assert(known.size <= statesMax, `more than ${statesMax} states: what grows without a bound?`);
    for (const event of events) {
      const step = watched(kind, stored).send(event);
      see(step);
      add(step.after);
    }
  }
  return [...known.values()];
}
