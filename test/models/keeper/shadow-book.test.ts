import test from 'ava';
import {COMPONENTS} from '../../../core/domain/components.ts';
import type {HostOutcome, ObservedRows} from '../../../core/domain/observed.ts';
import {blocksOf, JUDGED_OUTPUTS, labelBookRows} from '../../../models/keeper/judging.ts';
import {LiveSkill} from '../../../models/keeper/live-skill.ts';
import {OutcomeBook} from '../../../models/keeper/outcome-book.ts';
import {RowBook} from '../../../models/keeper/row-book.ts';
import {ShadowBook} from '../../../models/keeper/shadow-book.ts';
import {weightedFigures} from '../../../models/keeper/weighted-figures.ts';
import {averagePrecision, calibrationError, logLoss} from '../../../models/metrics.ts';
import {createUniform} from '../../../models/random.ts';
import {UNKNOWN_OUTCOME} from '../../../models/registry/pairing.ts';
import fc from '../../support/fast-check.ts';

const MINUTE = 60_000;
const STEP = 5 * MINUTE;
const HORIZON = 30 * MINUTE;
const START = 1_700_000_000_000;
const pause = async () => {};
const book = () => new OutcomeBook({settleMs: 10 * MINUTE, gapMs: 12 * MINUTE});

function rowsAt(atMs: number, names: readonly string[], risk = 0.1, partition = 1): ObservedRows {
  return {
    partition,
    atMs,
    featureHash: 1,
    featureCount: 0,
    hosts: names.map(name => ({name, cell: 'c', hardware: '', modelHash: 'x', bootAtMs: 0})),
    features: new Float32Array(),
    outputs: [...COMPONENTS, 'reboot'],
    risks: new Float32Array(names.length * 6).fill(risk),
  };
}

function outcome(
  kind: 'lost' | 'returned' | 'rebooted',
  host: string,
  atMs: number,
  recordedAtMs = atMs,
): HostOutcome {
  return {partition: 1, cell: 'c', component: '', kind, host, atMs, recordedAtMs};
}

/** Tells of rows every five minutes, from a time up to another. */
function watch(
  outcomes: OutcomeBook,
  fromMs: number,
  untilMs: number,
  names: readonly string[],
): void {
  for (let atMs = fromMs; atMs <= untilMs; atMs += STEP) outcomes.watch(rowsAt(atMs, names));
}

async function anyAt(outcomes: OutcomeBook, host: string, atMs: number): Promise<number> {
  const rows = [{host, atMs, hardware: ''}];
  const {labels} = await labelBookRows(outcomes.ledger(), rows, HORIZON, pause);
  return labels[JUDGED_OUTPUTS.length - 1] as number;
}

test('whether a host failed at all is known although nobody knows of which part', async t => {
  const outcomes = book();
  watch(outcomes, START, START + 60 * MINUTE, ['a', 'b']);
  outcomes.tell(outcome('lost', 'a', START + 9 * MINUTE));
  const rows = [{host: 'a', atMs: START, hardware: ''}];
  const {labels, failures} = await labelBookRows(outcomes.ledger(), rows, HORIZON, pause);
  t.deepEqual([...labels], [...new Array(5).fill(UNKNOWN_OUTCOME), 1]);
  t.is(failures, 1);
  t.is(await anyAt(outcomes, 'b', START), 0);
  t.is(await anyAt(outcomes, 'b', START + 25 * MINUTE), UNKNOWN_OUTCOME);
  t.is(await anyAt(outcomes, 'b', START + 20 * MINUTE), 0);
});

test('a failure that is told late turns a quiet row into a failure, one that was wanted takes it back', async t => {
  const outcomes = book();
  watch(outcomes, START, START + 300 * MINUTE, ['a']);
  t.is(await anyAt(outcomes, 'a', START), 0);
  outcomes.tell(outcome('lost', 'a', START + 9 * MINUTE, START + 290 * MINUTE));
  t.is(await anyAt(outcomes, 'a', START), 1);
  t.is(outcomes.failuresBetween(START, START + 60 * MINUTE), 1);
  outcomes.tell(outcome('rebooted', 'a', START + 9 * MINUTE, START + 291 * MINUTE));
  t.is(await anyAt(outcomes, 'a', START), UNKNOWN_OUTCOME);
  t.is(outcomes.failuresBetween(START, START + 60 * MINUTE), 0);
});

