import test from 'ava';
import {COMPONENTS} from '../../../core/domain/components.ts';
import {ExampleBook} from '../../../models/keeper/example-book.ts';
import fc from '../../support/fast-check.ts';
import {evacuated, MINUTE_MS, outcome, rowsAt, targetsOf, watch} from './example-fixtures.ts';

const WEEK = 7 * 24 * 60;
const down = (host: string, from: number, to: number) => (each: string, minute: number) =>
  each === host && minute >= from && minute < to;

test('rows of half an hour before a failure are positives of its part, all others negatives', t => {
  const book = new ExampleBook();
  watch(book, ['a', 'b'], 0, 100);
  book.tell(outcome('lost', 'a', 102, 'disk'));
  watch(book, ['a', 'b'], 105, 200, down('a', 102, 150));
  book.tell(outcome('returned', 'a', 150));
  watch(book, ['a', 'b'], 205, 400);
  const set = book.examples();
  const disk = targetsOf(set, 'a', 'disk');
  for (const [minute, target] of disk)
    t.is(target, Number(minute >= 72 && minute < 102), `${minute}`);
  t.is(Math.min(...targetsOf(set, 'a', 'cpu').keys()), 0);
  t.deepEqual([...new Set(targetsOf(set, 'a', 'cpu').values())], [0]);
  t.deepEqual([...new Set(targetsOf(set, 'b', 'disk').values())], [0]);
  t.is(set.counts.failures.disk, 1);
  t.is(set.counts.failures.cpu, 0);
  const row = set.atMs.findIndex((atMs, each) => atMs === 100 * MINUTE_MS && set.host[each] === 0);
  t.is(set.secondsToFailure[row], 120);
  t.deepEqual([...set.features.slice(row * 3, row * 3 + 3)], [100, 0, Number.NaN]);
});

test('a row waits until what came of it is known', t => {
  const book = new ExampleBook({settleMs: 10 * MINUTE_MS});
  watch(book, ['a'], 0, 35);
  t.is(book.examples().rows, 0);
  watch(book, ['a'], 40, 40);
  t.is(book.examples().rows, 1);
});

test('a crash that nobody names teaches nothing of its parts and is told; named later it teaches', t => {
  const book = new ExampleBook();
  watch(book, ['a', 'b'], 0, 100);
  book.tell(outcome('lost', 'a', 101));
  watch(book, ['a', 'b'], 105, 200, down('a', 101, 150));
  book.tell(outcome('returned', 'a', 150));
  watch(book, ['a', 'b'], 205, 300);
  const before = book.examples();
  t.is(before.counts.unnamed, 1);
  t.false(targetsOf(before, 'a', 'memory').has(90));
  t.deepEqual(book.count(0), {failures: 0, newFailures: 0, sinceFailures: 0});
  // People look into it, a week later.
  book.tell(outcome('lost', 'a', 101, 'memory', WEEK));
  book.observe(rowsAt(WEEK, ['a', 'b']));
  watch(book, ['a', 'b'], WEEK + 5, WEEK + 60);
  const after = book.examples();
  t.is(after.counts.unnamed, 0);
  t.true(after.counts.ledger.late > 0);
  t.is(targetsOf(after, 'a', 'memory').get(90), 1);
  t.is(targetsOf(after, 'a', 'cpu').get(90), 0);
});

test('a failure that is told a week late turns kept negatives into positives', t => {
  const book = new ExampleBook();
  watch(book, ['a'], 0, 300);
  t.deepEqual([...targetsOf(book.examples(), 'a', 'disk').values()].includes(1), false);
  book.tell(outcome('crashed', 'a', 101, 'disk', WEEK));
  watch(book, ['a'], WEEK, WEEK + 60);
  t.is(targetsOf(book.examples(), 'a', 'disk').get(100), 1);
  t.is(book.count(0).newFailures, 1);
  book.taught();
  t.is(book.count(0).newFailures, 0, 'a model came of rows that were asked for after it');
  t.is(book.count(0).failures, 1);
});

