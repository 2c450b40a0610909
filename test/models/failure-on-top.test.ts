import test from 'ava';
import {
  createOnTopTrainer,
  FOLDS,
  isGain,
  ON_TOP_SETTINGS,
  type OnTopRows,
} from '../../models/failure/on-top.ts';
import {createUniform} from '../../models/random.ts';
import {marginOf} from '../../models/trees/forest.ts';

const WIDTH = 4;
const HOSTS = 20;
const EACH = 60;
const WHOLE = {...ON_TOP_SETTINGS, rounds: 20, rowShare: 1, columnShare: 1};

/** One output; the last column is the host's own number, the others are noise. */
function makeRows(chance: (host: number, features: Float32Array) => number): OnTopRows {
  const random = createUniform(11);
  const rows = HOSTS * EACH;
  const features = Float32Array.from({length: rows * WIDTH}, (_, at) =>
    at % WIDTH === WIDTH - 1 ? Math.floor(at / WIDTH / EACH) : random(),
  );
  const host = Int32Array.from({length: rows}, (_, row) => Math.floor(row / EACH));
  return {
    rows,
    width: WIDTH,
    outputs: 1,
    features,
    targets: Float32Array.from(host, (place, row) =>
      Number(random() < chance(place, features.subarray(row * WIDTH, (row + 1) * WIDTH))),
    ),
    weights: new Float32Array(rows).fill(1),
    host,
    fold: Uint8Array.from(host, place => place % FOLDS),
    start: new Float64Array(rows).fill(Math.log(0.25 / 0.75)),
  };
}

const bySign = (_: number, features: Float32Array) => ((features[0] as number) > 0.8 ? 0.9 : 0.1);

test('what only tells hosts apart teaches nothing', t => {
  const drawn = createUniform(12);
  const fate = Array.from({length: HOSTS}, () => (drawn() < 0.25 ? 0.95 : 0.02));
  const fit = createOnTopTrainer(
    makeRows(host => fate[host] as number),
    1,
    WHOLE,
  ).fit(0, 20);
  t.false(isGain(fit), `${JSON.stringify(fit.gain)}`);
});

test('what holds on all hosts is learned, and a host is judged by what others taught', t => {
  const rows = makeRows(bySign);
  const fit = createOnTopTrainer(rows, 1, WHOLE).fit(0, 20);
  t.true(isGain(fit));
  const trees = fit.forest.roots.length;
  t.true((fit.losses[trees] as number) < 0.8 * (fit.losses[0] as number));
  // Turned around on one host, its labels change what others hear, and not what it hears itself.
  const own = (row: number) => rows.host[row] === 3;
  const targets = rows.targets.map((target, row) => (own(row) ? 1 - target : target));
  const other = createOnTopTrainer({...rows, targets}, 1, {...WHOLE, rounds: trees}).fit(0, trees);
  t.is(other.forest.roots.length, trees);
  for (const [row, margin] of fit.held.entries()) {
    if (own(row)) t.is(other.held[row], margin);
  }
  t.true(fit.held.some((margin, row) => rows.fold[row] !== 3 && other.held[row] !== margin));
});

test('a row that stands for three counts as three, and what nobody knows counts for nothing', t => {
  const rows = makeRows(bySign);
  const weights = rows.weights.map((_, row) => (row % 3 === 0 ? 3 : 1));
  const targets = rows.targets.map((target, row) => (row % 3 === 1 ? Number.NaN : target));
  const weighted = createOnTopTrainer({...rows, weights, targets}, 1, WHOLE).fit(0, 20);
  const order = [...rows.host.keys()].flatMap(row =>
    row % 3 === 1 ? [] : new Array<number>(row % 3 === 0 ? 3 : 1).fill(row),
  );
  const repeated = createOnTopTrainer(
    {
      ...rows,
      rows: order.length,
      features: Float32Array.from(
        order.flatMap(row => [...rows.features.subarray(row * WIDTH, (row + 1) * WIDTH)]),
      ),
      targets: Float32Array.from(order, row => rows.targets[row] as number),
      weights: new Float32Array(order.length).fill(1),
      host: Int32Array.from(order, row => rows.host[row] as number),
      fold: Uint8Array.from(order, row => rows.fold[row] as number),
      start: new Float64Array(order.length).fill(rows.start[0] as number),
    },
    1,
    WHOLE,
  ).fit(0, 20);
  for (const [trees, loss] of weighted.losses.entries()) {
    t.true(Math.abs(loss - (repeated.losses[trees] as number)) < 0.002, `${trees}`);
  }
  t.is(weighted.held.length, rows.rows);
});

test('no more trees are grown than there is room for', t => {
  const fit = createOnTopTrainer(makeRows(bySign), 1, WHOLE).fit(0, 3);
  t.is(fit.forest.roots.length, 3);
  t.is(fit.forest.base, 0);
  t.true(Number.isFinite(marginOf(fit.forest, new Float32Array(WIDTH), 0)));
});
