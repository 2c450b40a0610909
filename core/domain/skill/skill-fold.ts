/**
 * The proof that prediction helps, of one cell: a fold over what was forecast, what was done and
 * what came.
 *
 * S1. State is plain numbers, names and typed arrays. It depends on nothing but what it was given,
 *     in that order: the same ticks give the same bytes.
 * S2. Nothing that it is given is an error: what is late, doubled or contradicted is counted
 *     ({@link SkillCounters}) and changes a figure once or not at all.
 * S3. Bounded: about 1.5 KB a host, 0.2 MB for each of four models, and the newest alerts and
 *     acts.
 * S4. A forecast is compared with what the naive method knew at that time, never later.
 */
import {combineRisks} from '../risk.ts';
import {judgeActs, reopenActs, takeJudgedAct} from './act-book.ts';
import {clearAlert, judgeAlerts, raiseAlert, reopenAlerts} from './alert-book.ts';
import {
  type Fact,
  type HostLife,
  isAway,
  type Knowledge,
  type Learned,
  learnOutcome,
  lookThrough,
  type Seen,
} from './host-life.ts';
import {type Block, judgeForecast, logLoss, openBlock} from './loss-blocks.ts';
import {betterOf, countOutage, learnLosses, naiveRisks, watchHost} from './naive-rates.ts';
import {putForecast, takeDueForecasts, VALUES} from './pending-forecasts.ts';
import {
  type Act,
  type Alert,
  ANY_OUTPUT,
  type Forecast,
  OUTPUT_COUNT,
  OUTPUTS,
  type Outcome,
  REBOOT_OUTPUT,
  SAID_COUNT,
} from './skill-events.ts';
import {hostOf, modelOf, type SkillState} from './skill-state.ts';
import {followAct, followBoot, propensityOf, settleTrial} from './trial-book.ts';

const GAPS_MAX = 8;
const FAILURES_MAX = 512;

/**
 * Time goes on: judges what time alone decides, as of each grid step that has begun since. Call it
 * first in every tick that took input; ticks that took none may be left out, nothing depends on them.
 * O(hosts × horizon ÷ grid) a step, else O(1).
 */
export function advanceSkill(state: SkillState, atMs: number): void {
  const {settings, counters} = state;
  if (atMs < state.timeMs) {
    counters.timesBackwards++;
    return;
  }
  if (atMs - state.timeMs > settings.gapMs) {
    counters.gaps++;
    state.gaps.push({fromMs: state.timeMs, toMs: atMs});
    if (state.gaps.length > GAPS_MAX) state.gaps.shift();
  }
  state.timeMs = atMs;
  const {gridMs} = settings;
  const stepMs = Math.floor(atMs / gridMs) * gridMs;
  // After so many steps without a forecast none is left to be judged.
  const stepsMax = state.pending.slots + 1;
  const firstMs = Math.max(state.settledAtMs + gridMs, stepMs - stepsMax * gridMs);
  for (let dueMs = firstMs; dueMs <= stepMs; dueMs += gridMs) settle(state, dueMs);
  state.settledAtMs = stepMs;
}

/** Takes the risks of a host: one a grid step, while it is up. */
export function takeForecast(state: SkillState, {host, atMs, modelHash, risks}: Forecast): void {
  const {counters, settings} = state;
  const index = hostOf(state, host);
  if (index === undefined) return;
  if (isAway(state.lives[index] as HostLife)) {
    counters.forecastsWhileAway++;
    return;
  }
  const lastMs = state.naive.watchedAtMs[index] as number;
  const isNext = Math.floor(atMs / settings.gridMs) > Math.floor(lastMs / settings.gridMs);
  if (!(isNext || (Number.isNaN(lastMs) && Number.isFinite(atMs)))) {
    counters.forecastsOutOfOrder++;
    return;
  }
  if (!Number.isNaN(risks[REBOOT_OUTPUT] as number)) state.withReboots = true;
  watchHost(state.naive, index, atMs, 2 * settings.gridMs);
  const values = new Float32Array(VALUES);
  for (let output = 0; output < SAID_COUNT; output++) values[output] = risks[output] as number;
  values[ANY_OUTPUT] = combineRisks(values, 0, SAID_COUNT);
  for (let output = 0; output < OUTPUT_COUNT; output++) {
    const {ofHost, ofCell} = naiveRisks(state.naive, index, output, settings.horizonMs);
    values[OUTPUT_COUNT + output] = ofHost;
    values[2 * OUTPUT_COUNT + output] = ofCell;
  }
  state.modelOfHost[index] = modelHash;
  putForecast(state.pending, index, atMs, settings.gridMs, modelOf(state, modelHash), values);
}

