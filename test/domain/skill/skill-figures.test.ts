import test from 'ava';
import {combineRisks} from '../../../core/domain/risk.ts';
import {anyFigures, skillFigures} from '../../../core/domain/skill/skill-figures.ts';
import {takeForecast, takeOutcome} from '../../../core/domain/skill/skill-fold.ts';
import {DEFAULT_SKILL_SETTINGS} from '../../../core/domain/skill/skill-settings.ts';
import {createSkillState, forgetHost} from '../../../core/domain/skill/skill-state.ts';
import {createUniform} from '../../../models/random.ts';
import {at, outcome, watch} from './events.ts';
import {live, type Model, SOUND, STEP_MS} from './simulated-cell.ts';

const close = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance;

test('figures are those of a plain list of forecasts and failures', t => {
  const random = createUniform(11);
  const state = createSkillState(DEFAULT_SKILL_SETTINGS);
  const hosts = ['h01', 'h02', 'h03'];
  const made: {host: string; minute: number; risk: number}[] = [];
  const failures: {host: string; minute: number}[] = [];
  for (let minute = 0; minute <= 3000; minute++) {
    watch(state, [], minute, minute);
    for (const host of hosts) {
      if (minute % 5 === 0) {
        const risk = Math.fround(random() ** 3);
        takeForecast(state, {
          host,
          atMs: at(minute),
          modelHash: 'm',
          risks: [0.01, risk, 0, 0, 0, Number.NaN],
        });
        if (minute <= 2900) made.push({host, minute, risk});
      }
      if (minute < 2800 && random() < 0.002) {
        failures.push({host, minute: minute + 0.5});
        takeOutcome(state, {...outcome(host, minute + 0.5, 'crashed', 'memory')});
      }
    }
  }
  // After settling: an hour more without forecasts.
  watch(state, [], 3001, 3100);
  const label = ({host, minute}: {host: string; minute: number}) =>
    failures.some(each => each.host === host && each.minute > minute && each.minute <= minute + 30)
      ? 1
      : 0;
  const all = [...made];
  const memory = skillFigures(state).outputs.find(({output}) => output === 'memory');
  const any = anyFigures(skillFigures(state));
  const settled = (memory?.forecasts ?? 0) / hosts.length;
  t.is(settled, 601, 'each host every five minutes, all of them verified');
  const positives = all.filter(each => label(each) === 1).length;
  t.is(Math.round((memory?.baseRate ?? 0) * (memory?.forecasts ?? 0)), positives);
  // Those of the last hundred minutes have no failure behind them: their part is known as well.
  const brier = (risk: (each: (typeof made)[number]) => number) =>
    all.reduce((sum, each) => sum + (risk(each) - label(each)) ** 2, 0);
  const rest = (memory?.forecasts ?? 0) - all.length;
  t.true(rest > 0 && rest < 100);
  const known = (memory?.brier ?? 0) * (memory?.forecasts ?? 0);
  t.true(known >= brier(({risk}) => risk) && known <= brier(({risk}) => risk) + rest);
  const combined = brier(({risk}) => combineRisks(Float32Array.of(0.01, risk), 0, 2));
  const knownAny = (any?.brier ?? 0) * (any?.forecasts ?? 0);
  t.true(knownAny >= combined - 1e-3 && knownAny <= combined + rest);
});

test('a model that knows the chances is calibrated, and skilled as its losses say', t => {
  const state = live({seed: 3, hosts: 20, days: 30, model: SOUND.exact as Model});
  const any = anyFigures(skillFigures(state));
  t.true((any?.ece ?? 1) < 0.002, `${any?.ece}`);
  t.true(close(any?.skill.skill ?? 0, 1 - (any?.logLoss ?? 0) / (any?.naiveLogLoss ?? 1), 1e-12));
  t.true((any?.skill.low ?? 0) > 0 && (any?.skill.high ?? 1) < 0.8);
  const {alerts} = skillFigures(state);
  t.true(alerts.precision > 0.25 && alerts.precision < 0.55, `${alerts.precision}`);
  t.true(alerts.recall > 0.45 && alerts.recall < 0.85, `${alerts.recall}`);
  t.true(alerts.leadMs.p10 >= STEP_MS / 2 && alerts.leadMs.p50 <= alerts.leadMs.p90);
});

