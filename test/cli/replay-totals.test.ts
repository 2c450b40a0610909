import test from 'ava';
import type {Connection} from '../../cli/client.ts';
import {readTotals, settleTotals} from '../../cli/replay-totals.ts';

type Counts = {storedSamples: number; scoredRows: number; transitions: number};

/** A core that counts as told, look after look; the last counts stay. */
function counting(looks: readonly Counts[]): Connection {
  let look = 0;
  const statusOf = ({storedSamples, scoredRows, transitions}: Counts) => ({
    cell: 'c',
    storedSamples: BigInt(storedSamples),
    scoredRows: BigInt(scoredRows),
    transitions: BigInt(transitions),
  });
  return {
    client: () => ({}),
    call: async () => {
      const counts = looks[Math.min(look++, looks.length - 1)];
      return {cells: counts === undefined ? [] : [statusOf(counts)]};
    },
  } as unknown as Connection;
}

const before = {storedSamples: 100, scoredRows: 10, transitions: 1};

test('a cell that nobody knows has counts of nothing', async t => {
  t.deepEqual(await readTotals(counting([]), 'c'), {
    storedSamples: 0,
    scoredRows: 0,
    transitions: 0,
  });
});

test('totals are what was added, once everything is stored and nothing moves', async t => {
  const core = counting([
    {storedSamples: 103, scoredRows: 10, transitions: 1},
    {storedSamples: 105, scoredRows: 10, transitions: 1},
    {storedSamples: 105, scoredRows: 12, transitions: 2},
  ]);
  const settled = await settleTotals(core, {cell: 'c', drainTimeout: 60}, before, 5);
  t.deepEqual(settled, {
    counts: {storedSamples: 5, scoredRows: 2, transitions: 1},
    error: undefined,
  });
});

test('samples that are not stored in time are reported with how many are missing', async t => {
  const core = counting([{storedSamples: 103, scoredRows: 10, transitions: 1}]);
  const {counts, error} = await settleTotals(core, {cell: 'c', drainTimeout: 0.1}, before, 5);
  t.is(counts.storedSamples, 3);
  t.like(error, {code: 'TIMED_OUT'});
  t.regex(error?.message ?? '', /3 of 5 samples are stored after 0\.1 s/);
});
