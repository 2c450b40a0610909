/** What inventories that no longer name a VM say of it. */
import test from 'ava';
import {VM_METRICS} from '../../core/domain/metric-sets.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import {command, create, eventsOf, named, tickAt} from '../support/ticks.ts';

test('VMs that come and go leave no rows behind', t => {
  const state = create();
  const table = state.tables.get(VM_METRICS.name);
  for (let second = 1; second <= 30; second++) {
    const name = `v${Math.floor(second / 3)}`;
    const batch = named('a', second, second, [name]);
    const sample = {
      ...batch.blocks[0],
      metricSet: VM_METRICS.name,
      metricSetHash: VM_METRICS.hash,
      entities: [`vms/${name}`],
      values: new Float32Array(VM_METRICS.columns.length),
    } as Batch['blocks'][number];
    tickAt(state, second, {batches: [{...batch, blocks: [...batch.blocks, sample]}]});
  }
  t.true(state.vms.size <= 2);
  t.true((table?.names.length ?? 99) <= 3, `${table?.names}`);
});

test('a VM that two inventories of its host do not name is forgotten; one is a race', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1', 'v2'])]});
  tickAt(state, 2, {batches: [named('a', 2, 2, ['v2'])]});
  t.true(state.vms.has('v1'));
  tickAt(state, 3, {batches: [named('a', 3, 3, ['v1', 'v2'])]});
  tickAt(state, 4, {batches: [named('a', 4, 4, ['v2'])]});
  t.true(state.vms.has('v1'));
  tickAt(state, 5, {batches: [named('a', 5, 5, ['v2'])]});
  t.false(state.vms.has('v1'));
  t.is(state.actors.vmContext('v1'), undefined);
});

test('a VM that its host does not name any more, and another one does, is there', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1'])]});
  tickAt(state, 2, {batches: [named('b', 1, 0, ['v1'])]});
  t.is(state.actors.vmContext('v1')?.host, 'a', 'older than what a said');
  tickAt(state, 3, {batches: [named('a', 2, 3, [])]});
  tickAt(state, 4, {batches: [named('a', 3, 4, [])]});
  t.is(state.actors.vmContext('v1')?.host, 'b');
});

test('a VM is not forgotten before every host of its cell has told of later than when it was missed', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  tickAt(state, 10, {batches: [named('a', 2, 10, [])]});
  tickAt(state, 20, {batches: [named('a', 3, 20, [])]});
  t.true(state.vms.has('v1'), 'b has been silent since');
  tickAt(state, 40, {batches: [named('b', 2, 9, [])]});
  tickAt(state, 41, {batches: [named('a', 4, 41, [])]});
  t.true(state.vms.has('v1'), 'b tells what its spool kept from before');
  tickAt(state, 42, {batches: [named('b', 3, 12, ['v1'])]});
  t.is(state.actors.vmContext('v1')?.host, 'b');
});

test('a VM that no host of its cell names is forgotten; one that is lost is not waited for', t => {
  const state = create();
  const others = ['b', 'c'].map(host => named(host, 1, 1, []));
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), ...others]});
  tickAt(state, 2, {inbox: [command('l', {kind: 'declare-host', host: 'c', state: 'lost'})]});
  tickAt(state, 10, {batches: [named('a', 2, 10, [])]});
  tickAt(state, 20, {batches: [named('a', 3, 20, []), named('b', 2, 20, [])]});
  t.true(state.vms.has('v1'), 'b had not told yet when a did');
  tickAt(state, 30, {batches: [named('a', 4, 30, [])]});
  t.false(state.vms.has('v1'));
});

test('a host that has been silent for an hour keeps no VM from being forgotten', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  tickAt(state, 10, {batches: [named('a', 2, 10, [])]});
  tickAt(state, 3600, {batches: [named('a', 3, 3600, [])]});
  t.true(state.vms.has('v1'));
  tickAt(state, 3611, {batches: [named('a', 4, 3611, [])]});
  t.false(state.vms.has('v1'));
});

test('a VM that shows up elsewhere is observed there', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  const tick = tickAt(state, 2, {batches: [named('b', 2, 2, ['v1']), named('a', 2, 2, [])]});
  t.deepEqual(eventsOf(tick), ['vms/v1 placement.observed']);
  t.is(state.actors.vmContext('v1')?.host, 'b');
  t.is(state.vms.get('v1')?.missing, 0);
});
