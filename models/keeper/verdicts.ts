/** What follows from a comparison: on to the next stage, or back. */
import {shortHash} from '../../core/domain/hash.ts';
import {type Evaluation, GUARDRAILS} from '../registry/promotion.ts';
import {coolDownFrom} from './cool-down.ts';
import type {Decision, KeeperSettings, KeeperState} from './keeper-state.ts';
import {comparedMsMax, days, enter, say} from './moves.ts';
import type {Judgement} from './shadow-book.ts';

export function onJudged(
  state: KeeperState,
  judgement: Judgement,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {champion, challenger, previous} = state.aliases;
  const judged = judgement.evaluation;
  const is = (first: string | null, second: string | null) =>
    judged.champion === first && judged.challenger === second;
  if (state.phase === 'probation' && is(previous, champion)) {
    return afterProbationLook(state, judgement, atMs, settings);
  }
  const isCurrent = is(champion, challenger);
  if (isCurrent && state.phase === 'shadowing') {
    return afterShadowLook(state, judgement, atMs, settings);
  }
  if (isCurrent && state.phase === 'canary') {
    return afterCanaryLook(state, judgement, atMs, settings);
  }
  // Somebody has changed the aliases while it was judged.
  return {state, steps: []};
}

function afterShadowLook(
  state: KeeperState,
  {verdict, evaluation, failures}: Judgement,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {challenger: hash} = evaluation;
  const {canaryPercent: percent, looksMax, shadowMsMax} = settings;
  const name = shortHash(hash);
  if (verdict === 'better') {
    const why = `${name} is better in its shadow: ${numbersOf(evaluation)}; ${percent} % of the hosts are scored by it.`;
    if (state.mode === 'watch') return would(state, why);
    return {state, steps: [{kind: 'canary', hash, percent, why}]};
  }
  const isOver = state.looks >= looksMax || atMs - state.sinceMs >= shadowMsMax;
  if (verdict === 'open' && !isOver) return {state, steps: []};
  const because =
    verdict === 'worse'
      ? 'is not to be served'
      : `is not shown to be better by ${failures} failures`;
  return refuse(state, `${name} ${because}: ${numbersOf(evaluation)}.`, atMs, settings);
}

function afterCanaryLook(
  state: KeeperState,
  {verdict, evaluation}: Judgement,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {challenger: hash} = evaluation;
  const {canaryMs, canaryPercent} = settings;
  const passedMs = atMs - state.sinceMs;
  if (verdict === 'better') {
    if (passedMs < canaryMs) return {state, steps: []};
    const percent = state.aliases.canaryPercent || canaryPercent;
    const why = `${shortHash(hash)} is better still, while it scored ${percent} % of the hosts: ${numbersOf(evaluation)}; it is the champion.`;
    if (state.mode === 'watch') return would(state, why);
    return {state, steps: [{kind: 'promote', hash, why}]};
  }
  if (verdict === 'open' && passedMs < comparedMsMax(state, settings)) return {state, steps: []};
  const why = `${shortHash(hash)} did not prove itself on ${state.aliases.canaryPercent} % of the hosts: ${numbersOf(evaluation)}.`;
  return refuse(state, why, atMs, settings);
}

/**
 * Judged is whether the champion is better than the one before. That it is not shown to be is no reason
 * to go back; that it is shown to be worse is, or that it is worse so far and not calibrated.
 */
function afterProbationLook(
  state: KeeperState,
  {evaluation, uncalibrated}: Judgement,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {gain, champion: before, challenger: hash} = evaluation;
  const isWorse = gain.blocks >= GUARDRAILS.leastBlocks && gain.upper < 0;
  // Calibration errors of few failures are noisy; one that is real shows in the loss as well.
  const isUncalibrated = uncalibrated.length > 0 && gain.mean < 0;
  if (!isWorse && !isUncalibrated) {
    return state.isEnding
      ? keep(state, tellKept(evaluation, state, atMs), atMs)
      : {state, steps: []};
  }
  const calibration =
    uncalibrated.length === 0 ? '' : ` (calibration of ${uncalibrated.join(', ')})`;
  const why = `${shortHash(hash)} does worse than ${shortHash(before)} before it${calibration}: ${numbersOf(evaluation)}; that one serves again.`;
  return goBack(state, hash, why, atMs, settings);
}

function tellKept({gain, challenger: hash}: Evaluation, {sinceMs}: KeeperState, atMs: number) {
  const passed = `in ${days(atMs - sinceMs)} days of probation`;
  const because =
    gain.blocks === 0
      ? `${passed} nothing was compared`
      : `${passed} it was not shown to be worse than the one before, over ${gain.blocks} blocks`;
  return `${shortHash(hash)} is kept: ${because}.`;
}

/** Ends a probation. */
export function keep(state: KeeperState, why: string, atMs: number): Decision {
  return {
    state: {...enter(state, 'watching', atMs), refusals: 0, promotedAtMs: null},
    steps: [{kind: 'note', what: 'kept', why}],
  };
}

/** A model that cannot be opened, or does not fit what is served, is judged by that alone. */
export function onUnfit(
  state: KeeperState,
  hash: string,
  because: string,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {champion, challenger, previous} = state.aliases;
  const why = `${shortHash(hash)} cannot be compared: ${because}.`;
  if (hash === challenger) return refuse(state, why, atMs, settings);
  if (state.phase !== 'probation') return say(state, `unfit ${hash}`, why);
  if (hash === champion) return goBack(state, hash, why, atMs, settings);
  if (hash !== previous) return {state, steps: []};
  const steps = [{kind: 'say', why: `There is nothing to go back to: ${why}`}] as const;
  return {state: {...enter(state, 'watching', atMs), promotedAtMs: null}, steps};
}

export function refuse(
  state: KeeperState,
  why: string,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  const {challenger: hash} = state.aliases;
  if (state.mode === 'watch' || hash === null) return would(state, why);
  const coolDownUntilMs = coolDownFrom(state.refusals + 1, atMs, settings);
  return {state, steps: [{kind: 'withdraw', hash, coolDownUntilMs, why}]};
}

function goBack(
  state: KeeperState,
  hash: string,
  why: string,
  atMs: number,
  settings: KeeperSettings,
): Decision {
  if (state.mode === 'watch') return would(state, why);
  const coolDownUntilMs = coolDownFrom(state.refusals + 1, atMs, settings);
  return {state, steps: [{kind: 'rollback', hash, coolDownUntilMs, why}]};
}

/** Once of each look. */
function would(state: KeeperState, why: string): Decision {
  return say(state, `look ${state.looks}`, `Nothing is changed, as the mode is watch: ${why}`);
}

/** The gain and what does not hold, as the evaluation tells it. */
function numbersOf({checks, data}: Evaluation): string {
  const told = checks.filter(({name, passed}) => name === 'gain' || !passed);
  return `${told.map(({name, says}) => `${name}: ${says}`).join('; ')}; on ${data}`;
}