test('nothing is known of a time in which a partition told nothing; another partition is none of its business', async t => {
  const outcomes = book();
  watch(outcomes, START, START + 10 * MINUTE, ['a']);
  outcomes.watch(rowsAt(START, ['b'], 0.1, 2));
  // The clock of the one jumps by three days; the other one goes on, and is behind.
  const jumped = START + 3 * 24 * 60 * MINUTE;
  watch(outcomes, jumped, jumped + 60 * MINUTE, ['a']);
  t.is(await anyAt(outcomes, 'a', START), UNKNOWN_OUTCOME);
  t.is(await anyAt(outcomes, 'a', jumped), 0);
  for (let atMs = START + STEP; atMs <= START + 60 * MINUTE; atMs += STEP) {
    t.true(outcomes.watch(rowsAt(atMs, ['b'], 0.1, 2)));
  }
  t.is(await anyAt(outcomes, 'b', START), 0);
  t.false(outcomes.watch(rowsAt(START, ['a'])));
});

test('a book that is full and cannot be thinned keeps the latest rows, and counts the others', t => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 40}), fc.nat(100), (rowsMax, rows) => {
      const kept = new RowBook(2, rowsMax);
      for (let row = 0; row < rows; row++) {
        kept.add({host: `h${row}`, atMs: row, hardware: ''}, Float32Array.of(row, -row));
      }
      const {rows: found, values} = kept.between(0, rows);
      t.true(kept.size <= rowsMax && kept.size + kept.dropped === rows);
      t.deepEqual(
        found.map(({atMs}) => atMs),
        Array.from({length: kept.size}, (_, at) => kept.dropped + at),
      );
      for (const [at, {atMs}] of found.entries()) {
        t.deepEqual([...values.subarray(2 * at, 2 * at + 2)], [atMs, -atMs]);
      }
      t.is(kept.oldestMs(), kept.size === 0 ? Number.POSITIVE_INFINITY : kept.dropped);
    }),
  );
});

test('thinning keeps every row before a failure and what is not settled; the rest stands for all, again and again', async t => {
  const outcomes = book();
  const names = Array.from({length: 100}, (_, at) => `h${at}`);
  const kept = new RowBook(1, 100_000);
  for (let step = 0; step < 40; step++) {
    const atMs = START + step * STEP;
    outcomes.watch(rowsAt(atMs, names));
    for (const host of names) kept.add({host, atMs, hardware: ''}, Float32Array.of(0));
  }
  outcomes.tell(outcome('lost', 'h7', START + 61 * MINUTE));
  outcomes.tell(outcome('returned', 'h7', START + 62 * MINUTE));
  const isBefore = ({host, atMs}: {host: string; atMs: number}) =>
    host === 'h7' && atMs > START + 31 * MINUTE && atMs < START + 61 * MINUTE;
  for (let round = 1; round <= 3; round++) {
    await kept.thin(outcomes, HORIZON, pause);
    const {rows, weights} = kept.between(0, Number.POSITIVE_INFINITY);
    t.is(rows.filter(isBefore).length, 6);
    const open = rows.filter(({atMs}) => atMs >= outcomes.settledMs(HORIZON));
    t.is(open.length, 900);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    // Of 3,000 settled rows an eighth is left at last, each for eight: ±5 % is two standard errors.
    t.true(Math.abs(total - 4000) < 400, `round ${round}: ${total}`);
    t.true(rows.length < 900 + 6 + 3200 / 2 ** round, `round ${round}: ${rows.length} rows`);
    for (const [row, each] of rows.entries()) {
      const isOne = isBefore(each) || each.atMs >= outcomes.settledMs(HORIZON);
      t.is(weights[row], isOne ? 1 : 2 ** round);
    }
  }
});

test('figures of rows that stand for several are those of as many rows', t => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 1e6}), fc.integer({min: 1, max: 8}), (seed, times) => {
      const random = createUniform(seed);
      const rows = 400;
      const risks = Float32Array.from({length: rows}, () => random());
      const labels = Uint8Array.from(risks, risk => Number(random() < risk));
      labels[0] = 1;
      const weights = Float32Array.from(labels, label => (label === 1 ? 1 : times));
      const found = weightedFigures(risks, labels, weights);
      const repeated = [...labels.keys()].flatMap(row =>
        new Array<number>(weights[row] as number).fill(row),
      );
      const all = Float32Array.from(repeated, row => risks[row] as number);
      const happened = Uint8Array.from(repeated, row => labels[row] as number);
      t.true(Math.abs(found.loss - logLoss(all, happened)) < 1e-6);
      t.true(Math.abs(found.averagePrecision - averagePrecision(all, happened)) < 1e-3);
      const slack = times === 1 ? 1e-6 : 0.03;
      t.true(Math.abs(found.calibrationError - calibrationError(all, happened)) < slack);
    }),
    {numRuns: 40},
  );
});

