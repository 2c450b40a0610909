import test from 'ava';
import {
  createStreamDetector,
  type StreamDetector,
} from '../../core/domain/anomaly/stream-detector.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {createNormal, STREAMS} from './streams.ts';

const SAMPLES = 300_000;
/** The first hour is not counted: the tail has seen hardly any peaks. */
const LEARNED = 3600;

function learned(seed: number, samples = 10_000): StreamDetector {
  const normal = createNormal(seed);
  const detector = createStreamDetector(1);
  for (let index = 0; index < samples; index++) detector.observe(0, normal());
  return detector;
}

for (const [name, create] of Object.entries(STREAMS)) {
  test(`the rate of false alarms is about the setting: ${name}`, t => {
    const settings = [1e-2, 1e-3, 1e-4];
    const alarms = settings.map(() => 0);
    for (const seed of [11, 12, 13]) {
      const draw = create(createNormal(seed));
      const detector = createStreamDetector(1);
      for (let index = 0; index < SAMPLES; index++) {
        const rarity = detector.observe(0, draw(index));
        if (index < LEARNED) continue;
        for (const [at, setting] of settings.entries()) {
          if (rarity < setting) alarms[at] = (alarms[at] as number) + 1;
        }
      }
    }
    const ratios = settings.map(
      (setting, at) => (alarms[at] as number) / (3 * (SAMPLES - LEARNED) * setting),
    );
    t.log(ratios.map(ratio => ratio.toFixed(2)).join(' '));
    const [hundredth, thousandth, tenThousandth] = ratios as [number, number, number];
    t.true(hundredth > 0.75 && hundredth < 1.25);
    t.true(thousandth > 0.35 && thousandth < 1.6);
    t.true(tenThousandth > 0.2 && tenThousandth < 2.8);
  });
}

test('a value far from the level is rarer than 1e-4, on either side', t => {
  for (const seed of [1, 2, 3]) {
    t.true(learned(seed).observe(0, 9) < 1e-4);
    t.true(learned(seed).observe(0, -9) < 1e-4);
    t.true(learned(seed).observe(0, 0.5) > 0.02);
  }
});

test('a shift of the level alarms at once and for minutes, not for good', t => {
  const normal = createNormal(4);
  const detector = learned(4);
  let last = -1;
  for (let index = 0; index < 5000; index++) {
    if (detector.observe(0, 20 + normal()) < 1e-4) {
      if (last < 0) t.is(index, 0);
      last = index;
    }
  }
  t.true(last >= 10 && last < 300, `last alarm at ${last}`);
});

test('a constant metric is never odd; the longer it was, the rarer its first move', t => {
  for (const samples of [200, 5000]) {
    const detector = createStreamDetector(1);
    for (let index = 0; index < samples; index++) t.is(detector.observe(0, 0.3), 1);
    t.is(detector.observe(0, 0.4), 1 / (samples + 1));
  }
});

test('moves that come seldom, to about the same height, stop being alarms', t => {
  const normal = createNormal(9);
  const detector = createStreamDetector(1);
  let alarms = 0;
  for (let index = 0; index < 200_000; index++) {
    const isMove = index % 997 === 0;
    const rarity = detector.observe(0, isMove ? 10 * Math.exp(0.3 * normal()) : 1);
    if (isMove && index > 100_000 && rarity < 1e-4) alarms++;
  }
  // Of the hundred moves; a tenth of them would be the setting.
  t.true(alarms < 40, `${alarms}`);
});

test('a gap in the values changes nothing: what is not finite is answered by NaN', t => {
  const [whole, holed] = [createStreamDetector(1), createStreamDetector(1)];
  const normal = createNormal(5);
  for (let index = 0; index < 2000; index++) {
    const value = normal();
    if (index % 3 === 0) {
      for (const hole of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
        t.is(holed.observe(0, hole), Number.NaN);
    }
    t.is(holed.observe(0, value), whole.observe(0, value));
  }
});

test('nothing is judged before 100 values', t => {
  const detector = createStreamDetector(1);
  for (let index = 0; index < 100; index++)
    t.is(detector.observe(0, index === 50 ? 1e9 : index), 1);
});

test('metrics do not know of each other', t => {
  const [alone, together] = [createStreamDetector(1), createStreamDetector(3)];
  const normal = createNormal(6);
  for (let index = 0; index < 3000; index++) {
    const value = normal();
    together.observe(0, 1e6 * normal());
    t.is(together.observe(1, value), alone.observe(0, value));
    together.observe(2, Number.MAX_VALUE);
  }
});

test('a detector with the learned state of another goes on as that one', t => {
  const first = learned(7, 3000);
  const second = createStreamDetector(1, {state: first.state()});
  const normal = createNormal(8);
  for (let index = 0; index < 3000; index++) {
    const value = normal();
    t.is(second.observe(0, value), first.observe(0, value));
  }
});

test('a learned state of another number of metrics or with a NaN is refused', t => {
  const state = createStreamDetector(2).state();
  const broken = state.slice();
  broken[3] = Number.NaN;
  for (const [metrics, learnedState] of [
    [3, state],
    [2, broken],
    [1, new Float64Array(0)],
  ] as const) {
    const error = t.throws(() => createStreamDetector(metrics, {state: learnedState}));
    t.true(isForestayError(error, 'CHECKPOINT_INVALID'));
  }
});
