import test from 'ava';
import {actInWords, alertInWords} from '../../../core/domain/skill/act-words.ts';
import {type Act, OUTPUTS} from '../../../core/domain/skill/skill-events.ts';
import {skillFigures} from '../../../core/domain/skill/skill-figures.ts';
import {
  takeAct,
  takeAlert,
  takeAlertEnd,
  takeForecast,
  takeOutcome,
} from '../../../core/domain/skill/skill-fold.ts';
import {DEFAULT_SKILL_SETTINGS} from '../../../core/domain/skill/skill-settings.ts';
import {createSkillState, type SkillState} from '../../../core/domain/skill/skill-state.ts';
import {at, MINUTE_MS, move, outcome, watch} from './events.ts';

const SETTINGS = {...DEFAULT_SKILL_SETTINGS, restartMinutes: 4};
const HOSTS = ['h01', 'h07'];

/** A cell in which an act was done at minute 60, and is watched to the end of an outcome's time. */
function after(
  changes: Partial<Act>,
  outcomes: readonly ReturnType<typeof outcome>[],
): {state: SkillState; words: string} {
  const state = createSkillState(SETTINGS);
  watch(state, HOSTS, 0, 60);
  takeAct(state, move('d1', 60, changes));
  let minute = 61;
  for (const each of outcomes) {
    const to = Math.max(minute, Math.ceil((each.atMs - at(0)) / MINUTE_MS));
    watch(state, HOSTS, minute, to);
    takeOutcome(state, each);
    minute = to + 1;
  }
  watch(state, HOSTS, minute, 150);
  const act = [...state.acts.settled, ...state.acts.open][0];
  return {state, words: act === undefined ? '' : actInWords(act, SETTINGS)};
}

test('a host that fails after a VM has left it: the downtime that it was spared is a counterfactual', t => {
  const {state, words} = after({}, [outcome('h07', 66, 'lost')]);
  t.is(
    words,
    'h07 failed 6 min after v12 had left: it would have been down for about 4 min (restart) had it stayed.',
  );
  const {acts} = skillFigures(state);
  t.is(acts.avoided, 1);
  t.is(acts.avoidedMinutes, 4 - 0.3 / 60);
});

test('a fence of ours because the host fell silent is a failure, told as a loss', t => {
  const {state} = after({}, [outcome('h07', 66, 'lost'), outcome('h07', 67, 'taken-away')]);
  t.is(skillFigures(state).acts.avoided, 1);
  t.is(state.counters.contradictions, 1);
});

test('a host that does not fail: the act was needless, and cost what it cost', t => {
  const {state, words} = after({}, []);
  t.is(words, 'h07 did not fail within 30 min: needless.');
  t.is(skillFigures(state).acts.needless, 1);
  t.is(skillFigures(state).acts.avoidedMinutes, -0.3 / 60);
});

test('a host that fails later than the horizon makes no act useful', t => {
  const {state} = after({}, [outcome('h07', 91, 'lost')]);
  t.is(skillFigures(state).acts.needless, 1);
});

test('a host that was taken to repair: nobody can know', t => {
  const {state, words} = after({}, [outcome('h07', 70, 'taken-away')]);
  t.is(
    words,
    'h07 was taken away 11 min after the act began: whether it would have failed cannot be known.',
  );
  t.is(skillFigures(state).acts.unknown, 1);
});

test('a host that is not watched any more: nobody can know, unless it had failed before', t => {
  t.regex(after({}, [outcome('h07', 70, 'unwatched')]).words, /not watched from 11 min after/);
  const failed = [outcome('h07', 66, 'lost'), outcome('h07', 70, 'unwatched')];
  t.is(skillFigures(after({}, failed).state).acts.avoided, 1);
});

test('a host that fails before the VM has left: too late', t => {
  const {state, words} = after({startedAtMs: at(50), finishedAtMs: at(60)}, [
    outcome('h07', 57, 'lost'),
  ]);
  t.is(words, 'h07 failed 3 min before v12 had left: too late.');
  t.is(skillFigures(state).acts.tooLate, 1);
});

test('an act that failed has avoided nothing', t => {
  const {state, words} = after({done: false}, [outcome('h07', 66, 'lost')]);
  t.is(words, 'h07 failed, and v12 was still there: the act had failed.');
  t.is(skillFigures(state).acts.avoidedMinutes, 0);
});

test('a target that fails takes back what was won', t => {
  const {state, words} = after({}, [outcome('h07', 66, 'lost'), outcome('h01', 70, 'lost')]);
  t.regex(words, /h01 went down 10 min after v12 had come there\.$/);
  const {acts} = skillFigures(state);
  t.is(acts.intoFailure, 1);
  t.true(Math.abs(acts.avoidedMinutes + 0.3 / 60) < 1e-9);
});

test('a ghost leaves the time that it takes over', t => {
  const {state} = after({action: 'arm-ghost', blackoutMs: Number.NaN}, [
    outcome('h07', 66, 'lost'),
  ]);
  t.is(skillFigures(state).acts.avoidedMinutes, 4 - 0.3);
});

