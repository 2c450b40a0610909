/** How VMs work: told by their samples, kept through checkpoints, shown to planner and readers. */
import test from 'ava';
import {VM_METRICS} from '../../core/domain/metric-sets.ts';
import type {Tick} from '../../core/domain/records.ts';
import type {Batch, InventoryVm} from '../../core/domain/telemetry.ts';
import {decodeState, encodeState} from '../../core/engine/checkpoint.ts';
import {cellViews, workloadOf} from '../../core/engine/fleet-view.ts';
import {imageOfState} from '../../core/engine/partition-image.ts';
import type {PartitionState, VmEntry} from '../../core/engine/partition-state.ts';
import {advance} from '../../core/engine/tick.ts';
import {anEffect} from '../api/records.ts';
import {hostFacts, vm} from '../support/partition.ts';
import {hexOf} from '../support/replay.ts';
import {at, command, create, model, named, policy, tickAt} from '../support/ticks.ts';

const MINUTE = 60;
/** At the beginning of a slot of five minutes. */
const FROM = 300 - ((at(0) / 1000) % 300);
const VMS = [vm('idle', {dirtyBytesPerSecond: 0}), vm('quick', {dirtyBytesPerSecond: 6e8})];

/** A minute of all VMs, one sample each. */
function minute(number: number, vms: readonly InventoryVm[] = VMS): Batch {
  const second = FROM + number * MINUTE;
  const rows = vms.length;
  const values = new Float32Array(VM_METRICS.columns.length * rows);
  vms.forEach((one, row) => {
    const isQuick = one.vm === 'quick';
    const busy = isQuick && number % 10 < 5 ? 0.8 : 0.2;
    values[row] = isQuick ? busy : 0.01;
    values[VM_METRICS.columns.indexOf('io_write_bytes_per_second') * rows + row] = 5e4;
  });
  const block = {
    metricSet: VM_METRICS.name,
    metricSetHash: VM_METRICS.hash,
    rows,
    entities: vms.map(one => `vms/${one.vm}`),
    rowEntity: Uint16Array.from(vms, (_one, row) => row),
    observedAtMs: new Float64Array(rows).fill(at(second)),
    values,
    devices: [],
  };
  const batch = named('a', number + 1, second, []);
  const inventory = {hosts: [hostFacts('a', {vms: [...vms]})]};
  return {...batch, inventory, blocks: [...batch.blocks, block]};
}

function live(state: PartitionState, from: number, to: number): Tick[] {
  const ticks: Tick[] = [];
  for (let number = from; number < to; number++) {
    ticks.push(tickAt(state, FROM + number * MINUTE, {batches: [minute(number)]}));
  }
  return ticks;
}

const entryOf = (state: PartitionState, name: string) => state.vms.get(name) as VmEntry;

test('needs are told after five minutes, a kind after half an hour, and then only news', t => {
  const ticks = live(create(), 0, 59);
  const told = ticks.flatMap(({workloads = []}, number) =>
    workloads.map(one => `${number} ${one.vm} ${one.kind} ${one.dirtyClass}`),
  );
  t.deepEqual(told.slice(0, 4), [
    '5 idle unknown low',
    '5 quick unknown high',
    '30 idle idle low',
    '30 quick bursty high',
  ]);
  t.deepEqual(told.slice(4), ['55 quick bursty high'], 'once an hour all the same');
  t.like(ticks[5]?.workloads?.[0], {
    observedMs: 300_000,
    cpuRatio: Math.fround(0.01),
    dirtySource: 'writes',
    receiveBytesPerSecond: Number.NaN,
  });
});

test('a checkpoint in the middle changes no tick, and shows readers the same', t => {
  const whole = create();
  const expected = live(whole, 0, 59).map(hexOf);
  for (const stop of [3, 5, 17, 31]) {
    const first = create();
    const before = live(first, 0, stop).map(hexOf);
    const second = decodeState(encodeState(first), policy, model);
    t.deepEqual([...before, ...live(second, stop, 59).map(hexOf)], expected);
    const image = (state: PartitionState) => imageOfState(state, {owner: '', address: ''}, 0);
    t.deepEqual(image(second).workloads, image(whole).workloads);
  }
});

test('a replay that is told what a tick decided learns the same from its samples', t => {
  const [lived, replayed] = [create(), create()];
  for (let number = 0; number < 40; number++) {
    const batch = minute(number);
    const tick = tickAt(lived, FROM + number * MINUTE, {batches: [batch]});
    const again = advance(replayed, {
      timeMs: tick.timeMs,
      cut: tick.cut,
      telemetry: [{kind: 'batch', batch}],
      inbox: [],
      scores: [],
      timers: true,
      recorded: tick,
    });
    replayed.tickNumber = again.tick.number;
    t.deepEqual(again.tick.workloads, tick.workloads);
  }
  t.is(workloadOf(replayed, entryOf(replayed, 'idle')).kind, 'idle');
});

test('the planner weighs what was learned, and reckons with bursts', t => {
  const state = create();
  const viewOf = (name: string) =>
    cellViews(state, new Set(['c1']))[0]?.vms.find(view => view.name === name);
  live(state, 0, 29);
  t.like(viewOf('idle'), {criticality: 0.5, dirtyBytesPerSecond: 5e4});
  live(state, 29, 31);
  t.like(viewOf('idle'), {criticality: 0.4, declaredCriticality: 0.5});
  const {variation} = workloadOf(state, entryOf(state, 'quick'));
  t.like(viewOf('quick'), {criticality: 0.5, dirtyBytesPerSecond: 6e8 * (1 + variation)});
});

test('a move leaves behind how fast the memory changed; what an inventory measures counts more', t => {
  const state = create();
  live(state, 0, 6);
  const {memoryBytes} = entryOf(state, 'idle').facts;
  for (const name of ['idle', 'quick']) {
    const effect = anEffect(1, {kind: 'start-migration', host: 'a', vm: name, targetHost: 'b'});
    state.running.set(effect.id, {...effect, issuedAtMs: at(FROM)});
    const figures = {transferred_bytes: memoryBytes + 4e9, duration_seconds: 20};
    const result = {id: effect.id, status: 'done' as const, code: '', message: '', figures};
    const inbox = [command(name, {kind: 'effect-result', result})];
    tickAt(state, FROM + 6 * MINUTE, {inbox});
  }
  t.like(workloadOf(state, entryOf(state, 'idle')), {
    dirtyBytesPerSecond: 2e8,
    dirtySource: 'migration',
  });
  t.like(workloadOf(state, entryOf(state, 'quick')), {
    dirtyBytesPerSecond: 6e8,
    dirtySource: 'inventory',
  });
  const again = decodeState(encodeState(state), policy, model);
  t.is(entryOf(again, 'idle').dirtiedBytesPerSecond, 2e8);
});

test('a VM that has another one’s row begins anew', t => {
  const state = create();
  live(state, 0, 31);
  const first = entryOf(state, 'idle').row;
  const gone = (number: number) => minute(number, VMS.slice(1));
  for (const number of [31, 32, 33]) {
    tickAt(state, FROM + number * MINUTE, {batches: [gone(number)]});
  }
  t.false(state.vms.has('idle'));
  const next = [...VMS.slice(1), vm('next')];
  tickAt(state, FROM + 34 * MINUTE, {batches: [minute(34, next)]});
  t.is(entryOf(state, 'next').row, first);
  t.like(workloadOf(state, entryOf(state, 'next')), {kind: 'unknown', observedMs: 0});
});
