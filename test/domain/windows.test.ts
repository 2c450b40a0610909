import assert from 'node:assert/strict';
import test from 'ava';
import {
  clearRow,
  createWindows,
  FAST_MS,
  growWindows,
  observe,
  SLOW_MS,
  type Windows,
} from '../../core/domain/windows.ts';
import fc from '../support/fast-check.ts';

type Sample = {atMs: number; values: readonly number[]};

const COLUMNS = 3;
const START_MS = 1_700_000_000_000;
const fields = ['lastMs', 'firstMs', 'fast', 'slow', 'spread', 'seenMs'] as const;

const value = fc.oneof(
  {weight: 4, arbitrary: fc.float({min: -1000, max: 1000, noNaN: true})},
  {weight: 1, arbitrary: fc.constant(Number.NaN)},
);
const samples = fc
  .array(
    fc.record({
      stepMs: fc.oneof(fc.integer({min: 1, max: 30_000}), fc.integer({min: 30_000, max: 900_000})),
      values: fc.array(value, {minLength: COLUMNS, maxLength: COLUMNS}),
    }),
    {minLength: 1, maxLength: 40},
  )
  .map(steps => {
    let atMs = START_MS;
    return steps.map(({stepMs, values}): Sample => {
      atMs += stepMs;
      return {atMs, values};
    });
  });

/** Feeds samples that lie column-major in one array, as a block does. */
function feed(windows: Windows, row: number, batch: readonly Sample[]): boolean[] {
  const rows = batch.length;
  const block = new Float32Array(rows * COLUMNS);
  batch.forEach(({values}, index) => {
    for (let column = 0; column < COLUMNS; column++) {
      block[column * rows + index] = values[column] as number;
    }
  });
  return batch.map(({atMs}, index) => observe(windows, row, atMs, block, index, rows));
}

function rowOf(windows: Windows, row: number): Record<string, number[]> {
  return Object.fromEntries(
    fields.map(field => {
      const width = windows[field].length / windows.capacity;
      return [field, [...windows[field].subarray(row * width, (row + 1) * width)]];
    }),
  );
}

