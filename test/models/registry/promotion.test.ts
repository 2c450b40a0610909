import test from 'ava';
import {createUniform} from '../../../models/random.ts';
import {pairModels, UNKNOWN_OUTCOME} from '../../../models/registry/pairing.ts';
import {
  bootstrapGain,
  type Comparison,
  decidePromotion,
  GUARDRAILS,
  type PairedBlock,
} from '../../../models/registry/promotion.ts';
import fc from '../../support/fast-check.ts';

/** Standard normal, by Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Blocks of 1 to 20 rows that share a draw, whose gain a row is `gain` in the mean. */
function drawBlocks(random: () => number, count: number, gain: number): PairedBlock[] {
  return Array.from({length: count}, () => {
    const weight = 1 + Math.floor(20 * random());
    const shared = gain + 0.3 * normal(random);
    let challenger = 0;
    for (let row = 0; row < weight; row++) challenger -= shared + 0.1 * normal(random);
    return {champion: 0, challenger, weight};
  });
}

test('the lower bound is below the true gain as often as it says, although rows of a block are alike', t => {
  const random = createUniform(11);
  const [studies, doubt, gain] = [600, 0.05, 0.05];
  let [below, belowByRow] = [0, 0];
  for (let study = 0; study < studies; study++) {
    const blocks = drawBlocks(random, 120, gain);
    if (bootstrapGain(blocks, {seed: study, doubt, resamples: 400}).lower <= gain) below++;
    // As if rows were independent: the error that blocks are for.
    const rows = blocks.flatMap(({challenger, weight}) =>
      Array.from({length: weight}, () => ({
        champion: 0,
        challenger: challenger / weight,
        weight: 1,
      })),
    );
    if (study < 150 && bootstrapGain(rows, {seed: study, doubt, resamples: 100}).lower <= gain)
      belowByRow++;
  }
  // 0.95 with a standard error of 0.009; percentiles of 120 blocks fall a little short.
  const share = below / studies;
  t.true(share > 0.92 && share < 0.975, `covered ${share}`);
  t.true(belowByRow / 150 < 0.8, `by row ${belowByRow / 150}`);
});

test('the bounds are those of the normal theory where that holds', t => {
  const random = createUniform(5);
  const blocks = Array.from({length: 500}, () => ({
    champion: 1 + 0.2 * normal(random),
    challenger: 0.9,
    weight: 1,
  }));
  const gains = blocks.map(({champion, challenger}) => champion - challenger);
  const mean = gains.reduce((sum, each) => sum + each, 0) / 500;
  const variance = gains.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 500;
  const error = Math.sqrt(variance / 500);
  const found = bootstrapGain(blocks, {seed: 1, doubt: 0.05, resamples: 4000});
  t.true(Math.abs(found.mean - mean) < 1e-12);
  t.true(Math.abs(found.lower - (mean - 1.645 * error)) < 0.1 * error);
  t.true(Math.abs(found.upper - (mean + 1.645 * error)) < 0.1 * error);
});

test('equal models gain nothing, a worse one is never promoted, and the seed decides the draws', t => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 1e6}), seed => {
      const blocks = drawBlocks(createUniform(seed), 60, -0.5);
      const first = bootstrapGain(blocks, {seed, doubt: 0.05, resamples: 50});
      t.deepEqual(bootstrapGain(blocks, {seed, doubt: 0.05, resamples: 50}), first);
      t.true(first.lower < 0);
      const same = blocks.map(({challenger, weight}) => ({
        champion: challenger,
        challenger,
        weight,
      }));
      t.like(bootstrapGain(same, {seed, doubt: 0.05, resamples: 50}), {
        mean: 0,
        lower: 0,
        upper: 0,
      });
    }),
    {numRuns: 30},
  );
});

const figures = {loss: 0.2, calibrationError: 0.01, averagePrecision: 0.4};
const better: Comparison = {
  blocks: drawBlocks(createUniform(3), 200, 0.2),
  segments: [
    {
      name: 'disk',
      rows: 1000,
      positives: 50,
      champion: figures,
      challenger: {...figures, loss: 0.1},
    },
  ],
  champion: {bytes: 1000, p99Ms: 1},
  challenger: {bytes: 1100, p99Ms: 1.1},
};

test('a better challenger that breaks no guardrail passes, with every number in words', t => {
  const {passed, checks} = decidePromotion(better, 1);
  t.true(passed, JSON.stringify(checks));
  t.regex(
    checks[0]?.says ?? '',
    /less log-loss a row, with 95\.0 % at least 0\.\d+, over 200 blocks/,
  );
  t.regex(
    checks[1]?.says ?? '',
    /0\.20000 → 0\.10000 \(-50\.0 %, .* base rate 5\.0 % \(50 of 1000/,
  );
});

const segment = better.segments[0] as Comparison['segments'][number];
const broken: [string, Comparison, string | undefined][] = [
  ['gain', {...better, blocks: drawBlocks(createUniform(3), 200, 0)}, 'gain'],
  [
    'gain',
    {...better, blocks: better.blocks.slice(0, GUARDRAILS.leastBlocks - 1)},
    'too few blocks',
  ],
  ['disk', {...better, segments: [{...segment, challenger: {...figures, loss: 0.22}}]}, 'worse'],
  [
    'disk calibration',
    {...better, segments: [{...segment, challenger: {...figures, calibrationError: 0.016}}]},
    'calibration',
  ],
  [
    'disk',
    {...better, segments: [{...segment, challenger: {...figures, loss: Number.NaN}}]},
    'NaN',
  ],
  ['latency', {...better, challenger: {bytes: 1000, p99Ms: 2.1}}, 'slow'],
  ['size', {...better, challenger: {bytes: 4001, p99Ms: 1}}, 'large'],
];
for (const [name, comparison, title] of broken) {
  test(`a challenger is held up by a guardrail: ${title}`, t => {
    const {passed, checks} = decidePromotion(comparison, 1);
    t.false(passed);
    t.deepEqual(
      checks.filter(check => !check.passed).map(check => check.name),
      [name],
    );
  });
}

test('a segment in which hardly anything happened holds up nothing, and says so', t => {
  const few = {...segment, positives: 3, challenger: {...figures, loss: 9}};
  const {passed, checks} = decidePromotion({...better, segments: [few]}, 1);
  t.true(passed);
  t.regex(checks.find(({name}) => name === 'disk')?.says ?? '', /3 of 1000 rows happened: too few/);
});

test('losses are summed by block over the outputs whose outcome is known', t => {
  const judged = {
    rows: 3,
    outputs: ['x', 'y'],
    labels: Uint8Array.of(1, 0, 0, UNKNOWN_OUTCOME, UNKNOWN_OUTCOME, UNKNOWN_OUTCOME),
    block: Int32Array.of(7, 7, 8),
  };
  const champion = Float32Array.of(0.5, 0.5, 0.5, 0.1, 0.1, 0.1);
  const challenger = Float32Array.of(1, 0, 0.75, 0.9, 0.9, 0.9);
  const {blocks, segments} = pairModels(judged, champion, challenger);
  t.is(blocks.length, 1);
  const [{champion: first, challenger: second, weight}] = blocks as [PairedBlock];
  t.true(Math.abs(first - 3 * Math.LN2) < 1e-12);
  t.true(Math.abs(second - Math.log(4)) < 1e-12);
  t.is(weight, 2);
  t.deepEqual(
    segments.map(({name, rows, positives}) => [name, rows, positives]),
    [
      ['x', 2, 1],
      ['y', 1, 0],
    ],
  );
});
