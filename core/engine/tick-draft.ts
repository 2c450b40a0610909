import type {HostEvent, VmEvent} from '../../statecharts/events.ts';
import {machines} from '../../statecharts/registry.ts';
import type {Decision} from '../domain/decision.ts';
import type {Effect, IssuedEffect} from '../domain/effects.ts';
import type {HostOutcome} from '../domain/observed.ts';
import type {
  AppliedRisk,
  CellRestraint,
  Cut,
  InboxRecord,
  SampleRisks,
  Tick,
  Transition,
  VmWorkload,
} from '../domain/records.ts';
import type {InventoryHost, TelemetryRecord} from '../domain/telemetry.ts';
import {type EngineEventName, type EngineEvents, publish} from '../events.ts';
import {agentFor, entityOf} from './effect-address.ts';
import type {KnownModels} from './model-switch.ts';
import type {PartitionState} from './partition-state.ts';
import type {ScoreResult} from './score-result.ts';

/** `lost`: here the log has records no more, or some that cannot be read. */
export type TelemetryInput = TelemetryRecord | {kind: 'lost'};

export type TickInput = {
  timeMs: number;
  cut: Cut;
  telemetry: readonly TelemetryInput[];
  inbox: readonly InboxRecord[];
  scores: readonly ScoreResult[];
  /** False after a takeover until the inbox has been read to its end. */
  timers: boolean;
  /** Those that commands of this tick, or the tick that is replayed, name; absent: none. */
  models?: KnownModels;
  recorded?: RecordedTick;
};

/** What a replay takes from a tick of the journal instead of making it again. */
export type RecordedTick = Pick<
  Tick,
  'transitions' | 'effects' | 'decisions' | 'everySamples' | 'modelHash' | 'models' | 'restraints'
>;

/** What a tick collects on its way. */
export type TickDraft = {
  state: PartitionState;
  input: TickInput;
  transitions: Transition[];
  risks: AppliedRisk[];
  sampleRisks: SampleRisks[];
  effects: IssuedEffect[];
  decisions: Decision[];
  inventory: InventoryHost[];
  workloads: VmWorkload[];
  restraints: CellRestraint[];
  /** Of hosts, for those who tend models; a replay comes to the same, and tells nobody. */
  outcomes: HostOutcome[];
  controlChanged: boolean;
  modelsChanged: boolean;
  /** A band changed: the tick is written even if no actor moved. */
  bandChanged: boolean;
  /** Of `input.recorded`: what has not been applied yet, in the order in which it happened. */
  recordedMoves: Transition[];
  recordedEffects: IssuedEffect[];
};

/** Sends an event to an actor and keeps what came of it. True if the actor moved. */
export function send(draft: TickDraft, actor: string, event: HostEvent | VmEvent): boolean {
  if (draft.input.recorded !== undefined) return sendRecorded(draft, actor, event.type);
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

/** In a replay the journal says whether an event moved its actor, and how. */
function sendRecorded(draft: TickDraft, actor: string, event: string): boolean {
  const next = draft.recordedMoves[0];
  if (next === undefined || next.actor !== actor || next.event !== event) return false;
  draft.recordedMoves.shift();
  applyMove(draft, next);
  return true;
}

/** Puts an actor where the journal says it went, with the effects that it asked for there. */
export function applyMove(draft: TickDraft, move: Transition): void {
  const {state, recordedEffects} = draft;
  const kind = move.actor.startsWith('hosts/') ? 'host' : 'vm';
  const name = move.actor.slice(move.actor.indexOf('/') + 1);
  state.actors.start(kind, name, {
    id: move.actor,
    kind,
    machineVersion: move.machineVersion,
    seq: move.seq,
    state: move.to,
    context: move.context,
    quarantined: '',
  });
  draft.transitions.push(move);
  while (recordedEffects[0] !== undefined && entityOf(recordedEffects[0]) === move.actor) {
    applyEffect(draft, recordedEffects.shift() as IssuedEffect);
  }
}

export function applyEffect({state, effects}: TickDraft, effect: IssuedEffect): void {
  effects.push(effect);
  state.running.set(effect.id, {...effect, issuedAtMs: state.timeMs});
}

/** Tells listeners what happened, unless it happened before and is only replayed. */
export function tell<Name extends EngineEventName>(
  {input}: TickDraft,
  name: Name,
  fields: EngineEvents[Name],
): void {
  if (input.recorded === undefined) publish(name, fields);
}

function issue(draft: TickDraft, effect: Effect): void {
  const {state} = draft;
  const id = `${state.partition}/${state.epoch}/${state.tickNumber + 1}/${draft.effects.length}`;
  const issued: IssuedEffect = {...effect, id, ...agentFor(state, effect)};
  draft.effects.push(issued);
  state.running.set(id, {...issued, issuedAtMs: state.timeMs});
}
