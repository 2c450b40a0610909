import assert from 'node:assert/strict';
import test from 'ava';
import {VM_METRICS} from '../../core/domain/metric-sets.ts';
import {
  clearWorkload,
  createWorkload,
  growWorkload,
  profileOf,
  recordWorkload,
  SLOT_MS,
  takeClosed,
  type Workload,
} from '../../core/domain/workload.ts';
import {UNKNOWN_WORKLOAD} from '../../core/domain/workload-profile.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const NETWORK = ['network_receive_bytes_per_second', 'network_transmit_bytes_per_second'];
const COLUMNS = [...VM_METRICS.columns, ...NETWORK];
const START_MS = SLOT_MS * 6_000_000;
const HOUR = 12;
const DAY = 24 * HOUR;

const create = (columns: readonly string[] = COLUMNS) => createWorkload(columns, 2) as Workload;

type Sample = {cpu?: number; writes?: number};

function sampleOf({cpu = Number.NaN, writes = 0}: Sample): Float32Array {
  const values = new Float32Array(COLUMNS.length);
  values[COLUMNS.indexOf('cpu_used_ratio')] = cpu;
  values[COLUMNS.indexOf('io_write_bytes_per_second')] = writes;
  return values;
}

/** One sample a slot, CPU by slot; one more closes the last. Gives the kind after each. */
function play(workload: Workload, slots: number, cpuAt: (slot: number) => number, from = 0) {
  const kinds: string[] = [];
  for (let slot = from; slot <= from + slots; slot++) {
    const cpu = slot < from + slots ? cpuAt(slot) : Number.NaN;
    recordWorkload(workload, 0, START_MS + slot * SLOT_MS, sampleOf({cpu}), 0, 1);
    kinds.push(profileOf(workload, 0).kind);
  }
  return kinds;
}

const changesOf = (kinds: readonly string[]) =>
  kinds.filter((kind, at) => at > 0 && kind !== kinds[at - 1]).length;

const uniform = createUniform(7);
const about = (mean: number, spread: number) => () => mean + spread * (uniform() - 0.5);

const WORKLOADS: [kind: string, cpuAt: (slot: number) => number][] = [
  ['idle', about(0.02, 0.02)],
  ['steady', about(0.4, 0.2)],
  ['bursty', slot => (slot % 5 === 0 ? 0.6 : 0.1) + 0.05 * uniform()],
  ['batch', slot => (slot % (4 * HOUR) < 2 * HOUR ? 0.95 : 0.02) + 0.03 * uniform()],
];

for (const [kind, cpuAt] of WORKLOADS) {
  test(`a VM that is ${kind} is told to be, from its first half hour to its second day`, t => {
    const kinds = play(create(), 2 * DAY, cpuAt);
    t.true(kinds.slice(0, HOUR / 2).every(told => told === 'unknown'));
    t.is(kinds.at(-1), kind);
    // A day of work and rest begins with work: it shows what it is when the first batch is done.
    t.true(kinds.slice(kind === 'batch' ? 5 * HOUR : HOUR / 2 + 1).every(told => told === kind));
  });
}

test('a VM that moves data is not idle, however little CPU it takes', t => {
  const workload = create();
  for (let slot = 0; slot <= 2 * HOUR; slot++) {
    const sample = sampleOf({cpu: 0.02, writes: 5e6});
    recordWorkload(workload, 0, START_MS + slot * SLOT_MS, sample, 0, 1);
  }
  t.is(profileOf(workload, 0).kind, 'steady');
});

test('a stretch ends with a silence: work in pieces is no batch', t => {
  const whole = create();
  const pieces = create();
  play(whole, DAY, () => 0.9);
  for (let slot = 0; slot < 2 * DAY; slot += 2) play(pieces, 1, () => 0.9, slot);
  t.is(profileOf(whole, 0).kind, 'batch');
  t.is(profileOf(pieces, 0).kind, 'steady');
});

test('a spell that is over soon changes nothing, one that lasts does, once', t => {
  const calm = create();
  play(calm, DAY, about(0.4, 0.1));
  t.is(changesOf(play(calm, 5, slot => (slot % 2 === 0 ? 0.9 : 0.1), DAY)), 0);
  const turned = create();
  play(turned, DAY, about(0.4, 0.1));
  const kinds = play(turned, DAY, slot => (slot % 2 === 0 ? 0.9 : 0.1), DAY);
  t.is(kinds.at(-1), 'bursty');
  t.is(changesOf(kinds), 1);
});

test('at a threshold a kind does not flap', t => {
  const workload = create();
  // Deviation ÷ mean is 0.3 on average: now a little more, now a little less.
  const kinds = play(workload, 10 * DAY, slot => {
    const swing = 0.3 + 0.06 * Math.sin(slot / 17);
    return 0.4 * (1 + (slot % 2 === 0 ? swing : -swing));
  });
  t.true(changesOf(kinds.slice(HOUR + 1)) <= 1);
});

test('who follows the time of day is known after two days; who does not never is', t => {
  const wave = (slot: number) => 0.3 - 0.2 * Math.cos((2 * Math.PI * slot) / DAY);
  const daily = create();
  play(daily, 2 * DAY - 1, slot => wave(slot) + 0.1 * (uniform() - 0.5));
  t.is(profileOf(daily, 0).dailyShare, Number.NaN);
  play(daily, 2 * DAY, slot => wave(slot) + 0.1 * (uniform() - 0.5), 2 * DAY - 1);
  t.like(profileOf(daily, 0), {isDaily: true});
  t.true(profileOf(daily, 0).dailyShare > 0.8);
  const other = create();
  play(other, 6 * DAY, slot => 0.3 - 0.2 * Math.cos((2 * Math.PI * slot) / (7 * HOUR)));
  t.like(profileOf(other, 0), {isDaily: false});
  t.true(profileOf(other, 0).dailyShare < 0.1);
});

