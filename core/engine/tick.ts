/**
 * One tick: a pure step of a partition's fold.
 *
 *   inbox in offset order → columns → windows → scores that are back → bands → events to actors →
 *   timers due → planner → decisions, effects
 *
 * T1 Nothing here reads a clock, a file or a random number: time is `input.timeMs`.
 * T2 Entities are visited in canonical order: host id, then VM id.
 * T3 With `recorded`, moves, effects and decisions are taken from the journal instead of being
 *    made again; inputs are folded all the same.
 * T4 Time begins with the first sample, as it may be another than the clock's; what a command before
 *    that did is recorded at the time of the clock.
 * T5 A tick that took nothing and changed nothing leaves no trace but its time: it need not be
 *    known to a replay.
 */

import {COMPONENTS} from '../domain/components.ts';
import type {HostOutcome} from '../domain/observed.ts';
import type {Cut, Tick} from '../domain/records.ts';
import {learnCells} from './cell-learning.ts';
import {adoptRestraints, judgeCells} from './cell-restraint.ts';
import {advanceSkills, forecastCells} from './cell-skill.ts';
import {findDownVms} from './host-fate.ts';
import {explainBoots} from './host-outcomes.ts';
import {adopt, modelUse} from './model-switch.ts';
import type {PartitionState} from './partition-state.ts';
import {outputsOf} from './set-table.ts';
import {send, type TickDraft, type TickInput} from './tick-draft.ts';
import {takeInbox} from './tick-inbox.ts';
import {noticeSilence} from './tick-inventory.ts';
import {planTick} from './tick-planning.ts';
import {applyRecorded} from './tick-recorded.ts';
import {takeScores} from './tick-scores.ts';
import {baseOf, takeTelemetry} from './tick-telemetry.ts';
import {takeWorkloads} from './tick-workload.ts';

export type Stepped = {
  /** What the journal keeps of the tick. */
  tick: Tick;
  /** Whether it must be written. */
  changed: boolean;
  /** Hosts that were forecast, by name; undefined: no step of the grid has begun. */
  forecasts: readonly string[] | undefined;
  /** What became of hosts, in the order in which the tick came upon it. */
  outcomes: readonly HostOutcome[];
};

/** Steps the state, and gives what came of it. */
export function advance(state: PartitionState, input: TickInput): Stepped {
  const {plannedAtMs} = state;
  const isIdle = sameCut(state.cut, input.cut);
  const timeMs = Math.max(state.timeMs, input.timeMs);
  if (baseOf(state, input.telemetry) !== undefined) state.timeMs = timeMs;
  const draft: TickDraft = {
    state,
    input,
    transitions: [],
    risks: [],
    sampleRisks: [],
    effects: [],
    decisions: [],
    inventory: [],
    workloads: [],
    restraints: [],
    outcomes: [],
    controlChanged: false,
    modelsChanged: input.recorded?.models !== undefined,
    bandChanged: false,
    recordedMoves: [...(input.recorded?.transitions ?? [])],
    recordedEffects: [...(input.recorded?.effects ?? [])],
  };
  if (input.recorded !== undefined) state.everySamples = input.recorded.everySamples ?? 0;
  // Their risks are in this tick, or never will be.
  state.unscored = state.unscored.filter(due => due.request > input.cut.scoreRequest);
  const {models} = input.recorded ?? {};
  if (models !== undefined) adopt(state, models, input.models);
  if (!isIdle) advanceSkills(state);
  takeInbox(draft);
  takeTelemetry(draft);
  takeWorkloads(draft);
  if (!isIdle) explainBoots(draft);
  takeScores(draft);
  if (!isIdle) learnCells(draft);
  const forecasts = isIdle ? undefined : forecastCells(draft);
  if (input.recorded === undefined) {
    if (forecasts !== undefined) judgeCells(draft);
    noticeSilence(draft);
    if (input.timers) fireTimers(draft);
    findDownVms(draft);
    planTick(draft);
  } else {
    adoptRestraints(draft);
    applyRecorded(draft, input.recorded);
  }
  state.cut = input.cut;
  const {tick, changed} = finish(draft, timeMs);
  if (isIdle && !changed) state.plannedAtMs = plannedAtMs;
  return {tick, changed, forecasts, outcomes: draft.outcomes};
}

function sameCut(a: Cut, b: Cut): boolean {
  return (
    a.telemetryOffset === b.telemetryOffset &&
    a.inboxOffset === b.inboxOffset &&
    a.scoreRequest === b.scoreRequest
  );
}

function fireTimers(draft: TickDraft): void {
  for (const actor of draft.state.actors.due(draft.state.timeMs)) {
    send(draft, actor, {type: 'deadline.passed', atMs: draft.state.timeMs});
  }
}

function finish(draft: TickDraft, timeMs: number): {tick: Tick; changed: boolean} {
  const {state, input} = draft;
  const changed =
    draft.transitions.length +
      draft.risks.length +
      draft.sampleRisks.length +
      draft.effects.length +
      draft.decisions.length +
      draft.inventory.length +
      draft.workloads.length +
      draft.restraints.length >
      0 ||
    draft.controlChanged ||
    draft.modelsChanged ||
    draft.bandChanged;
  const outputs = outputsOf(state.model);
  const saysOutputs = draft.risks.length > 0 && outputs.join() !== COMPONENTS.join();
  const tick: Tick = {
    timeMs,
    epoch: state.epoch,
    number: state.tickNumber + 1,
    cut: input.cut,
    transitions: draft.transitions,
    risks: draft.risks,
    ...(draft.sampleRisks.length === 0 ? {} : {sampleRisks: draft.sampleRisks}),
    ...(state.everySamples === 0 ? {} : {everySamples: state.everySamples}),
    timers: timersOf(draft),
    effects: draft.effects,
    decisions: draft.decisions,
    inventory: draft.inventory,
    ...(draft.workloads.length === 0 ? {} : {workloads: draft.workloads}),
    ...(draft.controlChanged ? {control: {...state.control}} : {}),
    modelHash: input.recorded?.modelHash ?? state.model.hash,
    ...(draft.modelsChanged ? {models: modelUse(state)} : {}),
    ...(draft.restraints.length === 0 ? {} : {restraints: draft.restraints}),
    ...(saysOutputs ? {components: outputs} : {}),
  };
  return {tick, changed};
}

/** Deadlines of the actors that moved, as they stand after the tick. */
function timersOf(draft: TickDraft): {actor: string; dueMs: number}[] {
  const moved = new Set(draft.transitions.map(transition => transition.actor));
  return [...moved].sort().map(actor => {
    const name = actor.slice(actor.indexOf('/') + 1);
    const context = actor.startsWith('hosts/')
      ? draft.state.actors.hostContext(name)
      : draft.state.actors.vmContext(name);
    return {actor, dueMs: context?.deadlineMs ?? 0};
  });
}