/** A host came into the band; it stands until {@link takeAlertEnd} or a failure. */
export function takeAlert(state: SkillState, alert: Alert): void {
  const index = hostOf(state, alert.host);
  if (index === undefined) return;
  const risks = naiveRisks(state.naive, index, ANY_OUTPUT, state.settings.horizonMs);
  const naive = betterOf(state.naive, ANY_OUTPUT, risks);
  if (!raiseAlert(state.alerts, alert, naive)) state.counters.repeated++;
  const {open} = state.alerts;
  if (open.length <= state.settings.alertsMax) return;
  open.shift();
  state.counters.alertsDropped++;
}

/** A host left the band. */
export function takeAlertEnd(state: SkillState, host: string, atMs: number): void {
  clearAlert(state.alerts, host, atMs);
}

/** An act is over, one way or another. */
export function takeAct(state: SkillState, act: Act): void {
  const {counters, settings, acts, trial} = state;
  if (!state.hosts.has(act.source)) {
    counters.unknownHosts++;
    return;
  }
  if (takeJudgedAct(acts, act, propensityOf(trial, act))) followAct(trial, act);
  else counters.repeated++;
  if (acts.open.length <= settings.actsMax) return;
  acts.open.shift();
  counters.actsDropped++;
}

/** Something became known of a host. O(alerts + acts) if it is late, else O(1). */
export function takeOutcome(state: SkillState, outcome: Outcome): void {
  const {settings, counters} = state;
  const index = state.hosts.get(outcome.host);
  if (index === undefined || !Number.isFinite(outcome.atMs)) {
    counters.unknownHosts++;
    return;
  }
  const life = state.lives[index] as HostLife;
  const learned = learnOutcome(life, outcome, settings.sameFailureMs, counters);
  if (learned === undefined) return;
  const {fact, change} = learned;
  countInRates(state, index, learned);
  if (change !== 'part') countFailure(state, outcome.host, fact);
  if (change === 'new' && (outcome.kind === 'crashed' || outcome.kind === 'rebooted')) {
    followBoot(state.trial, outcome, settings.restartMinutes);
  }
  const {host} = outcome;
  reopenAlerts(state.alerts, host, fact.atMs, settings.horizonMs);
  reopenActs(state.acts, host, fact.atMs, settings.horizonMs);
  judgeBooks(state, state.timeMs);
}

function countInRates(
  {naive, withReboots}: SkillState,
  index: number,
  {fact: {kind, component}, change, was}: Learned,
): void {
  const part = (OUTPUTS as readonly string[]).indexOf(component);
  if (part >= 0 && kind === 'failed') countOutage(naive, index, part);
  if (part >= 0 && change === 'purpose') countOutage(naive, index, part, -1);
  if (change === 'part') return;
  if (change === 'failure') {
    if (was === 'rebooted') countOutage(naive, index, REBOOT_OUTPUT, -1);
    if (was !== 'rebooted' || !withReboots) countOutage(naive, index, ANY_OUTPUT);
    return;
  }
  if (kind === 'rebooted') countOutage(naive, index, REBOOT_OUTPUT);
  const counts = kind === 'failed' || (kind === 'rebooted' && withReboots);
  if (change === 'new' && counts) countOutage(naive, index, ANY_OUTPUT);
  if (change === 'purpose' && !counts) countOutage(naive, index, ANY_OUTPUT, -1);
}

