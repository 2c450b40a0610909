/**
 * What a keeper does next. Pure: what it saw decides.
 *
 * K1. Nothing is promoted that was not judged better than the champion of that very moment while it
 *     served some of the hosts; none gets there but after the same in its shadow, or by people.
 * K2. No training begins while one is under way, or before the last one's cool-down is over; each
 *     refusal in a row makes that twice as long.
 * K3. The aliases of the registry say what is so. Whoever changed them, people or another keeper,
 *     was right: the keeper goes on from there.
 * K4. In mode `watch` nothing is changed.
 */
import {shortHash} from '../../core/domain/hash.ts';
import type {Aliases} from '../registry/aliases.ts';
import {coolDownFrom, isCooling} from './cool-down.ts';
import type {
  Decision,
  KeeperEvent,
  KeeperSettings,
  KeeperState,
  Phase,
  Sight,
  Step,
} from './keeper-state.ts';
import {doubtOfLook, failuresForLook} from './looks.ts';
import {comparedMsMax, days, enter, quiet, say} from './moves.ts';
import {reasonToTrain} from './reasons.ts';
import {keep, onJudged, onUnfit, refuse} from './verdicts.ts';

export function decide(
  before: KeeperState,
  event: KeeperEvent,
  settings: KeeperSettings,
): Decision {
  const state = adopt(before, event, settings);
  switch (event.kind) {
    case 'looked':
      return onLooked(afterDrift(state, event), event.sight, event.atMs, settings);
    case 'trained':
      return onTrained(state, event.hash);
    case 'judged':
      return onJudged(state, event.judgement, event.atMs, settings);
    case 'unfit':
      return onUnfit(state, event.hash, event.why, event.atMs, settings);
    case 'done':
      return {state: afterStep(state, event.step), steps: []};
    case 'failed':
      return onFailed(state, event.step, event.why, event.atMs);
  }
}

function afterDrift(
  state: KeeperState,
  {sight: {drift}, atMs}: Extract<KeeperEvent, {kind: 'looked'}>,
): KeeperState {
  const driftSinceMs = drift.lossesRose || drift.inputsMoved ? (state.driftSinceMs ?? atMs) : null;
  return driftSinceMs === state.driftSinceMs ? state : {...state, driftSinceMs};
}

/** Goes on from what the aliases say, if somebody has changed them. */
function adopt(
  before: KeeperState,
  {aliases, atMs}: KeeperEvent,
  settings: KeeperSettings,
): KeeperState {
  if (aliases.revision === before.aliases.revision) return before;
  const promotedAtMs = promotionAfter(before, aliases, atMs);
  const state = {...before, promotedAtMs};
  const phase = phaseAfter(state, aliases, atMs, settings);
  const isSame = phase === before.phase && aliases.challenger === before.aliases.challenger;
  if (isSame && promotedAtMs === before.promotedAtMs) return {...state, aliases};
  return {...enter(state, phase, atMs), ...goingOn(before, aliases, phase), aliases};
}

/** Of two that go on being compared in another phase: what was, counts. */
function goingOn(
  {aliases: before, phase: from, looks, earlierLooks}: KeeperState,
  {champion, challenger}: Aliases,
  phase: Phase,
): Partial<KeeperState> {
  const isCompared = (each: Phase) => each === 'shadowing' || each === 'canary';
  const isSame = champion === before.champion && challenger === before.challenger;
  if (!isSame || !isCompared(from) || !isCompared(phase)) return {};
  return {earlierLooks: earlierLooks + looks, hasShadow: from === 'shadowing'};
}

function promotionAfter(
  {aliases: before, promotedAtMs}: KeeperState,
  {champion, previous}: Aliases,
  atMs: number,
): number | null {
  if (champion === before.champion) return promotedAtMs;
  const isRollback = champion === before.previous;
  return previous === before.champion && previous !== null && !isRollback ? atMs : null;
}

