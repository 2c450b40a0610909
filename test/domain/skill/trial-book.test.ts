import test from 'ava';
import {
  advanceSkill,
  takeAct,
  takeForecast,
  takeOutcome,
} from '../../../core/domain/skill/skill-fold.ts';
import {DEFAULT_SKILL_SETTINGS} from '../../../core/domain/skill/skill-settings.ts';
import {createSkillState, type SkillState} from '../../../core/domain/skill/skill-state.ts';
import {
  followVm,
  knownDraw,
  propensityOf,
  type TrialDraw,
  takeDraw,
  trialFigures,
} from '../../../core/domain/skill/trial-book.ts';
import {at, move, outcome} from './events.ts';

const {horizonMs, graceMs, restartMinutes} = DEFAULT_SKILL_SETTINGS;
const OVER_MINUTES = (horizonMs + graceMs) / 60_000;
const RISKS = Float32Array.from([0.5, 0, 0, 0, 0, 0]);

/** A cell whose hosts h07 and h01 have been forecast. */
function watched(): SkillState {
  const state = createSkillState(DEFAULT_SKILL_SETTINGS);
  advanceSkill(state, at(0));
  for (const host of ['h07', 'h01']) {
    takeForecast(state, {host, atMs: at(0), modelHash: 'm', risks: RISKS});
  }
  return state;
}

const draw = (vm: string, changes: Partial<TrialDraw> = {}): TrialDraw => ({
  vm,
  host: 'h07',
  episodeAtMs: at(1),
  drawnAtMs: at(2),
  heldBack: true,
  propensity: 0.8,
  modelHash: 'm',
  ...changes,
});

/** Minutes pass; no hole in them is long enough to hide anything. */
function pass(state: SkillState, fromMinute: number, toMinute: number): void {
  for (let minute = fromMinute; minute <= toMinute; minute++) advanceSkill(state, at(minute));
}

test('a VM is drawn once in an episode, and anew in the next one', t => {
  const {trial} = watched();
  takeDraw(trial, draw('v1'));
  takeDraw(trial, draw('v1', {heldBack: false, drawnAtMs: at(3)}));
  t.is(trial.open.length, 1);
  t.true(knownDraw(trial, draw('v1'))?.heldBack);
  takeDraw(trial, draw('v1', {heldBack: false, episodeAtMs: at(4)}));
  t.is(trial.open.length, 2);
  t.is(knownDraw(trial, draw('v2')), undefined);
});

test('an act carries how likely it was; of a VM that had no part it was certain', t => {
  const {trial} = watched();
  takeDraw(trial, draw('v1', {heldBack: false}));
  t.is(propensityOf(trial, {vm: 'v1', source: 'h07'}), 0.8);
  t.is(propensityOf(trial, {vm: 'v1', source: 'h01'}), 1);
  t.is(propensityOf(trial, {vm: 'v2', source: 'h07'}), 1);
  const state = watched();
  takeDraw(state.trial, draw('v12', {heldBack: false}));
  takeAct(state, move('e1', 3));
  takeAct(state, move('e2', 3, {vm: 'v9'}));
  t.deepEqual(
    state.acts.open.map(({propensity}) => propensity),
    [0.8, 1],
  );
});

test('downtime is what was seen of the VM: from when its host went until it ran again', t => {
  const state = watched();
  takeDraw(state.trial, draw('v1'));
  takeDraw(state.trial, draw('v12', {heldBack: false}));
  takeAct(state, move('e1', 4));
  pass(state, 1, 10);
  takeOutcome(state, outcome('h07', 10, 'lost'));
  followVm(state.trial, 'v1', true, at(10));
  followVm(state.trial, 'v1', true, at(11));
  followVm(state.trial, 'v1', false, at(13));
  followVm(state.trial, 'v1', false, at(14));
  followVm(state.trial, 'nobody', true, at(10));
  t.like(trialFigures(state.trial, 'm'), {actedVms: 0, heldBackVms: 0}, 'nothing is known yet');
  pass(state, 11, OVER_MINUTES + 5);
  t.like(trialFigures(state.trial, 'm'), {actedVms: 1, heldBackVms: 1, share: 1 - 0.8});
  t.deepEqual(
    state.trial.settled.map(({vm, downMs, interrupted, on}) => [vm, downMs, interrupted, on]),
    [
      ['v1', 3 * 60_000, true, 'h07'],
      ['v12', 300, false, 'h01'],
    ],
    'a move stands still for a moment, which is no interruption',
  );
  t.is(trialFigures(state.trial, 'another'), undefined);
});

test('one that still is down when it is settled was down until then', t => {
  const state = watched();
  takeDraw(state.trial, draw('v1'));
  followVm(state.trial, 'v1', true, at(1));
  pass(state, 1, OVER_MINUTES + 5);
  t.is(state.trial.settled[0]?.downMs, at(OVER_MINUTES + 5) - at(2), 'and never before its draw');
});

test('a host that was found in another boot took the VMs on it along, wherever they had come from', t => {
  const state = watched();
  takeDraw(state.trial, draw('v1'));
  takeDraw(state.trial, draw('v12', {heldBack: false}));
  takeAct(state, move('e1', 4));
  pass(state, 1, 10);
  takeOutcome(state, outcome('h01', 9, 'crashed'));
  takeOutcome(state, outcome('h01', 9, 'crashed'));
  // Told late: it was before anybody drew.
  takeOutcome(state, outcome('h07', 1, 'crashed'));
  pass(state, 11, OVER_MINUTES + 5);
  t.deepEqual(
    state.trial.settled.map(({vm, downMs}) => [vm, downMs]),
    [
      ['v1', 0],
      ['v12', 300 + restartMinutes * 60_000],
    ],
  );
});

test('of a host that was taken away, or out of sight, nobody counts, whatever was drawn', t => {
  for (const kind of ['taken-away', 'unwatched'] as const) {
    const state = watched();
    takeDraw(state.trial, draw('v1'));
    takeDraw(state.trial, draw('v12', {heldBack: false}));
    takeAct(state, move('e1', 4));
    pass(state, 1, 10);
    takeOutcome(state, outcome('h07', 10, kind));
    pass(state, 11, OVER_MINUTES + 5);
    t.deepEqual(state.trial.open, [], kind);
    t.like(trialFigures(state.trial, 'm'), {actedVms: 0, heldBackVms: 0}, kind);
    // The episode may go on: nobody is drawn for in it again.
    t.true(knownDraw(state.trial, draw('v1'))?.heldBack, kind);
    t.false(knownDraw(state.trial, draw('v12'))?.heldBack, kind);
  }
});

test('only those count for whom the newest share was drawn', t => {
  const state = watched();
  takeDraw(state.trial, draw('v1', {propensity: 0.9}));
  takeDraw(state.trial, draw('v2'));
  pass(state, 1, OVER_MINUTES + 5);
  t.is(state.trial.settled.length, 2);
  t.like(trialFigures(state.trial, 'm'), {heldBackVms: 1, share: 1 - 0.8});
});

test('what is older than the window is forgotten', t => {
  const state = createSkillState({...DEFAULT_SKILL_SETTINGS, windowMs: 2 * horizonMs + graceMs});
  takeDraw(state.trial, draw('v1'));
  pass(state, 1, OVER_MINUTES + 5);
  t.is(state.trial.settled.length, 1);
  pass(state, OVER_MINUTES + 6, OVER_MINUTES + 40);
  t.is(state.trial.settled.length, 0);
});
