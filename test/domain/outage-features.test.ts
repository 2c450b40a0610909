import test from 'ava';
import {logOdds, toProbability} from '../../core/domain/logistic-posterior.ts';
import {
  fillInputs,
  type OutageQuestion,
  outageInputs,
  simpleWeights,
} from '../../core/domain/outage-features.ts';
import {
  createOutageHistory,
  DAY_MS,
  OUTAGE_CAUSES,
  OUTAGE_KINDS,
  type Outage,
  type OutageHistory,
  recordOutage,
  recordReturn,
} from '../../core/domain/outage-history.ts';
import {
  awaitOutcomes,
  createOutcomes,
  observeOutage,
  takeKnown,
} from '../../core/domain/outage-outcomes.ts';
import {viewOutages} from '../../core/domain/outage-view.ts';
import fc from '../support/fast-check.ts';

const HOSTS = 70;
const WEEKLY: OutageQuestion = {kind: 'unplanned', horizonDays: 7, firstOnly: false};

const outages = fc.array(
  fc.record({
    atMs: fc.integer({min: 0, max: 400}).map(days => days * DAY_MS * 0.5),
    host: fc.integer({min: 0, max: HOSTS - 1}),
    cause: fc.constantFrom(...OUTAGE_CAUSES),
  }),
  {minLength: 1, maxLength: 60},
);

const byTime = (all: readonly Outage[]) => [...all].sort((a, b) => a.atMs - b.atMs);

function historyOf(all: readonly Outage[], hosts = HOSTS): OutageHistory {
  const history = createOutageHistory(hosts);
  for (const outage of all) recordOutage(history, outage);
  return history;
}

/** The value of an input as it is, not standardised. */
function inputOf(history: OutageHistory, atMs: number, name: string, host: number, q = WEEKLY) {
  const input = outageInputs(q).find(each => each.name === name);
  if (input === undefined) throw new Error(`no input ${name}`);
  return input.of(viewOutages(history, atMs), host);
}

/** Oracle: decayed count over what it stands for, straight from the list. */
function rateOf(all: readonly Outage[], atMs: number, halfLifeDays: number): number {
  const ageWeeks = Math.max(DAY_MS, atMs - (byTime(all)[0] as Outage).atMs) / (7 * DAY_MS);
  const rate = Math.LN2 / (halfLifeDays / 7);
  const count = (some: readonly Outage[]) =>
    some.reduce((sum, each) => sum + 2 ** (-(atMs - each.atMs) / DAY_MS / halfLifeDays), 0);
  const weeks = halfLifeDays === Infinity ? ageWeeks : (1 - Math.exp(-rate * ageWeeks)) / rate;
  return count(all.filter(({host}) => host >= 0)) / weeks;
}

const unplanned = (all: readonly Outage[]) => all.filter(({cause}) => cause !== 'planned');

function close(t: {true(value: boolean, message?: string): void}, a: number, b: number) {
  t.true(Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b)), `${a} instead of ${b}`);
}

test('rates of host, neighbours, rack and cell are those of the list of outages', t => {
  fc.assert(
    fc.property(outages, fc.integer({min: 0, max: HOSTS - 1}), (all, host) => {
      const atMs = 201 * DAY_MS;
      const history = historyOf(byTime(all));
      // The whole list dates the cell; the others are told apart by a host that is none.
      const of = (keep: (host: number) => boolean, days: number) =>
        rateOf(
          [
            ...unplanned(all).filter(each => keep(each.host)),
            ...all.map(({atMs: begin}) => ({atMs: begin, host: -1, cause: 'planned' as const})),
          ],
          atMs,
          days,
        );
      const weeks = (atMs - (byTime(all)[0] as Outage).atMs) / (7 * DAY_MS);
      const usual = (unplanned(all).length + 0.5) / weeks / HOSTS;
      const ratio = (rate: number) => Math.log((rate + usual / 2) / (1.5 * usual));
      const near = [-2, -1, 1, 2].map(by => host + by).filter(each => each >= 0 && each < HOSTS);
      const rack = Array.from({length: HOSTS}, (_, each) => each).filter(
        each => each !== host && Math.floor(each / 32) === Math.floor(host / 32),
      );
      const expected: [name: string, value: number][] = [
        ['unplanned rate, 3 d', ratio(of(each => each === host, 3))],
        ['unplanned rate, 60 d', ratio(of(each => each === host, 60))],
        ['unplanned rate, ever', ratio(of(each => each === host, Infinity))],
        [
          'unplanned rate of neighbours, 14 d',
          ratio(of(each => near.includes(each), 14) / near.length),
        ],
        [
          'unplanned rate of the rack, 14 d',
          ratio(of(each => rack.includes(each), 14) / rack.length),
        ],
        ['unplanned rate of the cell, 365 d', ratio(of(() => true, 365) / HOSTS)],
      ];
      for (const [name, value] of expected) close(t, inputOf(history, atMs, name, host), value);
    }),
    {numRuns: 30},
  );
});

test('the simple method is the formula that tasks are judged against', t => {
  const all: Outage[] = [
    {atMs: 0, host: 1, cause: 'cpu'},
    {atMs: 40 * DAY_MS, host: 1, cause: 'planned'},
    {atMs: 80 * DAY_MS, host: 1, cause: 'disk'},
    {atMs: 90 * DAY_MS, host: 2, cause: 'cpu'},
  ];
  const weeks = 100 / 7;
  const decayed = 2 ** (-100 / 60) + 2 ** (-20 / 60);
  const base = 3 / (weeks * HOSTS);
  const effective = 60 / Math.LN2 / 7;
  const rate = (decayed + (8 * (2 + base)) / (weeks + 1)) / (effective + 8);
  const inputs = outageInputs(WEEKLY);
  const rows = fillInputs(inputs, viewOutages(historyOf(all), 100 * DAY_MS));
  const weights = simpleWeights(inputs);
  const risk = toProbability(logOdds(weights, rows, weights.length));
  close(t, risk, 1 - Math.exp(-rate));
});

