import type {EffectKind, EffectResult, IssuedEffect} from '../domain/effects.ts';
import {metricSet} from '../domain/metric-sets.ts';
import type {InboxRecord} from '../domain/records.ts';
import {liftRestraints} from './cell-restraint.ts';
import {noteAct} from './cell-skill.ts';
import {entityOf} from './effect-address.ts';
import {declareLost, takeDeclaration} from './host-fate.ts';
import {hostEvacuated} from './host-outcomes.ts';
import {switchModel} from './model-switch.ts';
import {requestBody} from './request-body.ts';
import {createSetTable} from './set-table.ts';
import {send, type TickDraft, tell} from './tick-draft.ts';

/** Request ids of commands that are remembered, so that a repeated one does nothing. */
const REQUESTS_MAX = 10_000;

/**
 * Takes commands and results in offset order. What repeats a result is known by its effect, which has
 * ended: no id that a client chooses keeps one from being taken.
 */
export function takeInbox(draft: TickDraft): void {
  for (const record of draft.input.inbox) {
    if (record.kind !== 'effect-result' && isRepeat(draft, record)) continue;
    takeRecord(draft, record);
  }
}

/** Another request under an id that was used before is taken: its sender was told that it counts. */
function isRepeat({state: {requests}}: TickDraft, record: InboxRecord): boolean {
  const {requestId} = record;
  const body = requestBody(record);
  if (requests.get(requestId) === body) return true;
  requests.delete(requestId);
  requests.set(requestId, body);
  if (requests.size > REQUESTS_MAX) requests.delete(requests.keys().next().value as string);
  return false;
}

function takeRecord(draft: TickDraft, record: InboxRecord): void {
  const {state} = draft;
  switch (record.kind) {
    case 'effect-result':
      takeResult(draft, record.result);
      return;
    case 'register-metric-set': {
      const set = metricSet(record.name, record.entityKind, record.columns);
      if (!state.tables.has(set.name)) state.tables.set(set.name, createSetTable(set, state.model));
      return;
    }
    case 'pause':
    case 'resume':
      state.control = {...state.control, paused: record.kind === 'pause'};
      draft.controlChanged = true;
      if (record.kind === 'pause') callOff(draft, record.author);
      return;
    case 'set-mode':
      state.control = {...state.control, mode: record.mode};
      draft.controlChanged = true;
      return;
    case 'declare-host': {
      const host = state.hosts.get(record.host);
      if (host !== undefined) takeDeclaration(draft, host, record);
      return;
    }
    case 'switch-model':
      switchModel(draft, record);
      return;
    case 'lift-restraint':
      liftRestraints(draft, record.cell, liftedBy(record));
      return;
  }
}

/**
 * Acts under way that a pause ends: nobody is worse off where they stop. What heals, and what follows
 * a VM that has moved, runs to its end; a cordon harms nobody.
 */
const CALLED_OFF: ReadonlySet<EffectKind> = new Set(['start-migration', 'arm-ghost', 'fence-host']);

function callOff(draft: TickDraft, by: string): void {
  const {state} = draft;
  for (const effect of [...state.running.values()]) {
    const actor = entityOf(effect);
    if (!CALLED_OFF.has(effect.kind) || !state.actors.wants(actor, effect.kind)) continue;
    send(draft, actor, {type: 'cancelled', atMs: state.timeMs, by});
  }
}

function liftedBy({author, comment}: {author: string; comment: string}): string {
  return `lifted by ${author}${comment === '' ? '' : `: ${comment}`}`;
}

/** The first result per id counts; it ends the effect, whatever comes later. */
function takeResult(draft: TickDraft, result: EffectResult): void {
  const {state} = draft;
  const effect = state.running.get(result.id);
  if (effect === undefined) return;
  state.running.delete(result.id);
  tell(draft, 'effect.finished', {
    kind: effect.kind,
    vm: effect.vm,
    status: result.status,
    figures: result.figures,
  });
  noteOutcome(draft, effect, result);
  if (noteAct(state, effect, result) && result.status === 'done') hostEvacuated(draft, effect);
  send(draft, entityOf(effect), {
    type: result.status === 'done' ? 'effect.completed' : 'effect.failed',
    atMs: state.timeMs,
    kind: effect.kind,
    effectId: result.id,
    code: result.code,
    figures: result.figures,
  });
  if (effect.kind === 'fence-host' && result.status === 'done') {
    const host = state.hosts.get(effect.host);
    if (host !== undefined) declareLost(draft, host, 'fence', {askedAtMs: effect.issuedAtMs});
  }
}

/** Dwell, cooldown and the hourly budget rest on what really happened. */
function noteOutcome({state}: TickDraft, effect: IssuedEffect, result: EffectResult): void {
  const vm = state.vms.get(effect.vm);
  const host = state.hosts.get(effect.host);
  if (result.status === 'failed') {
    if (vm !== undefined) vm.failedAtMs = state.timeMs;
    else if (host !== undefined) host.failedAtMs = state.timeMs;
    return;
  }
  if (result.status !== 'done' || vm === undefined) return;
  // Wherever it is now, nobody has missed it there.
  vm.missing = 0;
  if (effect.kind !== 'start-migration') return;
  vm.movedAtMs = state.timeMs;
  vm.dirtiedBytesPerSecond = dirtiedIn(result.figures, vm.facts.memoryBytes);
  const moves = state.moves.get(vm.cell) ?? [];
  moves.push(state.timeMs);
  state.moves.set(
    vm.cell,
    moves.filter(atMs => state.timeMs - atMs < 3_600_000),
  );
}

/** Bytes that a migration had to send again, by the second: pages were written behind it. */
function dirtiedIn(figures: EffectResult['figures'], memoryBytes: number): number {
  const {transferred_bytes: sent = Number.NaN, duration_seconds: seconds = Number.NaN} = figures;
  return seconds > 0 ? Math.max(0, sent - memoryBytes) / seconds : Number.NaN;
}
