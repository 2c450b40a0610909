import {decisionKey} from '../domain/decision.ts';
import {followTrials, noteDraw} from './cell-trial.ts';
import {applyEffect, applyMove, type RecordedTick, type TickDraft} from './tick-draft.ts';
import {takePlanningTurn} from './tick-planning.ts';

/**
 * Applies the rest of what a tick of the journal did instead of doing it again: another version of
 * the machines or the planner must not rewrite history. What inputs led to was applied where they
 * were taken (see `send`).
 */
export function applyRecorded(draft: TickDraft, recorded: RecordedTick): void {
  const {state, recordedMoves, recordedEffects} = draft;
  for (const move of recordedMoves.splice(0)) applyMove(draft, move);
  for (const effect of recordedEffects.splice(0)) applyEffect(draft, effect);
  takePlanningTurn(state);
  for (const decision of recorded.decisions) {
    state.decided.set(decision.entity, {key: decisionKey(decision), atMs: decision.atMs});
    noteDraw(state, decision);
  }
  draft.decisions.push(...recorded.decisions);
  followTrials(draft);
}
