/**
 * How the cells of a partition keep the proof that prediction helps (skill-fold.ts): what was
 * forecast and what was done about it, as the tick comes upon them; what came see host-outcomes.ts.
 *
 * P1 It is part of the fold: inputs alone decide, and it is checkpointed. A replay comes to the same.
 * P2 Only what it leads to is in the journal: that a cell is restrained, or not any more.
 */

import type {EffectResult} from '../domain/effects.ts';
import {OUTPUTS, SAID_COUNT} from '../domain/skill/skill-events.ts';
import {
  advanceSkill,
  takeAct,
  takeAlert,
  takeAlertEnd,
  takeForecast,
} from '../domain/skill/skill-fold.ts';
import {DEFAULT_SKILL_SETTINGS} from '../domain/skill/skill-settings.ts';
import {createSkillState, type SkillState} from '../domain/skill/skill-state.ts';
import {hostHidden, hostSeen} from './host-outcomes.ts';
import {modelOf} from './model-switch.ts';
import {bandRow, type HostEntry, type PartitionState} from './partition-state.ts';
import type {RunningEffect} from './running-effects.ts';
import {hasFeatures, type SetTable} from './set-table.ts';
import type {TickDraft} from './tick-draft.ts';

const ACTS = {'start-migration': 'migrate', 'arm-ghost': 'arm-ghost'} as const;

/** First in a tick that took input: what time alone decides. */
export function advanceSkills({skills, timeMs}: PartitionState): void {
  for (const skill of skills.values()) advanceSkill(skill, timeMs);
}

/**
 * Last in a tick that took input: forecasts, if a step of the grid has begun. A host that is silent
 * is not watched; nothing is said of it until it is heard again.
 *
 * @returns Which hosts were forecast, by name; undefined if none has begun.
 */
export function forecastCells(draft: TickDraft): readonly string[] | undefined {
  const {state} = draft;
  const {gridMs} = DEFAULT_SKILL_SETTINGS;
  const stepMs = Math.floor(state.timeMs / gridMs) * gridMs;
  if (stepMs <= state.forecastAtMs) return undefined;
  state.forecastAtMs = stepMs;
  const forecasts: string[] = [];
  for (const name of state.hosts.sortedKeys()) {
    const host = state.hosts.get(name) as HostEntry;
    if (state.actors.hostContext(name)?.lost) continue;
    if (state.timeMs - host.heardAtMs > state.policy.silence.staleAfterMs) {
      hostHidden(draft, host);
      continue;
    }
    hostSeen(draft, host);
    const found = bandRow(state, host);
    if (found !== undefined && isForecast(found.table, found.row)) {
      forecast(state, host, found.table, found.row);
      forecasts.push(name);
    }
  }
  return forecasts;
}

function isForecast(table: SetTable, row: number): boolean {
  if (!table.scored || !hasFeatures(table, row)) return false;
  return !Number.isNaN(table.bands.risk[row] as number);
}

function forecast(state: PartitionState, host: HostEntry, table: SetTable, row: number): void {
  const width = table.outputs.length;
  const risks = new Float32Array(SAID_COUNT).fill(Number.NaN);
  for (let index = 0; index < width; index++) {
    const output = (OUTPUTS as readonly string[]).indexOf(table.outputs[index] as string);
    if (output >= 0) risks[output] = table.risks[row * width + index] as number;
  }
  const modelHash = modelOf(state, host.name).hash;
  takeForecast(skillOf(state, host.cell), {host: host.name, atMs: state.timeMs, modelHash, risks});
}

/** A host came into the band, or left it. */
export function noteBand(
  state: PartitionState,
  host: HostEntry,
  change: 'raised' | 'cleared',
  {risk, component}: {risk: number; component: string},
): void {
  const skill = skillOf(state, host.cell);
  const {timeMs: atMs} = state;
  if (change === 'cleared') takeAlertEnd(skill, host.name, atMs);
  else takeAlert(skill, {host: host.name, atMs, risk, component, ...hashOf(state, host)});
}

/**
 * An effect is over: what acts ahead of a failure counts, unless nobody ever began it.
 *
 * @returns Whether it counts.
 */
export function noteAct(
  state: PartitionState,
  effect: RunningEffect,
  result: EffectResult,
): boolean {
  const source = state.hosts.get(effect.host);
  if (effect.kind !== 'start-migration' && effect.kind !== 'arm-ghost') return false;
  if (source === undefined || result.status === 'abandoned') return false;
  takeAct(skillOf(state, source.cell), {
    id: effect.id,
    action: ACTS[effect.kind],
    vm: effect.vm,
    source: effect.host,
    target: effect.targetHost,
    startedAtMs: effect.issuedAtMs,
    finishedAtMs: state.timeMs,
    done: result.status === 'done',
    blackoutMs: 1000 * (result.figures.downtime_seconds ?? Number.NaN),
    criticality: state.vms.get(effect.vm)?.facts.criticality ?? Number.NaN,
    ...hashOf(state, source),
  });
  return true;
}

/** What is kept of a cell; made for one that is new. */
function skillOf({skills, policy, timeMs}: PartitionState, cell: string): SkillState {
  let skill = skills.get(cell);
  if (skill === undefined) {
    const {horizonMs, costs} = policy;
    skill = createSkillState({
      ...DEFAULT_SKILL_SETTINGS,
      horizonMs,
      restartMinutes: costs.restartMinutes,
      takeoverMinutes: costs.ghostTakeoverMinutes,
    });
    advanceSkill(skill, timeMs);
    skills.set(cell, skill);
  }
  return skill;
}

function hashOf(state: PartitionState, {name}: HostEntry): {modelHash: string} {
  return {modelHash: modelOf(state, name).hash};
}
