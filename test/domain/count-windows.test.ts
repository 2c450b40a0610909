import test from 'ava';
import {
  type CountWindows,
  clearCountRow,
  countSample,
  createCountWindows,
  extractCountFeatures,
  growCountWindows,
  isWindowFull,
  queueSample,
  restoreCountWindows,
  stageSamples,
  storeCountWindows,
  takeQueued,
} from '../../core/domain/count-windows.ts';
import {COUNT_KINDS} from '../../core/domain/features.ts';
import fc from '../support/fast-check.ts';

const KINDS = COUNT_KINDS.length;

const shape = fc
  .record({
    metrics: fc.integer({min: 1, max: 9}),
    stride: fc.integer({min: 1, max: 7}),
    panes: fc.integer({min: 1, max: 6}),
  })
  .filter(({stride, panes}) => stride * panes > 1);
const value = fc.oneof(
  {weight: 9, arbitrary: fc.float({min: -1000, max: 1000, noNaN: true})},
  {weight: 1, arbitrary: fc.constant(Number.NaN)},
);

const identity = (metrics: number) => Int32Array.from({length: metrics}, (_, metric) => metric);

function feed(windows: CountWindows, row: number, samples: readonly (readonly number[])[]): void {
  const columns = identity(windows.metrics);
  for (const sample of samples) {
    countSample(windows, row, Float32Array.from(sample), 0, 1, columns);
  }
}

function featuresOf(windows: CountWindows, row: number): number[] {
  const into = new Float32Array(windows.metrics * KINDS + 2).fill(7);
  extractCountFeatures(windows, row, into, 1);
  return [...into];
}

/** What a textbook says of one metric's window, in the order of COUNT_KINDS. */
function expected(window: readonly number[]): number[] {
  const count = window.length;
  const mean = window.reduce((sum, x) => sum + x, 0) / count;
  const squares = window.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const middle = (count - 1) / 2;
  const moment = window.reduce((sum, x, index) => sum + (index - middle) * (x - mean), 0);
  const times = window.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  const present = window.filter(x => !Number.isNaN(x));
  return [
    window.at(-1) as number,
    mean,
    Math.sqrt(squares / count),
    present.length === 0 ? Number.NaN : Math.min(...present),
    present.length === 0 ? Number.NaN : Math.max(...present),
    moment / times,
  ];
}

function isNear(found: number, wanted: number, scale: number): boolean {
  if (Number.isNaN(wanted)) return Number.isNaN(found);
  return Math.abs(found - wanted) <= 2e-5 * scale + 1e-30;
}

test('features are those of the last samples, whatever the shape, the row and what came before', t => {
  fc.assert(
    fc.property(
      shape.chain(of =>
        fc.record({
          of: fc.constant(of),
          row: fc.integer({min: 0, max: 6}),
          samples: fc.array(fc.array(value, {minLength: of.metrics, maxLength: of.metrics}), {
            maxLength: 3 * of.stride * of.panes + of.stride,
          }),
        }),
      ),
      ({of: {metrics, stride, panes}, row, samples}) => {
        const window = stride * panes;
        const windows = createCountWindows(metrics, window, stride, 8);
        samples.forEach((sample, index) => {
          feed(windows, row, [sample]);
          const count = index + 1;
          if ((count + row) % stride !== 0) return;
          const isFull = count >= window;
          t.is(isWindowFull(windows, row), isFull);
          const found = featuresOf(windows, row);
          t.is(found[0], 7);
          t.is(found.at(-1), 7);
          for (let metric = 0; metric < metrics; metric++) {
            const column = samples
              .slice(count - window, count)
              .map(each => Math.fround(each[metric] as number));
            const scale = Math.max(1, ...column.map(x => (Number.isNaN(x) ? 0 : Math.abs(x))));
            const wanted = isFull ? expected(column) : new Array(KINDS).fill(Number.NaN);
            wanted.forEach((each, kind) => {
              const at = 1 + metric * KINDS + kind;
              t.true(
                isNear(found[at] as number, each, scale),
                `${COUNT_KINDS[kind]} of ${column} is ${found[at]}, not ${each}`,
              );
            });
          }
        });
      },
    ),
    {numRuns: 200},
  );
});