function phaseAfter(
  {phase, training, promotedAtMs}: KeeperState,
  {challenger, canaryPercent}: Aliases,
  atMs: number,
  {probationMs}: KeeperSettings,
): Phase {
  if (challenger !== null) return canaryPercent > 0 ? 'canary' : 'shadowing';
  // A probation that a challenger has interrupted lasts its full time again.
  if (promotedAtMs !== null && atMs - promotedAtMs < probationMs) return 'probation';
  if (training) return 'training';
  return phase === 'collecting' ? phase : 'watching';
}

function onLooked(
  state: KeeperState,
  sight: Sight,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  switch (state.phase) {
    case 'watching':
      return watch(state, sight, atMs, settings);
    case 'collecting':
      return collect(state, sight, atMs, settings);
    case 'training':
      return {state, steps: []};
    case 'shadowing':
    case 'canary':
      return look(state, sight, atMs, settings);
    case 'probation':
      return onProbation(state, sight, atMs, settings);
  }
}

function watch(state: KeeperState, sight: Sight, atMs: number, settings: KeeperSettings): Decision {
  const reason = reasonToTrain(sight, settings);
  if (reason === undefined) {
    const [first] = sight.drift.reasons;
    return first === undefined ? quiet(state) : say(state, 'inputs', first);
  }
  if (state.training) return quiet(state);
  if (state.aliases.champion === null) {
    const why = `${reason.why} Nothing is trained on top of what serves before it is promoted.`;
    return say(state, `no champion ${reason.key}`, why);
  }
  if (isCooling(state, atMs, settings)) {
    const minutes = Math.ceil((state.coolDownUntilMs - atMs) / 60_000);
    return say(
      state,
      `wait ${reason.key}`,
      `${reason.why} The next training may begin in ${minutes} minutes.`,
    );
  }
  if (state.mode === 'watch') {
    return say(state, `train ${reason.key}`, `A model would be trained: ${reason.why}`);
  }
  const next = enter(state, 'collecting', atMs);
  return {state: next, steps: [{kind: 'note', what: 'drift', why: reason.why}]};
}

function collect(
  state: KeeperState,
  {examples}: Sight,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {champion} = state.aliases;
  const {trainingLeastFailures, retrainAfterFailures, collectMsMax} = settings;
  const {newFailures, sinceFailures} = examples;
  const isEnough = sinceFailures >= trainingLeastFailures || newFailures >= retrainAfterFailures;
  if (champion === null) return {state: enter(state, 'watching', atMs), steps: []};
  if (!isEnough) {
    if (atMs - state.sinceMs < collectMsMax) return quiet(state);
    const coolDownUntilMs = coolDownFrom(state.refusals, atMs, settings);
    const why =
      `No model was trained: ${sinceFailures} failures to learn from came in ` +
      `${days(collectMsMax)} days, ${trainingLeastFailures} are needed.`;
    const next = {...enter(state, 'watching', atMs), coolDownUntilMs};
    return {state: next, steps: [{kind: 'note', what: 'training-failed', why}]};
  }
  const coolDownUntilMs = coolDownFrom(state.refusals, atMs, settings);
  const why =
    `${examples.failures} failures to learn from, ${newFailures} of them new and ${sinceFailures} ` +
    `since the drift began: a model is trained on top of ${shortHash(champion)}.`;
  return {
    state: {...enter(state, 'training', atMs), training: true, coolDownUntilMs},
    steps: [{kind: 'train', parent: champion, coolDownUntilMs, why}],
  };
}