test('a loss that is told a week late makes a needless act an avoided interruption, once', t => {
  const state = createSkillState(SETTINGS);
  watch(state, HOSTS, 0, 60);
  takeAct(state, move('d1', 60));
  takeAlert(state, {host: 'h07', atMs: at(55), risk: 0.4, component: 'disk', modelHash: 'm'});
  takeAlertEnd(state, 'h07', at(70));
  watch(state, HOSTS, 61, 8 * 1440);
  t.is(skillFigures(state).acts.needless, 1);
  t.is(skillFigures(state).alerts.didNot, 1);
  for (const _ of [1, 2]) takeOutcome(state, outcome('h07', 66, 'crashed', 'disk'));
  const {acts, alerts} = skillFigures(state);
  t.deepEqual([acts.needless, acts.avoided], [0, 1]);
  t.deepEqual([alerts.didNot, alerts.happened, alerts.failures], [0, 1, 1]);
  t.is(state.counters.repeated, 1);
});

test('an act that is told twice counts once', t => {
  const state = createSkillState(SETTINGS);
  watch(state, HOSTS, 0, 60);
  for (const _ of [1, 2]) takeAct(state, move('d1', 60));
  t.is(skillFigures(state).acts.acts, 1);
  t.is(state.counters.repeated, 1);
});

const alertAt = (minute: number) => ({
  host: 'h07',
  atMs: at(minute),
  risk: 0.4,
  component: 'disk',
  modelHash: 'm',
});

test('an alert comes true while it stands; each horizon before that was a false one', t => {
  const state = createSkillState(SETTINGS);
  watch(state, HOSTS, 0, 60);
  takeAlert(state, alertAt(60));
  watch(state, HOSTS, 61, 160);
  takeOutcome(state, outcome('h07', 160, 'lost'));
  watch(state, HOSTS, 161, 170);
  const {alerts} = skillFigures(state);
  t.deepEqual([alerts.happened, alerts.falsePeriods], [1, 3]);
  t.is(alerts.precision, 1 / 4);
  t.is(alerts.leadMs.p50, 100 * MINUTE_MS);
  t.true(alerts.evidenceAgainst > 0, 'what it said of the first half hour was wrong');
  const [alert] = state.alerts.settled;
  t.regex(
    alert ? alertInWords(alert, SETTINGS.horizonMs) : '',
    /^h07 went down 100 min after the alert \(risk 0\.40/,
  );
});

test('an alert that was cleared is credited within its horizon alone', t => {
  for (const [minute, happened] of [
    [89, 1],
    [91, 0],
  ] as const) {
    const state = createSkillState(SETTINGS);
    watch(state, HOSTS, 0, 60);
    takeAlert(state, alertAt(60));
    watch(state, HOSTS, 61, 65);
    takeAlertEnd(state, 'h07', at(65));
    watch(state, HOSTS, 66, minute);
    takeOutcome(state, outcome('h07', minute, 'lost'));
    watch(state, HOSTS, minute + 1, 200);
    t.is(skillFigures(state).alerts.happened, happened);
    t.is(skillFigures(state).alerts.recall, happened);
  }
});

test('an alert with too little time to act is neither precise nor recalled', t => {
  const state = createSkillState(SETTINGS);
  watch(state, HOSTS, 0, 60);
  takeAlert(state, {...alertAt(60), atMs: at(60) - 30_000});
  takeOutcome(state, outcome('h07', 60, 'lost'));
  watch(state, HOSTS, 61, 66);
  const {alerts} = skillFigures(state);
  t.deepEqual([alerts.happened, alerts.precision, alerts.recall], [1, 0, 0]);
  t.deepEqual(alerts.missed, [{host: 'h07', atMs: at(60)}]);
});

test('a reboot on purpose is what was forecast only where the model speaks of reboots', t => {
  for (const [risk, happened] of [
    [Number.NaN, 0],
    [0.5, 1],
  ] as const) {
    const state = createSkillState(SETTINGS);
    watch(state, HOSTS, 0, 58);
    tellOfReboots(state, risk);
    takeAlert(state, alertAt(60));
    takeOutcome(state, outcome('h07', 70, 'rebooted'));
    watch(state, HOSTS, 61, 200);
    t.is(skillFigures(state).alerts.happened, happened);
  }
});

test('a loss that is told to have been a reboot on purpose is no failure any more, and none twice', t => {
  const state = createSkillState(SETTINGS);
  watch(state, HOSTS, 0, 60);
  takeAlert(state, alertAt(55));
  takeAct(state, move('d1', 60));
  takeOutcome(state, outcome('h07', 66, 'lost'));
  watch(state, HOSTS, 61, 75);
  takeOutcome(state, outcome('h07', 75, 'returned'));
  t.deepEqual([skillFigures(state).alerts.happened, skillFigures(state).acts.avoided], [1, 1]);
  takeOutcome(state, outcome('h07', 66, 'rebooted'));
  watch(state, HOSTS, 76, 200);
  const {alerts, acts} = skillFigures(state);
  t.deepEqual([alerts.happened, alerts.failures], [0, 0]);
  t.deepEqual([acts.avoided, acts.needless], [0, 1]);
  const any = OUTPUTS.indexOf('any');
  t.deepEqual([state.naive.cellCounts[any], state.naive.counts[OUTPUTS.length + any]], [0, 0]);
  t.is(state.counters.forecastsWhileAway, 3, 'it was away until it returned, all the same');
});

function tellOfReboots(state: SkillState, risk: number): void {
  const risks = [0, 0, 0.01, 0, 0, risk];
  takeForecast(state, {host: 'h07', atMs: at(60), modelHash: 'm', risks});
}
