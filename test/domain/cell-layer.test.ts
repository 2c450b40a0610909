import {deserialize, serialize} from 'node:v8';
import test from 'ava';
import {
  type CellLayer,
  createCellLayer,
  forgetPlace,
  learnedShift,
  moveRisks,
  takeOutage,
  takeReturn,
  takeRows,
} from '../../core/domain/cell-layer.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 5);

type Options = {
  seed: number;
  days: number;
  hosts?: number;
  /** What the model says of a host at a time, and how likely it truly is, within half an hour. */
  said: (host: number, spike: boolean) => number;
  truly: (host: number, spike: boolean) => number;
  layer?: CellLayer;
};

/**
 * A cell whose hosts have calm and bad hours, asked every ten minutes: the log-loss of what was
 * served and of what the layer made of it, once half of the time has passed.
 */
function live({seed, days, hosts = 20, said, truly, layer = createCellLayer()}: Options) {
  const random = createUniform(seed);
  const steps = days * 24 * 6;
  const down = new Float64Array(hosts).fill(Number.NEGATIVE_INFINITY);
  const pending: {atMs: number; host: number; served: number; moved: number}[] = [];
  const failures = Array.from({length: hosts}, (): number[] => []);
  let bad = Array.from({length: hosts}, () => false);
  for (let step = 0; step < steps; step++) {
    const atMs = START_MS + step * 10 * MINUTE_MS;
    if (step % 6 === 0) bad = bad.map(() => random() < 0.1);
    const risks = new Map(
      bad.map((spike, host) => [`h${host}`, Math.fround(said(host, spike))] as const),
    );
    takeRows(layer, atMs, risks);
    for (let host = 0; host < hosts; host++) {
      const spike = bad[host] as boolean;
      const served = Math.fround(said(host, spike));
      const row = Float32Array.of(served, 0.5);
      moveRisks(layer, `h${host}`, row, 1);
      if (step > steps / 2) pending.push({atMs, host, served, moved: row[0] as number});
      // So likely within half an hour: a third of it in ten minutes.
      if (atMs < (down[host] as number) || random() >= truly(host, spike) / 3) continue;
      const downMs = 5 * MINUTE_MS;
      down[host] = atMs + downMs;
      failures[host]?.push(atMs + 1);
      takeOutage(layer, `h${host}`, {atMs: atMs + 1, cause: 'unknown'});
      takeReturn(layer, `h${host}`, downMs);
    }
  }
  const failed = (host: number, atMs: number) =>
    failures[host]?.some(each => each > atMs && each <= atMs + 30 * MINUTE_MS);
  const rows = pending.filter(({atMs}) => atMs < START_MS + (steps - 3) * 10 * MINUTE_MS);
  const loss = (of: 'served' | 'moved') =>
    rows.reduce((sum, row) => {
      const risk = Math.min(Math.max(row[of], 1e-7), 1 - 1e-7);
      return sum - Math.log(failed(row.host, row.atMs) ? risk : 1 - risk);
    }, 0) / rows.length;
  return {layer, served: loss('served'), moved: loss('moved')};
}

test('before anything was learned served risks stay as they are, to the bit', t => {
  const layer = createCellLayer();
  takeRows(layer, START_MS, new Map([['a', 0.3]]));
  const risks = Float32Array.of(0.3, 1e-9, Number.NaN, 0.9);
  t.is(moveRisks(layer, 'a', risks, 3), 0);
  t.deepEqual(risks, Float32Array.of(0.3, 1e-9, Number.NaN, 0.9));
  t.is(layer.version, 0);
});

test('a cell that has seen nine failures moves nothing, and with the tenth it may', t => {
  const layer = createCellLayer();
  const shifts: number[] = [];
  for (let failure = 1; failure <= 10; failure++) {
    const atMs = START_MS + failure * 40 * MINUTE_MS;
    takeRows(layer, atMs, new Map([['a', 0.5]]));
    takeRows(layer, atMs + 30 * MINUTE_MS, new Map([['a', 0.5]]));
    takeOutage(layer, 'a', {atMs: atMs + 31 * MINUTE_MS, cause: 'disk'});
    takeReturn(layer, 'a', MINUTE_MS);
    shifts.push(learnedShift(layer, 'a', 0.5));
  }
  t.true(layer.version > 0);
  t.deepEqual(shifts.slice(0, 9), Array(9).fill(0));
  t.not(shifts[9], 0);
});

test('a cell in which nothing ever fails leaves the served model alone', t => {
  const {layer} = live({seed: 1, days: 3, said: () => 0.01, truly: () => 0});
  t.is(layer.version, 0);
  t.is(learnedShift(layer, 'h1', 0.2), 0);
});

for (const seed of [1, 2, 3]) {
  test(`a model that cries wolf in this cell is quietened, and one that sleeps is woken, at seed ${seed}`, t => {
    const spikes = (spike: boolean, high: number, low: number) => (spike ? high : low);
    const wolf = live({
      seed,
      days: 24,
      said: (_, spike) => spikes(spike, 0.6, 0.05),
      truly: (_, spike) => spikes(spike, 0.1, 0.002),
    });
    t.true(wolf.moved < wolf.served * 0.7, `${wolf.moved} against ${wolf.served}`);
    const asleep = live({
      seed,
      days: 24,
      said: (_, spike) => spikes(spike, 0.02, 0.0005),
      truly: (_, spike) => spikes(spike, 0.3, 0.01),
    });
    t.true(asleep.moved < asleep.served * 0.9, `${asleep.moved} against ${asleep.served}`);
  });

  test(`a model that is right in this cell is hardly made worse, at seed ${seed}`, t => {
    const risk = (_: number, spike: boolean) => (spike ? 0.2 : 0.005);
    const {served, moved} = live({seed, days: 24, said: risk, truly: risk});
    t.true(moved < served * 1.02, `${moved} against ${served}`);
  });

  test(`hosts that fail again and again are known by their past, at seed ${seed}`, t => {
    const {served, moved} = live({
      seed,
      days: 24,
      said: () => 0.01,
      truly: host => (host < 2 ? 0.15 : 0.003),
    });
    t.true(moved < served * 0.95, `${moved} against ${served}`);
  });
}

