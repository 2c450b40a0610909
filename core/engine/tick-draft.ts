import type {HostEvent, VmEvent} from '../../statecharts/events.ts';
import {machines} from '../../statecharts/registry.ts';
import type {Decision} from '../domain/decision.ts';
import type {Effect, IssuedEffect} from '../domain/effects.ts';
import type {AppliedRisk, Cut, InboxRecord, Tick, Transition} from '../domain/records.ts';
import type {InventoryHost, TelemetryRecord} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import {agentFor} from './effect-address.ts';
import type {PartitionState} from './partition-state.ts';
import type {ScoreResult} from './score-result.ts';

export type TickInput = {
  timeMs: number;
  cut: Cut;
  telemetry: readonly TelemetryRecord[];
  inbox: readonly InboxRecord[];
  scores: readonly ScoreResult[];
  /** False after a takeover until the inbox has been read to its end. */
  timers: boolean;
  recorded?: Tick;
};

/** What a tick collects on its way. */
export type TickDraft = {
  state: PartitionState;
  input: TickInput;
  transitions: Transition[];
  risks: AppliedRisk[];
  effects: IssuedEffect[];
  decisions: Decision[];
  inventory: InventoryHost[];
  controlChanged: boolean;
};

/** Sends an event to an actor and keeps what came of it. True if the actor moved. */
export function send(draft: TickDraft, actor: string, event: HostEvent | VmEvent): boolean {
  if (draft.input.recorded !== undefined) return false;
  const {move, effects, error} = draft.state.actors.send(actor, event);
  if (error !== undefined) {
    publish('actor.quarantined', {
      kind: actor.startsWith('hosts/') ? 'host' : 'vm',
      code: error.code,
    });
  }
  if (move !== undefined) {
    const {kind, ...transition} = move;
    const {id: machine, version: machineVersion} = machines[kind];
    draft.transitions.push({...transition, machine, machineVersion, event: event.type});
  }
  for (const effect of effects) issue(draft, effect);
  return move !== undefined;
}

function issue(draft: TickDraft, effect: Effect): void {
  const {state} = draft;
  const id = `${state.partition}/${state.epoch}/${state.tickNumber + 1}/${draft.effects.length}`;
  const issued: IssuedEffect = {...effect, id, ...agentFor(state, effect)};
  draft.effects.push(issued);
  state.running.set(id, {...issued, issuedAtMs: state.timeMs});
}
