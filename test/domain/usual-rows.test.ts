import test from 'ava';
import {UsualPool} from '../../core/domain/anomaly/usual-rows.ts';
import fc from '../support/fast-check.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = 488_888 * HOUR_MS;

test('rows come back host by host, in the order of time, with the places where a stretch begins', t => {
  const pool = new UsualPool(1);
  const minutes = [0, 1, 2, 58, 59, 60, 61, 70];
  for (const minute of minutes) {
    for (const host of ['b', 'a']) pool.add(host, START_MS + minute * MINUTE_MS, [minute]);
  }
  const {values, atMs, starts} = pool.list();
  t.deepEqual([...values], [...minutes, ...minutes]);
  t.deepEqual(
    [...atMs.subarray(0, 8)],
    minutes.map(minute => START_MS + minute * MINUTE_MS),
  );
  t.deepEqual(starts, [0, 3, 7, 8, 11, 15]);
  t.is(pool.kept, 16);
  t.is(pool.spanMs, 70 * MINUTE_MS);
});

test('however many rows come, a bounded number is kept, of many hosts and hours', t => {
  const pool = new UsualPool(2);
  const hosts = 100;
  for (let minute = 0; minute < 24 * 60; minute++) {
    for (let host = 0; host < hosts; host++) {
      pool.add(`h${host}`, START_MS + minute * MINUTE_MS, [host, minute]);
    }
  }
  t.is(pool.taken, hosts * 24 * 60);
  t.true(pool.kept <= 4096 && pool.kept > 1500, `${pool.kept}`);
  const {values, starts} = pool.list();
  t.is(values.length, 2 * pool.kept);
  const seen = starts.map(row => ({
    host: values[2 * row] as number,
    hour: Math.floor((values[2 * row + 1] as number) / 60),
  }));
  t.true(new Set(seen.map(({host}) => host)).size > 20);
  t.true(new Set(seen.map(({hour}) => hour)).size > 12);
  // Whole hours: stretches stay stretches.
  t.true(pool.kept / starts.length >= 59);
});

test('what is kept does not depend on the order in which hosts come', t => {
  fc.assert(
    fc.property(
      fc.integer({min: 1, max: 300}),
      fc.integer({min: 1, max: 200}),
      (hosts, minutes) => {
        const run = (isReversed: boolean) => {
          const pool = new UsualPool(1);
          const order = Array.from({length: hosts}, (_, host) => host);
          if (isReversed) order.reverse();
          for (let minute = 0; minute < minutes; minute++) {
            for (const host of order) pool.add(`h${host}`, START_MS + minute * MINUTE_MS, [host]);
          }
          return pool.list();
        };
        t.deepEqual(run(true), run(false));
      },
    ),
    {numRuns: 10, seed: 1},
  );
});

test('a pool that was cleared begins anew', t => {
  const pool = new UsualPool(1);
  for (let minute = 0; minute < 100; minute++) pool.add('a', START_MS + minute * MINUTE_MS, [1]);
  pool.clear();
  t.deepEqual([pool.kept, pool.taken, pool.spanMs], [0, 0, 0]);
  pool.add('a', START_MS + 500 * MINUTE_MS, [1]);
  t.deepEqual([pool.kept, pool.taken, pool.spanMs], [1, 1, 0]);
});