test('in whatever order outages are told, what is known is the same', t => {
  fc.assert(
    fc.property(outages, all => {
      const inputs = outageInputs({kind: 'cpu', horizonDays: 7, firstOnly: false});
      const fill = (list: readonly Outage[]) =>
        fillInputs(inputs, viewOutages(historyOf(list), 250 * DAY_MS));
      const [inOrder, reversed] = [fill(byTime(all)), fill(byTime(all).reverse())];
      t.true(inOrder.every((value, i) => Math.abs(value - (reversed[i] as number)) < 1e-9));
    }),
    {numRuns: 30},
  );
});

test('asking alters nothing, and a history that was stored goes on alike', t => {
  fc.assert(
    fc.property(outages, all => {
      const straight = createOutageHistory(HOSTS);
      let stored = createOutageHistory(HOSTS);
      for (const outage of byTime(all)) {
        recordOutage(straight, outage);
        recordOutage(stored, outage);
        viewOutages(stored, outage.atMs);
        stored = structuredClone(stored);
      }
      t.deepEqual(stored, straight);
    }),
    {numRuns: 20},
  );
});

test('every input is finite and bounded for any past, of any kind of outage and any cell', t => {
  const questions = OUTAGE_KINDS.flatMap((kind): OutageQuestion[] => [
    {kind, horizonDays: 7, firstOnly: false},
    {kind, horizonDays: 1, firstOnly: true},
  ]);
  const many = Array.from({length: 500}, (_, i) => ({atMs: i, host: 0, cause: 'cpu' as const}));
  const histories = [createOutageHistory(1), historyOf(many, 1), historyOf(many, 300)];
  for (const history of histories) {
    for (const question of questions) {
      const inputs = outageInputs(question);
      t.is(new Set(inputs.map(({name}) => name)).size, inputs.length);
      for (const atMs of [500, 9 * 365 * DAY_MS]) {
        const rows = fillInputs(inputs, viewOutages(history, atMs));
        t.is(rows.length, history.hosts * (inputs.length + 1));
        t.true(rows.every(value => Math.abs(value) <= 8));
      }
    }
  }
});

test('a host is down until it returns; how long it was down is known then', t => {
  const history = historyOf([{atMs: 0, host: 3, cause: 'disk'}]);
  const ask = (name: string, host: number) => inputOf(history, DAY_MS, name, host);
  t.deepEqual([ask('down now', 3), ask('down now', 2), ask('last time down', 3)], [1, 0, 0]);
  recordReturn(history, 3, 2 * 3_600_000);
  t.deepEqual([ask('down now', 3), ask('last time down', 3)], [0, Math.log1p(2)]);
  recordOutage(history, {atMs: 2 * DAY_MS, host: 3, cause: 'cpu'});
  recordOutage(history, {atMs: 2 * DAY_MS, host: 3, cause: 'cpu'});
  recordReturn(history, 3, Number.NaN);
  t.is(ask('down now', 3), 1);
  t.is(ask('last time down', 3), Math.log1p(2));
});

test('work that is always planned for the same weekday makes that weekday likelier', t => {
  const history = historyOf(
    Array.from({length: 20}, (_, week) => ({
      atMs: (week * 7 + 2) * DAY_MS + 1,
      host: 0,
      cause: 'planned' as const,
    })),
  );
  const question: OutageQuestion = {kind: 'planned', horizonDays: 1, firstOnly: true};
  const share = (day: number) =>
    inputOf(history, (140 + day) * DAY_MS, 'share of the weekday', 0, question);
  t.true(share(2) > 1 && share(9) === share(2) && share(3) < -0.5, `${share(2)} ${share(3)}`);
});

test('an outcome is known when its horizon has passed, and not a millisecond before', t => {
  const outcomes = createOutcomes({kind: 'unplanned', horizonDays: 1, firstOnly: false});
  awaitOutcomes(outcomes, 1000, 5, new Float64Array(5));
  const at = (atMs: number, host: number, cause: Outage['cause'] = 'cpu') =>
    observeOutage(outcomes, {atMs, host, cause});
  at(1000, 0);
  at(1001, 1);
  at(2000, 4, 'planned');
  at(1000 + DAY_MS, 2);
  t.deepEqual(takeKnown(outcomes, 999 + DAY_MS), []);
  at(1001 + DAY_MS, 3);
  const [known] = takeKnown(structuredClone(outcomes), 1000 + DAY_MS);
  t.deepEqual([...(known?.labels ?? [])], [0, 1, 1, 0, 0]);
  t.is(takeKnown(outcomes, 1000 + DAY_MS).length, 1);
  t.deepEqual(takeKnown(outcomes, 1000 + 9 * DAY_MS), []);
});

test('where only the first outage counts, what came before it takes its place', t => {
  const outcomes = createOutcomes({kind: 'unplanned', horizonDays: 1, firstOnly: true});
  awaitOutcomes(outcomes, 0, 3, new Float64Array(3));
  observeOutage(outcomes, {atMs: 1, host: 0, cause: 'planned'});
  observeOutage(outcomes, {atMs: 2, host: 0, cause: 'cpu'});
  observeOutage(outcomes, {atMs: 2, host: 1, cause: 'cpu'});
  observeOutage(outcomes, {atMs: 3, host: 1, cause: 'planned'});
  const [known] = takeKnown(outcomes, DAY_MS);
  t.deepEqual([...(known?.labels ?? [])], [0, 1, 0]);
});