test('nothing drifts: large values that have left the window leave no trace', t => {
  const windows = createCountWindows(1, 20, 5);
  feed(windows, 0, new Array(200).fill([1e12]));
  feed(windows, 0, new Array(20).fill([0.25]));
  t.deepEqual(featuresOf(windows, 0).slice(1, -1), [0.25, 0.25, 0, 0.25, 0.25, 0]);
});

test('rows do not touch each other, and a cleared one begins anew', t => {
  const windows = createCountWindows(2, 4, 2, 2);
  feed(windows, 0, new Array(4).fill([1, 2]));
  feed(windows, 1, new Array(5).fill([3, 4]));
  const before = featuresOf(windows, 1);
  clearCountRow(windows, 0);
  t.false(isWindowFull(windows, 0));
  t.true(featuresOf(windows, 0).slice(1, -1).every(Number.isNaN));
  feed(windows, 0, new Array(4).fill([8, 9]));
  t.is(featuresOf(windows, 0)[2], 8);
  t.deepEqual(featuresOf(windows, 1), before);
});

test('growing, storing and restoring keep what rows hold', t => {
  const windows = createCountWindows(3, 60, 5, 1);
  const samples = Array.from({length: 83}, (_, index) => [index, index % 7, -index]);
  feed(windows, 0, samples);
  const before = featuresOf(windows, 0);
  growCountWindows(windows, 5000);
  t.is(windows.capacity, 5000);
  t.deepEqual(featuresOf(windows, 0), before);
  const restored = restoreCountWindows(storeCountWindows(windows, 1), 16);
  t.deepEqual(featuresOf(restored, 0), before);
  feed(windows, 0, samples);
  feed(restored, 0, samples);
  t.deepEqual(featuresOf(restored, 0), featuresOf(windows, 0));
  feed(restored, 15, samples);
  t.true(isWindowFull(restored, 15));
});

test('a metric that the set lacks is missing', t => {
  const windows = createCountWindows(2, 2, 1);
  for (const sample of [5, 6]) {
    countSample(windows, 0, Float32Array.of(sample), 0, 1, Int32Array.of(-1, 0));
  }
  const found = featuresOf(windows, 0).slice(1, -1);
  t.true(found.slice(0, KINDS).every(Number.isNaN));
  t.deepEqual(found.slice(KINDS), [6, 5.5, 0.5, 5, 6, 1]);
});

test('samples of several rows in runs, with the features of some, give what they give one by one', t => {
  const ROWS = 7;
  fc.assert(
    fc.property(
      shape,
      fc.integer({min: 1, max: 300}),
      fc.array(fc.nat(ROWS - 1), {minLength: 1, maxLength: 64}),
      fc.array(value, {minLength: 97, maxLength: 97}),
      ({metrics, stride, panes}, count, order, drawn) => {
        const values = Float32Array.from(
          {length: metrics * count},
          (_, at) => drawn[at % drawn.length] as number,
        );
        const rowOf = (sample: number) => order[(sample * 31) % order.length] as number;
        const isWanted = (sample: number) => sample % 3 !== 1;
        const columns = identity(metrics);
        const [oneByOne, inRuns] = [1, 2].map(() =>
          createCountWindows(metrics, stride * panes, stride),
        ) as [CountWindows, CountWindows];
        const wanted: number[] = [];
        const into = new Float32Array(metrics * KINDS);
        for (let sample = 0; sample < count; sample++) {
          countSample(oneByOne, rowOf(sample), values, sample, count, columns);
          if (!isWanted(sample) || !isWindowFull(oneByOne, rowOf(sample))) continue;
          extractCountFeatures(oneByOne, rowOf(sample), into, 0);
          wanted.push(...into);
        }
        const found: number[] = [];
        for (let from = 0; from < count; from += 97) {
          const length = Math.min(97, count - from);
          stageSamples(inRuns, values, from, count, columns, length);
          for (let staged = 0; staged < length; staged++) {
            queueSample(inRuns, rowOf(from + staged), staged, isWanted(from + staged));
          }
          found.push(...takeQueued(inRuns));
        }
        t.deepEqual(found, wanted);
        t.deepEqual(storeCountWindows(inRuns, ROWS), storeCountWindows(oneByOne, ROWS));
      },
    ),
  );
});
