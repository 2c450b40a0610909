import test from 'ava';
import {
  countInTrial,
  createTrial,
  drawHoldBack,
  estimateTrial,
} from '../../../core/domain/skill/hold-back.ts';
import {createUniform} from '../../../models/random.ts';

const POLICY = {share: 0.2, criticalityMax: 0.3};
const vm = (name: string, criticality = 0.1) => ({name, criticality});

test('nobody is held back unless a share is set, and no critical VM ever', t => {
  for (let at = 0; at < 1000; at++) {
    t.is(drawHoldBack({...POLICY, share: 0}, vm(`v${at}`), 'e'), undefined);
    t.is(drawHoldBack({...POLICY, share: 1}, vm(`v${at}`, 0.31), 'e'), undefined);
    t.is(drawHoldBack({...POLICY, share: 1}, vm(`v${at}`, Number.NaN), 'e'), undefined);
    t.true(drawHoldBack({...POLICY, share: 1}, vm(`v${at}`, 0.3), 'e')?.heldBack);
  }
});

test('a fifth is held back, whatever the names look like, and the same ones each time', t => {
  for (const [what, draw] of [
    ['names', (at: number) => drawHoldBack(POLICY, vm(`v${at}`), 'h01/5')],
    ['episodes', (at: number) => drawHoldBack(POLICY, vm('v1'), `h01/${at}`)],
    ['hosts', (at: number) => drawHoldBack(POLICY, vm('v1'), `h${at}/5`)],
  ] as const) {
    let held = 0;
    for (let at = 0; at < 10_000; at++) {
      const drawn = draw(at);
      t.is(drawn?.propensity, 0.8);
      t.deepEqual(draw(at), drawn);
      if (drawn?.heldBack) held++;
    }
    t.true(Math.abs(held - 2000) < 4 * Math.sqrt(1600), `${what}: ${held} of 10000`);
  }
});

test('what is drawn for a VM in one episode says nothing of the next one, nor of its neighbour', t => {
  const isHeld = (name: string, episode: number) =>
    drawHoldBack(POLICY, vm(name), `h01/${episode}`)?.heldBack;
  let [episodes, vms] = [0, 0];
  for (let at = 0; at < 10_000; at++) {
    if (isHeld('v1', at) === isHeld('v1', at + 1)) episodes++;
    if (isHeld('v1', at) === isHeld('v2', at)) vms++;
  }
  // 0.2² + 0.8² of them agree by chance.
  for (const agreed of [episodes, vms]) t.true(Math.abs(agreed - 6800) < 250, `${agreed}`);
});

test('the estimate says that there are too few', t => {
  const trial = createTrial();
  for (let at = 0; at < 200; at++) countInTrial(trial, at % 10 === 0, at % 2, at % 2 === 1);
  const {sparedMinutes, because} = estimateTrial(trial);
  t.true(Number.isNaN(sparedMinutes));
  t.is(
    because,
    'too few to say: 180 VMs acted upon and 20 held back (30 each are needed), 100 of them interrupted (5)',
  );
});

test('the interval holds the truth in about 95 of 100 trials, and finds an effect that is there', t => {
  let held = 0;
  let found = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const random = createUniform(seed);
    const trial = createTrial();
    // Held back: 30 % are down for 4 min; acted upon: 10 %. Spared: 0.8 min.
    for (let at = 0; at < 1000; at++) {
      const isHeld = random() < 0.2;
      const isDown = random() < (isHeld ? 0.3 : 0.1);
      countInTrial(trial, isHeld, isDown ? 4 : 0, isDown);
    }
    const {low, high, because} = estimateTrial(trial);
    if (low <= 0.8 && 0.8 <= high) held++;
    if (low > 0) {
      found++;
      t.regex(because, /acting helps$/);
    }
  }
  t.true(held >= 368 && held <= 394, `${held} of 400`);
  t.true(found >= 390, `${found} of 400`);
});
