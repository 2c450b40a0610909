/** A cell whose hosts fail by known chances, and models of it that are sound or broken. */

import {type SkillFigures, skillFigures} from '../../../core/domain/skill/skill-figures.ts';
import {
  advanceSkill,
  takeAlert,
  takeAlertEnd,
  takeForecast,
  takeOutcome,
} from '../../../core/domain/skill/skill-fold.ts';
import {DEFAULT_SKILL_SETTINGS} from '../../../core/domain/skill/skill-settings.ts';
import {createSkillState, type SkillState} from '../../../core/domain/skill/skill-state.ts';
import {createUniform} from '../../../models/random.ts';

export const STEP_MS = 5 * 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const START_MS = 1_700_000_100_000;
const HORIZON_STEPS = 6;
const UNSAID = new Array<number>(5).fill(Number.NaN);
const DOWN_STEPS = 6;

/** Chances of one host in a step. */
export type Chances = {
  /** To become ailing, and to recover from it. */
  ail: number;
  recover: number;
  /** To fail while it is well, and while it ails. */
  fail: number;
  failAiling: number;
};

/** About a failure a day in twenty hosts, two of three of which are announced. */
export const USUAL: Chances = {ail: 2e-4, recover: 0.05, fail: 6e-5, failAiling: 0.07};

/** What a model says of a host: of hosts in order, their true risks, and a stream of its own. */
export type Model = (truths: readonly number[], random: () => number) => readonly number[];

const odds = (p: number) => Math.log(p / (1 - p));
const chance = (z: number) => 1 / (1 + Math.exp(-z));
const normal = (random: () => number) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** It knows how hosts are, and says so well or not so well. */
export const SOUND: Record<string, Model> = {
  exact: truths => truths,
  noisy: (truths, random) => truths.map(p => chance(odds(p) + 0.5 * normal(random))),
  bold: truths => truths.map(p => chance(odds(p) * 1.15 + 0.8)),
  timid: truths => truths.map(p => chance(odds(p) * 0.8 - 0.8)),
};

/** It does not. */
export const BROKEN: Record<string, Model> = {
  // Risks of one time, each of another host: when hosts are at risk at all it knows still.
  shuffled: (truths, random) => {
    const by = truths.map(() => random());
    const order = [...truths.keys()].sort((a, b) => (by[a] as number) - (by[b] as number));
    return order.map(host => truths[host] as number);
  },
  constant: truths => truths.map(() => 0.001),
  high: truths => truths.map(() => 0.3),
  inverted: truths => {
    const high = Math.max(...truths);
    const low = Math.min(...truths);
    return truths.map(p => (high > 2 * low ? high + low - p : p));
  },
};

/** Chance of failing within the horizon: of a host that is well, of one that ails. */
function truthsOf({ail, recover, fail, failAiling}: Chances): {well: number; ailing: number} {
  let well = 0;
  let ailing = 0;
  for (let step = 0; step < HORIZON_STEPS; step++) {
    const next = fail + ail * ailing + (1 - fail - ail) * well;
    ailing = failAiling + recover * well + (1 - failAiling - recover) * ailing;
    well = next;
  }
  return {well, ailing};
}

export type Run = {
  seed: number;
  hosts: number;
  days: number;
  model: Model;
  chances?: Chances;
  /** Asked after each day; true ends the run. */
  eachDay?: (figures: SkillFigures, day: number) => boolean;
  state?: SkillState;
  fromMs?: number;
};

/** Lives through days of a cell, with alerts above 0.2, and tells all of it to a fold. */
export function live({
  seed,
  hosts,
  days,
  model,
  chances = USUAL,
  eachDay,
  ...given
}: Run): SkillState {
  const random = createUniform(seed);
  const own = createUniform(seed + 1_000_003);
  const state = given.state ?? createSkillState(DEFAULT_SKILL_SETTINGS);
  const {well, ailing} = truthsOf(chances);
  const ails = new Uint8Array(hosts);
  const backAt = new Int32Array(hosts);
  const raised = new Uint8Array(hosts);
  const names = Array.from({length: hosts}, (_, host) => `h${host}`);
  const stepsADay = DAY_MS / STEP_MS;
  for (let step = 0; step < days * stepsADay; step++) {
    const atMs = (given.fromMs ?? START_MS) + step * STEP_MS;
    advanceSkill(state, atMs);
    const risks = model(
      names.map((_, host) => (ails[host] === 1 ? ailing : well)),
      own,
    );
    for (const [host, name] of names.entries()) {
      const draw = random();
      if ((backAt[host] as number) > step) continue;
      if (backAt[host] === step && step > 0) {
        takeOutcome(state, {host: name, atMs, kind: 'returned', component: ''});
      }
      const risk = risks[host] as number;
      const said = [risk, ...UNSAID];
      takeForecast(state, {host: name, atMs, modelHash: 'm', risks: said});
      if (risk >= 0.2 !== (raised[host] === 1)) {
        raised[host] = risk >= 0.2 ? 1 : 0;
        if (risk < 0.2) takeAlertEnd(state, name, atMs);
        else takeAlert(state, {host: name, atMs, risk, component: 'cpu', modelHash: 'm'});
      }
      const fails = ails[host] === 1 ? chances.failAiling : chances.fail;
      const turns = ails[host] === 1 ? chances.recover : chances.ail;
      if (draw < fails) {
        takeOutcome(state, {host: name, atMs: atMs + STEP_MS / 2, kind: 'lost', component: 'cpu'});
        takeAlertEnd(state, name, atMs + STEP_MS / 2);
        backAt[host] = step + DOWN_STEPS;
        ails[host] = 0;
        raised[host] = 0;
      } else if (draw < fails + turns) ails[host] = 1 - (ails[host] as number);
    }
    if ((step + 1) % stepsADay === 0 && eachDay?.(skillFigures(state), (step + 1) / stepsADay))
      break;
  }
  return state;
}
