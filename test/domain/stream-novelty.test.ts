import test from 'ava';
import {createNovelty, type NoveltyOptions} from '../../core/domain/anomaly/stream-novelty.ts';
import fc from '../support/fast-check.ts';

const OPTIONS: NoveltyOptions = {runs: [2, 3, 5], neighbours: 2, historySamples: 1000};

/** The definition: every past run without a common value, sorted by distance. */
function distanceOf(values: readonly number[], length: number, neighbours: number): number {
  const run = values.slice(-length);
  const distances: number[] = [];
  for (let first = 0; first + length <= values.length - length; first++) {
    const past = values.slice(first, first + length);
    distances.push(Math.hypot(...run.map((value, index) => value - (past[index] as number))));
  }
  return distances.sort((a, b) => a - b)[neighbours - 1] ?? Number.NaN;
}

test('distances are those of the definition', t => {
  const values = fc.array(
    fc.oneof(fc.integer({min: 0, max: 3}), fc.double({min: -100, max: 100, noNaN: true})),
    {minLength: 1, maxLength: 60},
  );
  fc.assert(
    fc.property(values, stream => {
      const novelty = createNovelty(OPTIONS);
      for (const [index, value] of stream.entries()) {
        const distances = novelty(value);
        for (const [run, length] of OPTIONS.runs.entries()) {
          const expected = distanceOf(stream.slice(0, index + 1), length, OPTIONS.neighbours);
          const distance = distances[run] as number;
          if (Number.isNaN(expected) !== Number.isNaN(distance)) return false;
          if (Math.abs(distance - expected) > 1e-9 * (1 + expected)) return false;
        }
      }
      return true;
    }),
  );
  t.pass();
});

test('what was seen often enough is not new, until it is forgotten', t => {
  const novelty = createNovelty({runs: [2], neighbours: 2, historySamples: 50});
  const shown: number[] = [];
  const show = (values: readonly number[]) => {
    for (const value of values) shown.push(novelty(value)[0] as number);
    return shown.at(-1);
  };
  show([0, 0, 0, 0, 0, 0]);
  t.is(show([7, 9]), Math.hypot(7, 9));
  show([0, 0, 0]);
  // The second nearest is [0, 7] of the time before.
  t.is(show([7, 9]), Math.sqrt(53));
  show([0, 0, 0]);
  t.is(show([7, 9]), 0);
  show(new Array(150).fill(0));
  t.is(show([7, 9]), Math.hypot(7, 9));
});