test('what was prevented counts as both, by what was believed, and never as a plain negative', t => {
  const book = new ExampleBook();
  watch(book, ['a'], 0, 100);
  book.tell(evacuated('a', 101, 'power', 0.64));
  book.tell(outcome('taken-away', 'a', 105));
  watch(book, ['b'], 105, 300);
  const power = targetsOf(book.examples(), 'a', 'power').get(90) as number;
  t.true(power > 0.2 && power < 0.64, `${power}`);
  t.false(Number.isNaN(power));
  t.is(targetsOf(book.examples(), 'a', 'cpu').get(90), Number.NaN);
});

test('time that nobody watched, and reboots on purpose, teach nothing', t => {
  const book = new ExampleBook();
  watch(book, ['a', 'b', 'c'], 0, 100);
  book.tell(outcome('unwatched', 'a', 101));
  book.tell(outcome('rebooted', 'b', 102));
  watch(book, ['a', 'b', 'c'], 105, 145, down('a', 101, 141));
  book.tell(outcome('returned', 'a', 145));
  // Then the core is off for two hours; a clock that jumps looks the same.
  watch(book, ['a', 'b', 'c'], 265, 400);
  const set = book.examples();
  t.false(targetsOf(set, 'a', 'disk').has(90));
  t.false(targetsOf(set, 'b', 'disk').has(90));
  t.is(targetsOf(set, 'c', 'disk').get(90), 0);
  t.is(targetsOf(set, 'c', 'disk').get(110), 0);
  t.false(targetsOf(set, 'c', 'disk').has(130));
  t.is(targetsOf(set, 'c', 'disk').get(265), 0);
  t.true(set.counts.dropped.unknown > 0);
});

test('a clock that goes back, rows twice and rows of another contract are left out and counted', t => {
  const book = new ExampleBook();
  watch(book, ['a'], 0, 100);
  book.observe(rowsAt(50, ['a']));
  book.observe(rowsAt(100, ['a']));
  book.observe(rowsAt(105, ['a', 'b'], {featureHash: 98}));
  watch(book, ['a'], 110, 200);
  const {counts, rows} = book.examples();
  t.is(counts.dropped.outOfOrder, 2);
  t.is(counts.dropped.foreign, 2);
  t.is(rows, 32);
});

test('contradictions are counted, and nothing is learned from them', t => {
  const book = new ExampleBook();
  watch(book, ['a'], 0, 100);
  book.tell(outcome('lost', 'a', 101, 'disk'));
  book.tell(outcome('lost', 'a', 101, 'disk'));
  book.tell(outcome('lost', 'a', 110, 'cpu'));
  watch(book, ['b'], 105, 300);
  const {counts} = book.examples();
  t.is(counts.ledger.duplicates, 1);
  t.is(counts.ledger.contradictions, 1);
  t.like(counts.failures, {disk: 1, cpu: 0});
});

test('a full book keeps what tells of failures, and a share of the rest that stands for all', t => {
  const hosts = Array.from({length: 20}, (_, host) => `h${host}`);
  const rowsMax = 200;
  const book = new ExampleBook({rowsMax});
  let failures = 0;
  for (let hour = 0; hour < 24; hour++) {
    const host = hosts[hour % 20] as string;
    watch(book, hosts, hour * 60, hour * 60 + 50, down(host, hour * 60 + 42, hour * 60 + 60));
    if (hour % 4 !== 0) continue;
    book.tell(outcome('lost', host, hour * 60 + 41, 'disk'));
    book.tell(outcome('returned', host, hour * 60 + 59));
    failures++;
  }
  watch(book, hosts, 24 * 60, 26 * 60);
  const set = book.examples();
  t.true(set.rows <= rowsMax);
  t.is(set.counts.failures.disk, failures);
  t.is(set.counts.labels.disk?.positive, 6 * failures);
  const standing = set.weights.reduce((sum, weight) => sum + weight, 0);
  const seen = 20 * (24 * 11 + 16);
  t.true(standing > 0.75 * seen && standing < 1.25 * seen, `${standing} for ${seen}`);
  for (const [row, weight] of set.weights.entries()) {
    const isPositive = set.targets[row * COMPONENTS.length + 2] === 1;
    t.true(isPositive ? weight === 1 : Number.isInteger(Math.log2(weight)));
  }
  t.true(set.counts.dropped.thinned > 4000);
  t.is(set.counts.dropped.full, 0);
});

