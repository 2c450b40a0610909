/** What is known of outages when their causes become known late. */
import test from 'ava';
import {
  CELL_HALF_LIFE_DAYS,
  cellCountsAt,
  countsAt,
  createOutageHistory,
  DAY_MS,
  HALF_LIFE_DAYS,
  kindOf,
  OUTAGE_CAUSES,
  recordOutage,
  renameOutage,
} from '../../core/domain/outage-history.ts';
import fc from '../support/fast-check.ts';

const HOSTS = 3;
const outages = fc.array(
  fc.record({
    days: fc.double({min: 0, max: 90, noNaN: true}),
    host: fc.nat(HOSTS - 1),
    cause: fc.constantFrom(...OUTAGE_CAUSES),
    said: fc.constantFrom(...OUTAGE_CAUSES),
  }),
  {minLength: 1, maxLength: 12},
);

function isClose(a: Float64Array, b: Float64Array): boolean {
  return a.every((value, at) => Math.abs(value - (b[at] as number)) < 1e-9);
}

/** Rows of counts that lose weight with time; those that never do need no last outage to be read. */
const lifetimes = (counts: Float64Array, lives: readonly number[]) =>
  counts.filter((_, at) => at % lives.length === lives.length - 1);

test('outages that are renamed count as if their cause had been known', t => {
  const property = fc.property(outages, drawn => {
    const asked = drawn
      .toSorted((a, b) => a.days - b.days)
      .map(({days, ...rest}) => ({...rest, atMs: days * DAY_MS}));
    const known = createOutageHistory(HOSTS);
    const renamed = createOutageHistory(HOSTS);
    for (const {cause, ...outage} of asked) recordOutage(known, {...outage, cause});
    for (const {said, ...outage} of asked) recordOutage(renamed, {...outage, cause: said});
    for (const {said, ...outage} of asked.toReversed()) renameOutage(renamed, outage, said);
    const atMs = 100 * DAY_MS;
    const [right, now] = [countsAt(known, atMs), countsAt(renamed, atMs)];
    const [ofCell, nowOfCell] = [cellCountsAt(known, atMs), cellCountsAt(renamed, atMs)];
    return (
      isClose(lifetimes(right, HALF_LIFE_DAYS), lifetimes(now, HALF_LIFE_DAYS)) &&
      isClose(lifetimes(ofCell, CELL_HALF_LIFE_DAYS), lifetimes(nowOfCell, CELL_HALF_LIFE_DAYS)) &&
      isClose(right, now) &&
      isClose(known.plannedByWeekday, renamed.plannedByWeekday)
    );
  });
  t.notThrows(() => fc.assert(property, {seed: 11, numRuns: 300}));
});

test('one cause less is one more of the other, and the host has had no more outages', t => {
  const history = createOutageHistory(1);
  recordOutage(history, {atMs: DAY_MS, host: 0, cause: 'unknown'});
  recordOutage(history, {atMs: 2 * DAY_MS, host: 0, cause: 'unknown'});
  renameOutage(history, {atMs: DAY_MS, host: 0, cause: 'memory'}, 'unknown');
  const counts = lifetimes(countsAt(history, 3 * DAY_MS), HALF_LIFE_DAYS);
  t.is(counts[kindOf('unplanned')], 2);
  t.is(counts[kindOf('unknown')], 1);
  t.is(counts[kindOf('memory')], 1);
});