test('blocks are hosts, days of hosts where there are few, and several where there are too many to draw', t => {
  const rowsOf = (hosts: number, hours: number) =>
    Array.from({length: hosts * hours * 2}, (_, at) => ({
      host: `h${at % hosts}`,
      atMs: Math.floor(at / hosts) * 30 * MINUTE,
      hardware: '',
    }));
  t.is(new Set(blocksOf(rowsOf(80, 48))).size, 80);
  t.is(new Set(blocksOf(rowsOf(49, 48))).size, 98);
  const rows = rowsOf(5000, 2);
  const block = blocksOf(rows);
  t.is(new Set(block).size, 2000);
  const blockOf = new Map(rows.map(({host}, row) => [host, block[row]]));
  t.true(rows.every(({host}, row) => blockOf.get(host) === block[row]));
});

/** Hosts of which every tenth is weak and fails within the half hour; risks as `riskOf` says. */
async function judgeModels(
  riskOf: Record<'champion' | 'challenger', (isWeak: boolean, host: number) => number>,
) {
  const random = createUniform(5);
  const outcomes = book();
  const shadow = new ShadowBook({champion: 'x', challenger: 'y'}, outcomes, {
    rowsMax: 50_000,
    horizonMs: HORIZON,
  });
  const names = Array.from({length: 60}, (_, at) => `h${at}`);
  for (let hour = 0; hour < 20; hour++) {
    for (let minute = 0; minute < 60; minute += 5) {
      const atMs = START + hour * 60 * MINUTE + minute * MINUTE;
      outcomes.watch(rowsAt(atMs, names));
      const isWeak = names.map((_, at) => (at + hour) % 10 === 0 && minute < 30);
      const risks = (of: (isWeak: boolean, host: number) => number) =>
        Float32Array.from({length: names.length * 5}, (_, at) => {
          const host = Math.floor(at / 5);
          return at % 5 === 2 ? of(isWeak[host] as boolean, host) : 0.001;
        });
      await shadow.add(
        {
          rows: names.map(host => ({host, atMs, hardware: ''})),
          outputs: COMPONENTS,
          champion: risks(riskOf.champion),
          challenger: risks(riskOf.challenger),
        },
        pause,
      );
    }
    for (const [at, host] of names.entries()) {
      if ((at + hour) % 10 !== 0 || random() < 0.5) continue;
      const atMs = START + hour * 60 * MINUTE + 30 * MINUTE;
      outcomes.tell({...outcome('lost', host, atMs), component: 'disk'} as HostOutcome);
      outcomes.tell(outcome('returned', host, atMs + MINUTE));
    }
  }
  const costs = {champion: {bytes: 1, p99Ms: 1}, challenger: {bytes: 1, p99Ms: 1}};
  return shadow.judge({number: 1, doubt: 0.025, seed: 3, costs}, pause);
}

const knows = (isWeak: boolean) => (isWeak ? 0.5 : 0.002);
const guesses = () => 0.025;

test('the model that knows is better, the one that guesses worse, and one is not better than itself', async t => {
  const better = await judgeModels({champion: guesses, challenger: knows});
  t.is(better.verdict, 'better', JSON.stringify(better.evaluation.checks));
  t.true(better.failures > 30);
  t.regex(
    better.evaluation.data,
    /rows of 60 hosts that were served, 19\.\d hours from 2023-11-14T/,
  );
  t.is((await judgeModels({champion: knows, challenger: guesses})).verdict, 'worse');
  const same = await judgeModels({champion: knows, challenger: knows});
  t.is(same.verdict, 'open');
  t.is(same.evaluation.gain.mean, 0);
  t.deepEqual(await judgeModels({champion: guesses, challenger: knows}), better);
});

