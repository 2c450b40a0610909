import test from 'ava';
import type {ObservedRows} from '../../../core/domain/observed.ts';
import {labelMoments} from '../../../models/keeper/example-labels.ts';
import {OutcomeBook} from '../../../models/keeper/outcome-book.ts';
import {MINUTE_MS, rowsAt} from './example-fixtures.ts';

const HORIZON_MS = 30 * MINUTE_MS;
const open = () => new OutcomeBook({settleMs: 10 * MINUTE_MS, gapMs: 12 * MINUTE_MS});
const of = (partition: number, minute: number, hosts: readonly string[]): ObservedRows =>
  rowsAt(minute, hosts, {partition});

function diskOf(book: OutcomeBook, host: string, minute: number) {
  const [row] = labelMoments(book.ledger(), [{host, atMs: minute * MINUTE_MS}], HORIZON_MS);
  return row?.outcomes[2]?.label;
}

test('of a partition that is behind nothing is known of what it has not come to', t => {
  const book = open();
  for (let minute = 0; minute <= 120; minute += 5) book.watch(of(1, minute, ['a']));
  for (let minute = 0; minute <= 60; minute += 5) book.watch(of(2, minute, ['b']));
  t.is(diskOf(book, 'a', 50), 'negative');
  t.is(diskOf(book, 'b', 20), 'negative');
  t.is(diskOf(book, 'b', 50), 'unknown');
  for (let minute = 65; minute <= 120; minute += 5) book.watch(of(2, minute, ['b']));
  t.is(diskOf(book, 'b', 50), 'negative');
});

test('rows are settled when the slowest partition has come so far, unless it stands still', t => {
  const book = open();
  book.watch(of(1, 100, ['a']));
  book.watch(of(2, 92, ['b']));
  t.is(book.settledMs(HORIZON_MS), (92 - 40) * MINUTE_MS);
  book.watch(of(1, 110, ['a']));
  t.is(book.settledMs(HORIZON_MS), (110 - 40) * MINUTE_MS);
});

test('however often all partitions pause, time that nobody watched is never quiet', t => {
  const book = open();
  const partitions = Array.from({length: 64}, (_, at) => at);
  const pauses = 40;
  for (let hour = 0; hour <= pauses; hour++) {
    for (let minute = 0; minute <= 40; minute += 5) {
      for (const at of partitions) book.watch(of(at, hour * 60 + minute, [`h${at}`]));
    }
  }
  for (const at of partitions) {
    for (let hour = 0; hour < pauses; hour++) {
      t.is(diskOf(book, `h${at}`, hour * 60 + 20), 'unknown', `h${at} in hour ${hour}`);
    }
    t.is(diskOf(book, `h${at}`, (pauses - 1) * 60 + 5), 'negative');
  }
});

test('pauses are forgotten with the rows that they are of, whatever was told of hosts', t => {
  const book = open();
  const days = 5 * 24 * 60;
  for (const minute of [0, 5, 65, 70, days]) book.watch(of(1, minute, ['a']));
  t.is(book.ledger().hosts.get('a')?.unobserved.length, 2);
  book.forget(days * MINUTE_MS);
  t.is(book.ledger().hosts.get('a')?.unobserved.length, 1);
});