test('no book is larger than it may be, whatever it is told', t => {
  const kind = fc.constantFrom(
    'lost',
    'crashed',
    'rebooted',
    'taken-away',
    'unwatched',
    'returned',
  );
  const told = fc.record({
    kind,
    host: fc.constantFrom('a', 'b', 'c'),
    minute: fc.integer({min: 0, max: 500}),
    delay: fc.integer({min: -20, max: 300}),
    component: fc.constantFrom('', ...COMPONENTS),
  });
  const property = fc.property(fc.array(told, {maxLength: 20}), outcomes => {
    const book = new ExampleBook({rowsMax: 40, waitingMax: 30});
    for (let minute = 0; minute <= 500; minute += 5) {
      for (const {kind: what, host, minute: at, delay, component} of outcomes) {
        if (at !== minute) continue;
        book.tell(outcome(what as 'lost', host, at - delay, component as 'disk', at));
      }
      book.observe(rowsAt(minute, ['a', 'b', 'c']));
    }
    const set = book.examples();
    return (
      set.rows <= 40 &&
      set.targets.length === 5 * set.rows &&
      set.weights.every(weight => weight >= 1) &&
      set.secondsToFailure.every(seconds => seconds > 0)
    );
  });
  t.notThrows(() => fc.assert(property, {numRuns: 60}));
});

test('a row of which too much was told since to know what came of it is no negative', t => {
  const book = new ExampleBook();
  watch(book, ['a', 'b'], 0, 100);
  book.tell(outcome('lost', 'a', 102, 'disk'));
  watch(book, ['a', 'b'], 105, 300, down('a', 102, 1000));
  t.is(targetsOf(book.examples(), 'a', 'disk').get(90), 1);
  // A host that comes and goes: what was told of `a` is among the oldest, and is forgotten.
  for (let told = 0; told < 50_000; told++) book.tell(outcome('rebooted', 'c', 302));
  const set = book.examples();
  t.is(targetsOf(set, 'a', 'disk').get(90), undefined);
  t.is(book.count(0).failures, 0);
  t.true(set.counts.dropped.unknown > 0);
});

test('of more hosts than can wait some are followed without a break, the others not at all', t => {
  const hosts = Array.from({length: 100}, (_, host) => `h${host}`);
  const book = new ExampleBook({waitingMax: 400});
  watch(book, hosts, 0, 300);
  for (const host of hosts) book.tell(outcome('lost', host, 302, 'disk'));
  watch(book, ['other'], 305, 400);
  const set = book.examples();
  t.true(set.hosts.length >= 10 && set.hosts.length < 50, `${set.hosts.length} hosts`);
  for (const {name} of set.hosts.filter(each => each.name !== 'other')) {
    const disk = targetsOf(set, name, 'disk');
    for (let minute = 60; minute <= 300; minute += 5) {
      t.is(disk.get(minute), Number(minute >= 275), `${name} at ${minute}`);
    }
  }
  t.true(set.counts.dropped.waiting > 0);
  // When few are left, all of them are followed again.
  watch(book, hosts.slice(0, 10), 405, 1000);
  const {atMs} = book.examples();
  t.is(atMs.filter(each => each === 900 * MINUTE_MS).length, 10);
});

test('the same telling gives the same examples', t => {
  const tell = () => {
    const book = new ExampleBook({rowsMax: 60});
    watch(book, ['a', 'b', 'c'], 0, 300);
    return book.examples();
  };
  t.deepEqual(tell(), tell());
});