test('who knows one host in all its hours, and no other, is not shown to be better', async t => {
  const knowsOne = (isWeak: boolean, host: number) => (host === 3 ? knows(isWeak) : guesses());
  const {verdict, evaluation} = await judgeModels({champion: guesses, challenger: knowsOne});
  t.true(evaluation.gain.mean > 0);
  t.is(verdict, 'open', JSON.stringify(evaluation.gain));
});

test('one that is merely a bit worse, less sure or less steady, is never better', async t => {
  const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
  const logit = (risk: number) => Math.log(risk / (1 - risk));
  const usual = logit(guesses());
  const lessSure = (isWeak: boolean) => sigmoid(0.85 * logit(knows(isWeak)) + 0.15 * usual);
  const random = createUniform(11);
  const lessSteady = (isWeak: boolean) => sigmoid(logit(knows(isWeak)) + 1.5 * (random() - 0.5));
  for (const [name, challenger] of Object.entries({lessSure, lessSteady})) {
    const {verdict, evaluation} = await judgeModels({champion: knows, challenger});
    t.log(name, verdict, evaluation.gain);
    t.true(evaluation.gain.mean < 0 && evaluation.gain.mean > -0.02, name);
    t.not(verdict, 'better', name);
  }
});

test('a model that is right in order and wrong in size is not calibrated', async t => {
  const loud = (isWeak: boolean) => (isWeak ? 0.9 : 0.1);
  const {verdict, uncalibrated} = await judgeModels({champion: knows, challenger: loud});
  t.is(verdict, 'worse');
  t.true(uncalibrated.includes('any'));
});

test('skill is 1 − loss ÷ that of the rate in hindsight, over rows of which it is settled what came', async t => {
  const outcomes = book();
  const live = new LiveSkill(outcomes, {rowsMax: 1000, horizonMs: HORIZON});
  const names = ['a', 'b', 'c', 'd'];
  for (let atMs = START; atMs <= START + 120 * MINUTE; atMs += STEP) {
    const rows = rowsAt(atMs, names, 0.1);
    outcomes.watch(rows);
    await live.observe(rows, [0, 1, 2, 3], pause);
  }
  outcomes.tell(outcome('lost', 'a', START + 31 * MINUTE));
  const {rows, failures, loss, naiveLoss, skill} = await live.figures(
    START,
    START + 30 * MINUTE + 1,
    pause,
  );
  // Seven steps: the first of `a` is before the horizon, six rows see the failure.
  t.is(rows, 28);
  t.is(failures, 1);
  const any = 1 - 0.9 ** 5;
  const expected = (-6 * Math.log(any) - 22 * Math.log(1 - any)) / 28;
  const rate = 6 / 28;
  const naive = -rate * Math.log(rate) - (1 - rate) * Math.log(1 - rate);
  t.true(Math.abs(loss - expected) < 1e-6);
  t.true(Math.abs(naiveLoss - naive) < 1e-12);
  t.true(Math.abs(skill - (1 - expected / naive)) < 1e-6);
  const nothing = await live.figures(START + 100 * MINUTE, START + 200 * MINUTE, pause);
  t.is(nothing.rows, 0);
  t.true(Number.isNaN(nothing.skill));
});

test('what a model lost is lost on the rows that it scored', async t => {
  const outcomes = book();
  const live = new LiveSkill(outcomes, {rowsMax: 1000, horizonMs: HORIZON});
  for (let atMs = START; atMs <= START + 120 * MINUTE; atMs += STEP) {
    const told = rowsAt(atMs, ['a', 'b', 'c', 'd'], 0.1);
    const hosts = told.hosts.map((host, at) => ({...host, modelHash: at < 3 ? 'one' : 'other'}));
    outcomes.watch(told);
    await live.observe({...told, hosts}, [0, 1, 2, 3], pause);
  }
  outcomes.tell(outcome('lost', 'a', START + 31 * MINUTE));
  const untilMs = START + 30 * MINUTE + 1;
  t.like(await live.figures(START, untilMs, pause), {rows: 28, failures: 1});
  t.like(await live.figures(START, untilMs, pause, 'one'), {rows: 21, failures: 1});
  t.like(await live.figures(START, untilMs, pause, 'other'), {rows: 7, failures: 0});
  const lost = await live.losses(START, untilMs, pause, 'other');
  t.deepEqual([...new Set(lost.map(({host}) => host))], ['d']);
});