test('the naive method finds the host that fails often, and knows nothing ahead of time', t => {
  const state = createSkillState(DEFAULT_SKILL_SETTINGS);
  watch(state, ['h01', 'h02'], 0, 10);
  const risksOf = (host: number) => {
    const {pending} = state;
    const slots = Array.from({length: pending.slots}, (_, slot) => host * pending.slots + slot);
    const newest = slots.reduce((a, b) =>
      (pending.atMs[b] as number) > (pending.atMs[a] as number) || Number.isNaN(pending.atMs[a])
        ? b
        : a,
    );
    return pending.values[newest * 21 + 7 + 6] as number;
  };
  t.true(close(risksOf(0), risksOf(1), 1e-7));
  for (let day = 0; day < 20; day++) {
    const start = 11 + day * 1440;
    watch(state, ['h01', 'h02'], start, start + 1439);
    takeOutcome(state, outcome('h01', start + 1439, 'crashed'));
  }
  watch(state, ['h01', 'h02'], 11 + 20 * 1440, 30 + 20 * 1440);
  // One a day is 2.1 % in half an hour; the other one has had none in three weeks.
  t.true(close(risksOf(0), 0.0206, 0.006), `${risksOf(0)}`);
  t.true(risksOf(1) < risksOf(0) / 3, `${risksOf(1)}`);
});

test('two models that share a cell are judged each by its own hosts', t => {
  const state = createSkillState(DEFAULT_SKILL_SETTINGS);
  for (let minute = 0; minute <= 200; minute++) {
    watch(state, [], minute, minute);
    if (minute === 60) takeOutcome(state, outcome('h02', 60, 'crashed'));
    if (minute % 5 !== 0) continue;
    for (const [host, modelHash] of [
      ['h01', 'old'],
      ['h02', 'new'],
      ['h03', 'old'],
    ] as const) {
      takeForecast(state, {host, atMs: at(minute), modelHash, risks: [0.01, 0, 0, 0, 0, 0]});
    }
  }
  const [old, young] = ['old', 'new'].map(model => skillFigures(state, model));
  t.deepEqual([old?.alerts.failures, young?.alerts.failures], [0, 1]);
  t.is(old && anyFigures(old)?.forecasts, 2 * ((young && anyFigures(young)?.forecasts) ?? 0));
  t.is(old && anyFigures(old)?.baseRate, 0);
});

test('memory is bounded: models, hosts and facts above the bounds are dropped with a count', t => {
  const state = createSkillState({...DEFAULT_SKILL_SETTINGS, hostsMax: 20});
  for (let host = 0; host < 30; host++) {
    const risks = [0, 0, 0, 0, 0, 0];
    takeForecast(state, {host: `h${host}`, atMs: at(0), modelHash: `m${host % 9}`, risks});
  }
  t.is(state.hosts.size, 20);
  t.is(state.counters.hostsRefused, 10);
  t.is(state.models.length, 4);
  for (let minute = 0; minute < 400; minute += 5) {
    takeOutcome(state, outcome('h0', minute, 'crashed'));
  }
  t.is(state.lives[0]?.length, 16);
});

test('a host that is forgotten makes room for another, of which nothing is known before it is told', t => {
  const state = createSkillState({...DEFAULT_SKILL_SETTINGS, hostsMax: 2});
  watch(state, ['old', 'other'], 0, 100);
  takeOutcome(state, outcome('old', 90, 'lost', 'disk'));
  const failures = [...state.failures];
  forgetHost(state, 'old');
  forgetHost(state, 'nobody');
  watch(state, ['other', 'young', 'too many'], 101, 200);
  t.deepEqual(
    [...state.hosts],
    [
      ['other', 1],
      ['young', 0],
    ],
  );
  t.is(state.lives.length, 2);
  t.true(state.counters.hostsRefused > 0);
  t.deepEqual(state.lives[0], []);
  t.is(state.counters.forecastsWhileAway, 0);
  t.deepEqual(state.failures, failures, 'that it failed is not forgotten');
  const {naive} = state;
  t.true((naive.weeks[0] as number) < (naive.weeks[1] as number));
  t.is(
    naive.counts.slice(0, naive.counts.length / naive.weeks.length).reduce((a, b) => a + b),
    0,
  );
  // Forecasts of the former host are judged by nobody: the place's new host did not make them.
  const made = state.pending.atMs.filter(atMs => !Number.isNaN(atMs));
  t.true(made.every(atMs => atMs >= at(200 - 70)));
});