/** What is to be recalled: a failure, and a reboot on purpose where the model speaks of them. */
function countFailure(state: SkillState, host: string, {kind, atMs}: Fact): void {
  const isKnown = (each: {host: string; atMs: number}) => each.host === host && each.atMs === atMs;
  const counts = kind === 'failed' || (kind === 'rebooted' && state.withReboots);
  if (!counts) {
    state.failures = state.failures.filter(each => !isKnown(each));
  } else if (!state.failures.some(isKnown)) {
    const modelHash = state.modelOfHost[state.hosts.get(host) ?? -1] ?? '';
    state.failures.push({host, atMs, modelHash});
    if (state.failures.length > FAILURES_MAX) state.failures.shift();
  }
}

function judgeBooks(state: SkillState, nowMs: number): void {
  const known = knowledgeOf(state, nowMs);
  judgeAlerts(state.alerts, known);
  judgeActs(state.acts, known);
}

function settle(state: SkillState, nowMs: number): void {
  const {settings} = state;
  settleForecasts(state, nowMs);
  judgeBooks(state, nowMs);
  const fromMs = nowMs - settings.windowMs;
  const {alerts, acts} = state;
  alerts.settled = alerts.settled
    .filter(({raisedAtMs}) => raisedAtMs >= fromMs)
    .slice(-settings.alertsMax);
  acts.settled = acts.settled
    .filter(({finishedAtMs}) => finishedAtMs >= fromMs)
    .slice(-settings.actsMax);
  state.failures = state.failures.filter(({atMs}) => atMs >= fromMs);
  settleTrial(state.trial, knowledgeOf(state, nowMs));
}

/** Judges forecasts whose horizon, and the time in which its outcomes become known, are over. */
function settleForecasts(state: SkillState, nowMs: number): void {
  const {pending, settings, models, lives, gaps, naive, withReboots} = state;
  const dueMs = nowMs - settings.horizonMs - settings.graceMs;
  const blocks = new Map<number, Block>();
  takeDueForecasts(pending, lives.length, dueMs, (host, madeAtMs, index, values) => {
    const losses = models.find(model => model.index === index)?.losses;
    if (losses === undefined) return; // the model's figures were dropped meanwhile
    const block = blocks.get(index) ?? openBlock(losses, dueMs, settings);
    blocks.set(index, block);
    const life = lives[host] as HostLife;
    const seen = lookThrough(life, gaps, madeAtMs, madeAtMs + settings.horizonMs);
    for (let output = 0; output < OUTPUT_COUNT; output++) {
      const risk = values[output] as number;
      const ofHost = values[OUTPUT_COUNT + output] as number;
      const ofCell = values[2 * OUTPUT_COUNT + output] as number;
      const label = labelOf(seen, output, withReboots);
      const chosen = betterOf(naive, output, {ofHost, ofCell});
      judgeForecast(losses, block, dueMs, output, {risk, naive: chosen, label});
      if (Number.isNaN(label)) continue;
      learnLosses(naive, output, logLoss(ofHost, label), logLoss(ofCell, label));
    }
  });
}

/** What came: 1, 0, or NaN if it cannot be known, as which part failed if nobody has said so. */
function labelOf(seen: Seen, output: number, withReboots: boolean): number {
  const failed = !Number.isNaN(seen.failedAtMs);
  const rebooted = !Number.isNaN(seen.rebootedAtMs);
  const hidden = !Number.isNaN(seen.hiddenAtMs);
  if (output === REBOOT_OUTPUT || output === ANY_OUTPUT) {
    const came = output === REBOOT_OUTPUT ? rebooted : failed || (withReboots && rebooted);
    if (came) return 1;
    return hidden ? Number.NaN : 0;
  }
  if (hidden || (failed && seen.component === '')) return Number.NaN;
  return failed && seen.component === OUTPUTS[output] ? 1 : 0;
}

function knowledgeOf(state: SkillState, nowMs: number): Knowledge {
  const {hosts, lives, gaps, settings, withReboots} = state;
  const lifeOf = (host: string) => lives[hosts.get(host) ?? -1] ?? [];
  return {lifeOf, gaps, nowMs, settings, withReboots};
}
