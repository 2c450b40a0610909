import test from 'ava';
import {createHostOddness, type Oddness} from '../../core/domain/anomaly/host-oddness.ts';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {HOST_METRICS, VM_METRICS} from '../../core/domain/metric-sets.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const STEP_MS = 10_000;
const DAY_STEPS = 8640;
const START_MS = 1_760_000_000_000;
const LATENCY = HOST_METRICS.columns.indexOf('disk_latency_seconds');
const WATCHED = HOST_METRIC_CATALOGUE.flatMap(({averaged}, column) => (averaged ? [column] : []));

/** Gaussian by twelve uniforms. */
function noise(seed: number): () => number {
  const next = createUniform(seed);
  return () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += next();
    return sum;
  };
}

const hostRow = (value: (column: number) => number) =>
  Float32Array.from(HOST_METRICS.columns, (_, column) => value(column));
const vmRow = (value: () => number) => Float32Array.from(VM_METRICS.columns, value);

test('healthy metrics and VMs are odd about as often as the setting says', t => {
  for (const falseAlarmsPerDay of [2, 20]) {
    const oddness = createHostOddness({falseAlarmsPerDay});
    const next = noise(7);
    let [metrics, vms, steps] = [0, 0, 0];
    for (let step = 0; step < 2 * DAY_STEPS; step++) {
      const atMs = START_MS + step * STEP_MS;
      oddness.observeHost(atMs, hostRow(next));
      for (const vm of ['v1', 'v2']) oddness.observeVm(vm, atMs, vmRow(next));
      const {metricsRatio, vmsRatio} = oddness.now();
      if (Number.isNaN(metricsRatio)) continue;
      metrics += metricsRatio;
      vms += vmsRatio;
      steps++;
    }
    const perDay = (metrics / steps) * DAY_STEPS;
    // Of a VM one metric of eight is enough.
    const vmsPerDay = (vms / steps / VM_METRICS.columns.length) * DAY_STEPS;
    t.log(`${falseAlarmsPerDay} a day: ${perDay.toFixed(2)}, of VMs ${vmsPerDay.toFixed(2)}`);
    t.true(perDay > falseAlarmsPerDay / 3 && perDay < falseAlarmsPerDay * 3);
    t.true(vmsPerDay > falseAlarmsPerDay / 3 && vmsPerDay < falseAlarmsPerDay * 3);
  }
});

test('what is odd is named: the metric, and the VM that it belongs to', t => {
  const oddness = createHostOddness({falseAlarmsPerDay: 1});
  const next = noise(3);
  const sample = (atMs: number, isIncident: boolean): Oddness => {
    oddness.observeHost(
      atMs,
      hostRow(column => next() + (isIncident && column === LATENCY ? 30 : 0)),
    );
    for (const vm of ['v1', 'v2', 'v3', 'v4'])
      oddness.observeVm(
        vm,
        atMs,
        vmRow(() => next() + (isIncident && vm === 'v3' ? 30 : 0)),
      );
    return {...oddness.now()};
  };
  let before: Oddness | undefined;
  for (let step = 0; step < 1000; step++) before = sample(START_MS + step * STEP_MS, false);
  t.like(before, {metricsRatio: 0, worstMetric: '', vmsRatio: 0, worstVm: ''});
  sample(START_MS + 1000 * STEP_MS, true);
  const after = sample(START_MS + 1001 * STEP_MS, false);
  t.is(after.metricsRatio, 1 / WATCHED.length);
  t.like(after, {worstMetric: 'disk_latency_seconds', vmsRatio: 1 / 4, worstVm: 'v3'});
  const over = sample(START_MS + 1002 * STEP_MS, false);
  t.like(over, {metricsRatio: 0, worstMetric: '', vmsRatio: 0, worstVm: ''});
});

test('nothing is said before a metric can be judged, nor of VMs where there are none', t => {
  const oddness = createHostOddness({falseAlarmsPerDay: 1});
  const next = noise(4);
  for (let step = 0; step < 300; step++) {
    oddness.observeHost(START_MS + step * STEP_MS, hostRow(next));
    t.is(Number.isNaN(oddness.now().metricsRatio), step <= 100, `step ${step}`);
    t.is(oddness.now().vmsRatio, Number.NaN);
  }
});

test('metrics that are missing do not count, and a host that measures nothing has no share', t => {
  const oddness = createHostOddness({falseAlarmsPerDay: 1});
  const next = noise(5);
  const few = new Set(WATCHED.slice(0, 4));
  const row = (isIncident: boolean) =>
    hostRow(column =>
      few.has(column) ? next() + (isIncident && column === WATCHED[0] ? 30 : 0) : Number.NaN,
    );
  for (let step = 0; step < 500; step++) {
    oddness.observeHost(START_MS + step * STEP_MS, row(step === 498));
  }
  t.is(oddness.now().metricsRatio, 1 / 4);
  for (let step = 500; step < 503; step++) {
    oddness.observeHost(
      START_MS + step * STEP_MS,
      hostRow(() => Number.NaN),
    );
  }
  t.is(oddness.now().metricsRatio, Number.NaN);
});

test('an error counter that hardly ever moves is not odd for counting its second error', t => {
  const oddness = createHostOddness({falseAlarmsPerDay: 1});
  const errors = HOST_METRICS.columns.indexOf('memory_corrected_errors_per_second');
  let odd = 0;
  for (let step = 0; step < DAY_STEPS / 3; step++) {
    const value = step % 400 === 399 ? 0.1 : 0;
    oddness.observeHost(
      START_MS + step * STEP_MS,
      hostRow(column => (column === errors ? value : Number.NaN)),
    );
    if (oddness.now().metricsRatio > 0) odd++;
  }
  t.is(odd, 0);
});

test('VMs that left are forgotten, and more than a host can run are not remembered', t => {
  const oddness = createHostOddness({falseAlarmsPerDay: 1});
  for (let vm = 0; vm < 5000; vm++) {
    oddness.observeVm(
      `v${vm}`,
      START_MS,
      vmRow(() => 0),
    );
  }
  t.is(oddness.vms, 1024);
  for (let step = 1; step <= 62; step++) {
    oddness.observeVm(
      'v0',
      START_MS + step * STEP_MS,
      vmRow(() => 0),
    );
  }
  t.is(oddness.vms, 1);
});

test('equal samples give equal answers, however hosts and VMs alternate within a step', t => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 1e6}), fc.boolean(), (seed, vmsFirst) => {
      const run = (isSwapped: boolean) => {
        const oddness = createHostOddness({falseAlarmsPerDay: 50});
        const [host, vm] = [noise(seed), noise(seed + 1)];
        const said: Oddness[] = [];
        for (let step = 0; step < 200; step++) {
          const atMs = START_MS + step * STEP_MS;
          const acts = [
            () => oddness.observeHost(atMs, hostRow(host)),
            () => oddness.observeVm('v1', atMs, vmRow(vm)),
          ];
          for (const act of isSwapped ? acts.reverse() : acts) act();
          said.push({...oddness.now()});
        }
        return said;
      };
      t.deepEqual(run(false), run(vmsFirst));
    }),
    {numRuns: 10, seed: 1},
  );
});