test('a service at its limit every day is no batch', t => {
  const workload = create();
  play(workload, 6 * DAY, slot => (slot % DAY < DAY / 2 ? 0.8 : 0.2));
  t.like(profileOf(workload, 0), {isDaily: true});
  t.not(profileOf(workload, 0).kind, 'batch');
});

const samples = fc.array(
  fc.record({
    atMs: fc.integer({min: 1, max: 40 * SLOT_MS}),
    row: fc.nat(1),
    cpu: fc.oneof(fc.double({min: 0, max: 1, noNaN: true}), fc.constant(Number.NaN)),
    writes: fc.oneof(fc.integer({min: 0, max: 1e9}), fc.constant(Number.NaN)),
  }),
  {maxLength: 200},
);
const inOrder = (list: readonly {atMs: number}[]) =>
  [...list].sort((a, b) => a.atMs - b.atMs) as typeof list;

test('a row depends on its own samples only, one by one or strided, in whatever company', t => {
  fc.assert(
    fc.property(samples, list => {
      const ordered = inOrder(list) as typeof list;
      const together = create();
      // Whole columns, as blocks have them.
      const stride = ordered.length;
      const values = new Float32Array(COLUMNS.length * stride);
      ordered.forEach((sample, index) => {
        sampleOf(sample).forEach((value, column) => {
          values[column * stride + index] = value;
        });
      });
      ordered.forEach(({row, atMs}, index) => {
        recordWorkload(together, row, START_MS + atMs, values, index, stride);
      });
      for (const row of [0, 1]) {
        const alone = create();
        for (const sample of ordered.filter(each => each.row === row)) {
          recordWorkload(alone, 0, START_MS + sample.atMs, sampleOf(sample), 0, 1);
        }
        assert.deepEqual(profileOf(together, row), profileOf(alone, 0));
      }
    }),
  );
  t.pass();
});

test('whatever is measured: shares are shares, and needs lie between what was seen', t => {
  fc.assert(
    fc.property(samples, list => {
      const workload = create();
      for (const sample of inOrder(list) as typeof list) {
        recordWorkload(workload, 0, START_MS + sample.atMs, sampleOf(sample), 0, 1);
      }
      const {cpuRatio, variation, fullShare, dailyShare} = profileOf(workload, 0);
      const seen = list.map(({cpu}) => cpu).filter(cpu => !Number.isNaN(cpu));
      assert.ok(Number.isNaN(cpuRatio) || cpuRatio <= Math.fround(Math.max(...seen)) + 1e-6);
      assert.ok(Number.isNaN(cpuRatio) || cpuRatio >= Math.fround(Math.min(...seen)) - 1e-6);
      for (const share of [fullShare, dailyShare]) {
        assert.ok(Number.isNaN(share) || (share >= 0 && share <= 1));
      }
      assert.ok(Number.isNaN(variation) || variation >= 0);
    }),
  );
  t.pass();
});

test('what a set does not measure is not known; a set without CPU tells nothing', t => {
  const workload = createWorkload(VM_METRICS.columns) as Workload;
  const values = new Float32Array(VM_METRICS.columns.length).fill(0.5);
  for (let slot = 0; slot < 3; slot++) {
    recordWorkload(workload, 0, START_MS + slot * SLOT_MS, values, 0, 1);
  }
  t.like(profileOf(workload, 0), {
    cpuRatio: 0.5,
    memoryRatio: 0.5,
    transmitBytesPerSecond: Number.NaN,
  });
  t.is(createWorkload(['memory_used_ratio']), undefined);
});

test('a row that was cleared is as new, one that was moved to a larger table as it was', t => {
  const workload = create();
  play(workload, 3 * HOUR, about(0.4, 0.2));
  const before = profileOf(workload, 0);
  growWorkload(workload, 100);
  t.deepEqual(profileOf(workload, 0), before);
  workload.told.fill(7);
  clearWorkload(workload, 0);
  t.is(workload.told[0], 0);
  t.deepEqual(profileOf(workload, 0), UNKNOWN_WORKLOAD);
  t.deepEqual(profileOf(workload, 99), UNKNOWN_WORKLOAD);
  const kinds = play(workload, 2 * HOUR, about(0.02, 0.01), DAY);
  t.is(kinds.at(-1), 'idle', 'nothing is left of who had the row before');
});

test('rows are looked at once, when a slot of theirs is over', t => {
  const workload = create();
  recordWorkload(workload, 1, START_MS, sampleOf({cpu: 0.1}), 0, 1);
  recordWorkload(workload, 0, START_MS, sampleOf({}), 0, 1);
  t.deepEqual(takeClosed(workload), []);
  for (const slot of [1, 2]) {
    for (const row of [1, 0]) {
      const sample = sampleOf(row === 1 ? {cpu: 0.1} : {});
      recordWorkload(workload, row, START_MS + slot * SLOT_MS, sample, 0, 1);
    }
  }
  t.deepEqual(takeClosed(workload), [1], 'nothing was measured of the other');
  t.deepEqual(takeClosed(workload), []);
});