/** Judges the challenger when as much has happened since as a look takes. */
function look(
  state: KeeperState,
  {failures}: Sight,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {champion, challenger} = state.aliases;
  const {looks, phase, sinceMs} = state;
  if (champion === null || challenger === null) return quiet(state);
  const {firstLookFailures, looksMax, doubt, shadowMsMax, canaryMs} = settings;
  const passedMs = atMs - sinceMs;
  // What happened in its shadow has proven it there, and proves nothing of the trial.
  if (phase === 'canary' && failures < firstLookFailures) {
    if (passedMs < shadowMsMax) return quiet(state);
    const why = `${shortHash(challenger)} did not prove itself: ${tellFailures(failures)} came in ${days(passedMs)} days of trial, ${firstLookFailures} are needed.`;
    return refuse(state, why, atMs, settings);
  }
  const longestMs = comparedMsMax(state, settings);
  const lasted = phase === 'canary' ? Math.min(canaryMs * 2 ** looks, longestMs) : longestMs;
  const isDue =
    (looks < looksMax && failures >= failuresForLook(looks, firstLookFailures)) ||
    (passedMs >= lasted && !(state.mode === 'watch' && looks >= looksMax));
  if (!isDue) return quiet(state);
  const number = state.earlierLooks + looks + 1;
  const why = `${tellFailures(failures)} since ${phase} began: look ${number}.`;
  const step = {kind: 'judge', champion, challenger, look: number, why} as const;
  return {
    state: {...state, looks: looks + 1},
    steps: [{...step, doubt: doubtOfLook(number, doubt)}],
  };
}

/** Champion and the one before change their parts: would the one before do better? */
function onProbation(
  state: KeeperState,
  {failures}: Sight,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {champion, previous} = state.aliases;
  const {firstLookFailures, looksMax, doubt, probationMs} = settings;
  const {looks, sinceMs} = state;
  const isOver = atMs - sinceMs >= probationMs;
  if (champion === null || previous === null || state.isEnding) {
    const why = `${shortHash(champion ?? '')} is kept: it could not be compared at the end of its probation.`;
    return keep(state, why, atMs);
  }
  if (!isOver && (looks >= looksMax || failures < failuresForLook(looks, firstLookFailures)))
    return quiet(state);
  const number = looks + 1;
  const why = `${tellFailures(failures)} since the promotion: look ${number}.`;
  const step = {
    kind: 'judge',
    champion: previous,
    challenger: champion,
    look: number,
    why,
  } as const;
  return {
    state: {...state, looks: number, isEnding: isOver},
    steps: [{...step, doubt: doubtOfLook(number, doubt)}],
  };
}

function onTrained(before: KeeperState, hash: string): Decision {
  // What it was trained on is not to be learned once more.
  const state = {...before, training: false, driftSinceMs: null};
  const {aliases, phase} = state;
  if (hash === aliases.champion || hash === aliases.challenger) {
    const why = `${shortHash(hash)} was trained, and is the ${hash === aliases.champion ? 'champion' : 'challenger'} already.`;
    const next = phase === 'training' ? {...state, phase: 'watching' as const} : state;
    return {state: next, steps: [{kind: 'note', what: 'training-failed', why}]};
  }
  if (phase !== 'training') {
    const why = `${shortHash(hash)} was trained; somebody changed the aliases meanwhile, so nobody is told to try it.`;
    return {state, steps: [{kind: 'say', why}]};
  }
  const why = `${shortHash(hash)} was trained on what came since: it scores the rows of the champion beside it.`;
  return {state, steps: [{kind: 'challenge', hash, why}]};
}

function onFailed(state: KeeperState, step: Step, why: string, atMs: number): Decision {
  if (step.kind === 'train') {
    const ended = {...state, training: false};
    const next = ended.phase === 'training' ? enter(ended, 'watching', atMs) : ended;
    return {state: next, steps: [{kind: 'note', what: 'training-failed', why}]};
  }
  const next = state.phase === 'training' ? enter(state, 'watching', atMs) : state;
  return {state: next, steps: [{kind: 'say', why}]};
}

function afterStep(state: KeeperState, step: Step): KeeperState {
  if (step.kind !== 'withdraw' && step.kind !== 'rollback') return state;
  const {coolDownUntilMs} = step;
  return {...state, refusals: state.refusals + 1, coolDownUntilMs};
}

function tellFailures(failures: number): string {
  return failures === 1 ? 'One failure' : `${failures} failures`;
}
