import test from 'ava';
import {createAdwin, observeAdwin, windowOf} from '../../../core/domain/drift/adwin.ts';
import {createPageHinkley, observePageHinkley} from '../../../core/domain/drift/page-hinkley.ts';
import {createUniform} from '../../../models/random.ts';
import fc from '../../support/fast-check.ts';

type Draw = (random: () => number) => number;

const normal: Draw = random => {
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) sum += random();
  return sum;
};
const clip = (value: number) => Math.min(1, Math.max(0, value));
/** Brier losses of a good model of rare failures: hardly ever large. */
const rare =
  (share: number): Draw =>
  random =>
    random() < share ? 0.8 + 0.2 * random() : 0.001 * random();
const STREAMS: Readonly<Record<string, readonly [before: Draw, after: Draw]>> = {
  coins: [random => Number(random() < 0.3), random => Number(random() < 0.5)],
  'a narrow normal': [
    random => clip(0.5 + 0.05 * normal(random)),
    random => clip(0.55 + 0.05 * normal(random)),
  ],
  'rare losses': [rare(0.005), rare(0.03)],
};
const SEEDS = Array.from({length: 20}, (_, seed) => 500 + seed);
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number;

test('the window of ADWIN holds the newest values, with their mean and variance', t => {
  fc.assert(
    fc.property(
      fc.array(fc.double({min: 0, max: 1, noNaN: true}), {minLength: 1, maxLength: 700}),
      fc.integer({min: 0, max: 700}),
      (values, step) => {
        // A step, so that some windows are cut.
        const stream = values.map((value, at) => (at < step ? value / 4 : 0.6 + value / 4));
        const adwin = createAdwin(0.1);
        for (const value of stream) observeAdwin(adwin, value);
        const held = windowOf(adwin);
        const newest = stream.slice(stream.length - held.values);
        const mean = newest.reduce((sum, value) => sum + value, 0) / newest.length;
        const variance = newest.reduce((sum, v) => sum + (v - mean) ** 2, 0) / newest.length;
        t.true(Math.abs(held.mean - mean) < 1e-9, `${held.mean} is not ${mean}`);
        t.true(Math.abs(held.variance - variance) < 1e-9, `${held.variance}, not ${variance}`);
      },
    ),
    {numRuns: 60},
  );
});

test('ADWIN cries wolf on fewer looks than it is set to, whatever the distribution', t => {
  for (const [name, [before]] of Object.entries(STREAMS)) {
    let alarms = 0;
    let looks = 0;
    for (const seed of SEEDS) {
      const random = createUniform(seed);
      const adwin = createAdwin(0.01);
      for (let at = 0; at < 20_000; at++) if (observeAdwin(adwin, before(random))) alarms++;
      looks += 20_000 / 32;
    }
    t.log(`seeds ${SEEDS[0]} to ${SEEDS.at(-1)}, ${name}: ${alarms} alarms in ${looks} looks`);
    t.true(alarms <= 0.01 * looks, name);
  }
});

test('ADWIN finds a step soon, says from what to what, and forgets the oldest', t => {
  for (const [name, [before, after]] of Object.entries(STREAMS)) {
    const delays = SEEDS.map(seed => {
      const random = createUniform(seed);
      const adwin = createAdwin();
      for (let at = 0; at < 5000; at++) observeAdwin(adwin, before(random));
      for (let delay = 1; delay <= 5000; delay++) {
        const change = observeAdwin(adwin, after(random));
        if (change === undefined) continue;
        t.true(change.before < change.after, name);
        t.true(change.since < 2 * delay + 64, `${change.since} since, after ${delay}`);
        t.true(windowOf(adwin).values < 5000 + delay, 'the oldest are forgotten');
        return delay;
      }
      return Number.POSITIVE_INFINITY;
    });
    t.log(`seeds ${SEEDS[0]} to ${SEEDS.at(-1)}, ${name}: found after ${median(delays)} values`);
    t.true(median(delays) <= (name === 'rare losses' ? 2000 : 300), name);
  }
});

test('a checkpoint of ADWIN goes on as if nothing had been', t => {
  const random = createUniform(3);
  const adwin = createAdwin();
  for (let at = 0; at < 3333; at++) observeAdwin(adwin, random() / 2);
  const restored = structuredClone(adwin);
  for (let at = 0; at < 3000; at++) {
    const value = 0.4 + random() / 2;
    t.deepEqual(observeAdwin(restored, value), observeAdwin(adwin, value));
  }
  t.deepEqual(restored, adwin);
  t.true(adwin.sums.byteLength + adwin.squares.byteLength + adwin.kept.byteLength < 4096);
});

test('what is no loss is not taken', t => {
  const adwin = createAdwin();
  for (const value of [Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY]) {
    t.is(observeAdwin(adwin, value), undefined);
  }
  t.is(adwin.taken, 0);
  const state = createPageHinkley(1000, 1);
  observePageHinkley(state, Number.NaN);
  t.is(state.lots, 0);
});

test('Page-Hinkley cries wolf about as rarely as it is set to, for lots that are nearly normal', t => {
  for (const wanted of [300, 1000]) {
    let alarms = 0;
    let lots = 0;
    for (const seed of SEEDS) {
      const random = createUniform(seed);
      const state = createPageHinkley(wanted, 4);
      for (let at = 0; at < 80_000; at++) {
        if (observePageHinkley(state, normal(random)) !== undefined) alarms++;
      }
      lots += 20_000;
    }
    t.log(`seeds ${SEEDS[0]} to ${SEEDS.at(-1)}: ${lots / alarms} lots an alarm, set to ${wanted}`);
    t.true(lots / alarms > wanted * 0.8 && lots / alarms < wanted * 3);
  }
});

test('Page-Hinkley is faster than ADWIN on a small step of a narrow stream', t => {
  const [before, after] = STREAMS['a narrow normal'] as readonly [Draw, Draw];
  const delays = SEEDS.map(seed => {
    const random = createUniform(seed);
    const state = createPageHinkley();
    for (let at = 0; at < 5000; at++) observePageHinkley(state, before(random));
    for (let delay = 1; delay <= 5000; delay++) {
      const rise = observePageHinkley(state, after(random));
      if (rise === undefined) continue;
      t.true(Math.abs(rise.before - 0.5) < 0.005 && rise.after > 0.505, JSON.stringify(rise));
      t.is(state.lots, 0);
      return delay;
    }
    return Number.POSITIVE_INFINITY;
  });
  t.log(`seeds ${SEEDS[0]} to ${SEEDS.at(-1)}: found after ${median(delays)} values`);
  t.true(median(delays) <= 100);
});

test('Page-Hinkley has nothing to say of a mean that falls', t => {
  const random = createUniform(8);
  const state = createPageHinkley(10_000, 8);
  for (let at = 0; at < 4000; at++) observePageHinkley(state, 0.5 + 0.05 * normal(random));
  for (let at = 0; at < 4000; at++) {
    t.is(observePageHinkley(state, 0.3 + 0.05 * normal(random)), undefined);
  }
});