/** One column in doubles, written down from the definitions and nothing else. */
function oracle(history: readonly Sample[], column: number) {
  let state = {fast: Number.NaN, slow: Number.NaN, spread: 0};
  let previousMs = Number.NaN;
  let seenMs = 0;
  for (const {atMs, values} of history) {
    const x = Math.fround(values[column] as number);
    if (Number.isNaN(x)) {
      if (atMs - seenMs > 300_000) {
        state = {fast: Number.NaN, slow: Number.NaN, spread: 0};
      }
    } else {
      const keepFast = Math.exp(-(atMs - previousMs) / FAST_MS);
      const keepSlow = Math.exp(-(atMs - previousMs) / SLOW_MS);
      state = Number.isNaN(state.fast)
        ? {fast: x, slow: x, spread: state.spread}
        : {
            fast: keepFast * state.fast + (1 - keepFast) * x,
            slow: keepSlow * state.slow + (1 - keepSlow) * x,
            spread: keepSlow * state.spread + (1 - keepSlow) * (x - state.slow) ** 2,
          };
      seenMs = atMs;
    }
    previousMs = atMs;
  }
  return state;
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  if (Number.isNaN(expected)) assert.ok(Number.isNaN(actual), `${actual} is not NaN`);
  else assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not near ${expected}`);
}

test('W1 however samples are batched, and whatever other rows get, a row ends the same', t => {
  fc.assert(
    fc.property(samples, fc.array(fc.nat(5)), samples, (history, cuts, noise) => {
      const whole = createWindows(COLUMNS, 2);
      feed(whole, 1, history);
      const cut = createWindows(COLUMNS, 2);
      const rest = [...history];
      for (const size of cuts) {
        feed(cut, 1, rest.splice(0, size));
        feed(cut, 0, noise);
      }
      feed(cut, 1, rest);
      assert.deepEqual(rowOf(cut, 1), rowOf(whole, 1));
    }),
  );
  t.pass();
});

test('W2 a sample that is not newer is refused and changes nothing', t => {
  fc.assert(
    fc.property(
      samples,
      fc.oneof(fc.constant(0), fc.nat(1_000_000)),
      value,
      (history, backMs, late) => {
        const windows = createWindows(COLUMNS, 1);
        assert.ok(feed(windows, 0, history).every(taken => taken));
        const before = rowOf(windows, 0);
        const newestMs = (history.at(-1) as Sample).atMs;
        const sample = {atMs: newestMs - backMs, values: [late, late, late]};
        assert.deepEqual(feed(windows, 0, [sample]), [false]);
        assert.deepEqual(rowOf(windows, 0), before);
      },
    ),
  );
  t.pass();
});

test('averages and spread are those of a double-precision oracle', t => {
  fc.assert(
    fc.property(samples, history => {
      const windows = createWindows(COLUMNS, 1);
      feed(windows, 0, history);
      for (let column = 0; column < COLUMNS; column++) {
        const expected = oracle(history, column);
        assertNear(windows.fast[column] as number, expected.fast, 0.01);
        assertNear(windows.slow[column] as number, expected.slow, 0.01);
        assertNear(windows.spread[column] as number, expected.spread, 10);
      }
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('W3 a missing value leaves its column, and no other, as it was', t => {
  const windows = createWindows(COLUMNS, 1);
  feed(windows, 0, [{atMs: START_MS, values: [10, 20, 30]}]);
  feed(windows, 0, [{atMs: START_MS + 30_000, values: [Number.NaN, 40, 30]}]);
  t.is(windows.fast[0], 10);
  t.true((windows.fast[1] as number) > 30);
  t.is(windows.fast[2], 30);
});

for (const {silentMs, missing} of [
  {silentMs: 299_999, missing: false},
  {silentMs: 300_000, missing: false},
  {silentMs: 300_001, missing: true},
]) {
  test(`W3 after ${silentMs} ms without a value a column is ${missing ? '' : 'not '}missing`, t => {
    const windows = createWindows(COLUMNS, 1);
    feed(windows, 0, [
      {atMs: START_MS, values: [10, 20, 30]},
      {atMs: START_MS + 1000, values: [13, 20, 30]},
      {atMs: START_MS + 1000 + silentMs, values: [Number.NaN, 20, 30]},
    ]);
    t.is(Number.isNaN(windows.fast[0]), missing);
    t.is(Number.isNaN(windows.fast[0]), missing);
    t.is(Number.isNaN(windows.slow[0]), missing);
    t.is(windows.spread[0] === 0, missing);
    t.is(windows.fast[1], 20);
  });
}

test('W3 a column that comes back begins anew', t => {
  const windows = createWindows(COLUMNS, 1);
  feed(windows, 0, [
    {atMs: START_MS, values: [10, 20, 30]},
    {atMs: START_MS + 400_000, values: [Number.NaN, 20, 30]},
    {atMs: START_MS + 401_000, values: [99, 20, 30]},
  ]);
  t.deepEqual([windows.fast[0], windows.slow[0], windows.spread[0]], [99, 99, 0]);
});

test('W4 the state of a row does not grow with its samples', t => {
  const windows = createWindows(COLUMNS, 2);
  const sizes = () => fields.map(field => windows[field].length);
  const before = sizes();
  feed(
    windows,
    0,
    Array.from({length: 1000}, (_, index) => ({atMs: START_MS + index, values: [index, 1, 2]})),
  );
  t.deepEqual(sizes(), before);
});

test('a copy of the state goes on exactly as the original does', t => {
  fc.assert(
    fc.property(samples, fc.nat(40), (history, at) => {
      const original = createWindows(COLUMNS, 1);
      feed(original, 0, history.slice(0, at));
      const copy = structuredClone(original);
      feed(original, 0, history.slice(at));
      feed(copy, 0, history.slice(at));
      assert.deepEqual(copy, original);
    }),
  );
  t.pass();
});

test('room for more rows keeps the rows that are there and leaves the new ones empty', t => {
  const windows = createWindows(COLUMNS, 2);
  feed(windows, 1, [{atMs: START_MS, values: [1, 2, 3]}]);
  const before = rowOf(windows, 1);
  growWindows(windows, 2);
  t.is(windows.capacity, 2);
  growWindows(windows, 3);
  t.is(windows.capacity, 4);
  t.deepEqual(rowOf(windows, 1), before);
  t.deepEqual(rowOf(windows, 3), rowOf(createWindows(COLUMNS, 1), 0));
  growWindows(windows, 100);
  t.is(windows.capacity, 100);
});

test('a cleared row is an empty one, and its neighbours stay', t => {
  const windows = createWindows(COLUMNS, 3);
  for (const row of [0, 1, 2]) {
    feed(windows, row, [
      {atMs: START_MS, values: [1, 2, 3]},
      {atMs: START_MS + 9000, values: [7, 8, 9]},
    ]);
  }
  const neighbour = rowOf(windows, 0);
  clearRow(windows, 1);
  t.deepEqual(rowOf(windows, 1), rowOf(createWindows(COLUMNS, 1), 0));
  t.deepEqual(rowOf(windows, 0), neighbour);
  t.deepEqual(rowOf(windows, 2), neighbour);
});

test('rows are created for sixteen entities unless said otherwise', t => {
  t.is(createWindows(1).capacity, 16);
});