test('the same outcomes leave the same bytes, also through a checkpoint half-way', t => {
  const risk = (_: number, spike: boolean) => (spike ? 0.3 : 0.01);
  const half = {seed: 5, days: 5, said: risk, truly: risk};
  const once = live(half).layer;
  const again = live(half).layer;
  t.true(once.version > 0);
  t.deepEqual(serialize(again), serialize(once));
  const restored = deserialize(serialize(once)) as CellLayer;
  const later = START_MS + 6 * 24 * 60 * MINUTE_MS;
  for (const layer of [once, restored]) {
    takeOutage(layer, 'new', {atMs: later, cause: 'memory'});
    takeRows(layer, later + MINUTE_MS, new Map([['new', 0.5]]));
    takeRows(layer, later + 40 * MINUTE_MS, new Map([['new', 0.5]]));
  }
  t.deepEqual(restored, once);
});

test('a host that is gone teaches nothing', t => {
  const teach = (gone: boolean) => {
    const layer = createCellLayer();
    for (let step = 0; step < 40; step++) {
      const atMs = START_MS + step * 40 * MINUTE_MS;
      const here = step < 12 || !gone ? [['gone', 0.3] as const] : [];
      takeRows(layer, atMs, new Map([['a', 0.3], ...here]));
      if (step < 12) takeOutage(layer, 'a', {atMs: atMs + MINUTE_MS, cause: 'disk'});
    }
    return learnedShift(layer, 'a', 0.3);
  };
  // While it runs on and never fails, it says that the model's risks are too high.
  t.true(teach(false) < teach(true));
});

test('a reboot on purpose teaches nothing of failures', t => {
  const layer = createCellLayer();
  for (let step = 0; step < 20; step++) {
    const atMs = START_MS + step * 10 * MINUTE_MS;
    takeRows(layer, atMs, new Map([['a', 0.1]]));
    takeOutage(layer, 'a', {atMs: atMs + 1, cause: 'planned'});
    takeReturn(layer, 'a', MINUTE_MS);
  }
  t.is(layer.version, 0);
});

test('a shift is bounded, whatever was learned', t => {
  const {layer} = live({seed: 9, days: 20, said: () => 1e-6, truly: () => 0.9});
  t.true(layer.version > 0);
  for (const risk of [1e-12, 0.001, 0.5, 1 - 1e-9]) {
    t.true(Math.abs(learnedShift(layer, 'h0', risk)) <= 3);
  }
});

/** What the layer keeps of one place, but for the cell's part. */
function placeOf({places, history, shifts}: CellLayer, host: string) {
  const place = places.get(host) ?? -1;
  const width = history.counts.length / history.hosts;
  return {
    counts: history.counts.slice(place * width, (place + 1) * width),
    open: history.open[place],
    lastDownMs: history.lastDownMs[place],
    shift: shifts[place],
  };
}

test('a host that is forgotten gives its place to the next new one, which has no past', t => {
  const layer = createCellLayer();
  const risks = (...hosts: string[]) => new Map(hosts.map(host => [host, 0.01]));
  takeRows(layer, START_MS, risks('a', 'b', 'c'));
  takeOutage(layer, 'b', {atMs: START_MS + 1, cause: 'disk'});
  takeReturn(layer, 'b', MINUTE_MS);
  takeOutage(layer, 'b', {atMs: START_MS + 2, cause: 'disk'});
  const {cellCounts} = structuredClone(layer.history);
  forgetPlace(layer, 'b');
  forgetPlace(layer, 'b');
  forgetPlace(layer, 'nobody');
  t.deepEqual(layer.history.cellCounts, cellCounts, 'what the cell had, it has had');
  for (let step = 1; step <= 6; step++) {
    takeRows(layer, START_MS + step * 10 * MINUTE_MS, risks('a', 'c', 'd', 'e'));
  }
  t.deepEqual(
    [...layer.places],
    [
      ['a', 0],
      ['c', 2],
      ['d', 1],
      ['e', 3],
    ],
  );
  t.is(layer.history.hosts, 4);
  t.deepEqual(placeOf(layer, 'd'), placeOf(layer, 'e'));
  t.deepEqual(deserialize(serialize(layer)), layer);
});

test('places in use stay apart whatever comes and goes', t => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const steps = fc.array(
    fc.record({host: names, kind: fc.constantFrom('rows', 'outage', 'return', 'forget')}),
  );
  const property = fc.property(steps, drawn => {
    const layer = createCellLayer();
    for (const [step, {host, kind}] of drawn.entries()) {
      const atMs = START_MS + step * 10 * MINUTE_MS;
      if (kind === 'rows') takeRows(layer, atMs, new Map([[host, 0.1]]));
      else if (kind === 'outage') takeOutage(layer, host, {atMs, cause: 'unknown'});
      else if (kind === 'return') takeReturn(layer, host, 1000);
      else forgetPlace(layer, host);
      const places = [...layer.places.values(), ...layer.free].sort((a, b) => a - b);
      if (places.some((place, index) => place !== index)) return false;
      if (places.length !== layer.history.hosts) return false;
      if (!layer.shifts.every(Number.isFinite)) return false;
    }
    return true;
  });
  t.notThrows(() => fc.assert(property, {seed: 12, numRuns: 200}));
});
