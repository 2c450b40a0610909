import test from 'ava';
import {NAB_STANDARD, type NabSeries, scoreAt, scoreAtBest} from '../../models/nab-score.ts';

/** Scores with many ties, by a generator that is written the same way in any language. */
function drawScores(seed: number, rows: number): number[] {
  let state = seed;
  return Array.from({length: rows}, () => {
    state = Number((1_103_515_245n * BigInt(state) + 12_345n) % 2n ** 31n);
    return ((state >> 16) % 100) / 100;
  });
}

const SERIES: readonly NabSeries[] = [
  {
    scores: drawScores(1, 300),
    windows: [
      [60, 99],
      [200, 229],
    ],
  },
  // The first 15 % of the rows end inside this window.
  {scores: drawScores(2, 200), windows: [[20, 39]]},
  {scores: drawScores(3, 150), windows: []},
];

const LOW_MISSES = {...NAB_STANDARD, missed: 2};

// Expected: ../shared/scorers/score_nab.py, functions `at` and `nabscore`, on the same rows.

test('the score at a threshold is that of the reference in Python', t => {
  const expected: readonly (readonly [number, number])[] = [
    [0.2, -582.661544551],
    [0.5, -344.647224311],
    [0.9, -27.585043746],
    [0.97, 9.567948138],
    [2, 0],
  ];
  for (const [threshold, score] of expected) {
    t.true(Math.abs(scoreAt(SERIES, threshold) - score) < 1e-8, `at ${threshold}`);
  }
  t.true(Math.abs(scoreAt(SERIES, 0.9, LOW_MISSES) - 3.8321930582465233) < 1e-8);
});

test('the best threshold and its score are those of the reference in Python', t => {
  const standard = scoreAtBest(SERIES);
  t.true(Math.abs(standard.score - 24.058229376852196) < 1e-8);
  t.is(standard.threshold, 0.99);
  const lowMisses = scoreAtBest(SERIES, LOW_MISSES);
  t.true(Math.abs(lowMisses.score - 30.40648192812684) < 1e-8);
  t.is(lowMisses.threshold, 0.94);
});

test('one alarm on the first row of each window and no other is worth 100', t => {
  const scores = new Float64Array(1000);
  scores[300] = 1;
  scores[700] = 1;
  const windows: NabSeries['windows'] = [
    [300, 399],
    [700, 799],
  ];
  t.is(scoreAt([{scores, windows}], 1), 100);
  t.deepEqual(scoreAtBest([{scores, windows}]), {score: 100, threshold: 1});
});

test('where every alarm costs, no alarm at all is best', t => {
  const scores = Float64Array.from({length: 100}, (_, row) => (row < 50 ? 1 : 0.5));
  t.deepEqual(scoreAtBest([{scores, windows: [[90, 99]]}]), {
    score: 0,
    threshold: Number.POSITIVE_INFINITY,
  });
});
