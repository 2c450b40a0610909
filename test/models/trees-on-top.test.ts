import test from 'ava';
import {createUniform} from '../../models/random.ts';
import {binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, logLossOf, trainForest} from '../../models/trees/boosting.ts';
import {marginOf} from '../../models/trees/forest.ts';
import {stackForests} from '../../models/trees/stack.ts';
import fc from '../support/fast-check.ts';

const COLUMNS = 3;
const WHOLE = {
  ...BOOSTING_DEFAULTS,
  rounds: 40,
  leavesMax: 4,
  rowShare: 1,
  columnShare: 1,
  minChildHessian: 0.1,
};

function drawRows(seed: number, rows: number) {
  const random = createUniform(seed);
  const features = Float32Array.from({length: rows * COLUMNS}, () => Math.fround(random()));
  const chance = (row: number) => ((features[row * COLUMNS] as number) > 0.5 ? 0.8 : 0.1);
  return {random, features, chance};
}

function trainAll(
  features: Float32Array,
  labels: Float32Array | Uint8Array,
  more: {weights?: Float32Array; start?: Float64Array} = {},
) {
  const train = Int32Array.from(labels.keys());
  const table = binTable(features, COLUMNS, train);
  return trainForest({table, labels, train, validation: new Int32Array(0), ...more}, WHOLE).forest;
}

test('a label between counts as both, each by its chance', t => {
  const {random, features} = drawRows(1, 200);
  const chances = Float32Array.from({length: 200}, () => Math.fround(random()));
  const soft = trainAll(features, chances, {weights: new Float32Array(200).fill(1)});
  const twice = trainAll(
    Float32Array.of(...features, ...features),
    Uint8Array.from({length: 400}, (_, row) => Number(row < 200)),
    {weights: Float32Array.from([...chances, ...chances.map(chance => 1 - chance)])},
  );
  t.is(soft.roots.length, twice.roots.length);
  for (let row = 0; row < 200; row++) {
    const margins = [soft, twice].map(forest => marginOf(forest, features, row * COLUMNS));
    t.true(Math.abs((margins[0] as number) - (margins[1] as number)) < 1e-4);
  }
});

test('the loss of a label between is the mean of both by its chance', t => {
  const property = fc.property(
    fc.double({min: -30, max: 30, noNaN: true}),
    fc.double({min: 0, max: 1, noNaN: true}),
    (margin, chance) => {
      const mixed = chance * logLossOf(margin, 1) + (1 - chance) * logLossOf(margin, 0);
      return Math.abs(logLossOf(margin, chance) - mixed) < 1e-9;
    },
  );
  t.notThrows(() => fc.assert(property));
});

test('trees on top of what is right already change little, on top of what is wrong they mend it', t => {
  const rows = 2000;
  const {random, features, chance} = drawRows(2, rows);
  const labels = Uint8Array.from({length: rows}, (_, row) => Number(random() < chance(row)));
  const logit = (risk: number) => Math.log(risk / (1 - risk));
  const right = Float64Array.from({length: rows}, (_, row) => logit(chance(row)));
  const meanLoss = (start: Float64Array, forest?: ReturnType<typeof trainAll>) =>
    right.reduce((sum, _, row) => {
      const added = forest === undefined ? 0 : marginOf(forest, features, row * COLUMNS);
      return sum + logLossOf((start[row] as number) + added, labels[row] as number);
    }, 0) / rows;
  const onRight = trainAll(features, labels, {start: right});
  t.is(onRight.base, 0);
  const wrong = right.map(margin => -margin);
  const onWrong = trainAll(features, labels, {start: wrong});
  t.true(meanLoss(wrong) > 1.5 * meanLoss(right));
  t.true(meanLoss(wrong, onWrong) < 1.1 * meanLoss(right));
  t.deepEqual(
    wrong,
    right.map(margin => -margin),
    'what it begins with is not changed',
  );
});

test('a stacked forest says what the one below says, calibrated, and what was added', t => {
  const {features, chance, random} = drawRows(3, 300);
  const labels = Uint8Array.from({length: 300}, (_, row) => Number(random() < chance(row)));
  const [under, added] = [trainAll(features, labels), trainAll(features.toReversed(), labels)];
  fc.assert(
    fc.property(
      fc.float({min: -2, max: 3, noNaN: true}),
      fc.float({min: -2, max: 2, noNaN: true}),
      fc.integer({min: 0, max: 299}),
      (slope, offset, row) => {
        const stacked = stackForests(under, {slope, offset}, added);
        const [margin, below, above] = [stacked, under, added].map(forest =>
          marginOf(forest, features, row * COLUMNS),
        ) as [number, number, number];
        return Math.abs(margin - (slope * below + offset + above)) < 1e-5;
      },
    ),
  );
  t.is(stackForests(under, {slope: 1, offset: 0}, added).roots.length, 80);
});
