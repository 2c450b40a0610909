/** What inventories that no longer name a VM say of it. */
import test from 'ava';
import type {EffectKind} from '../../core/domain/effects.ts';
import {VM_METRICS} from '../../core/domain/metric-sets.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import {anEffect} from '../api/records.ts';
import {hostBatch} from '../support/partition.ts';
import {at, command, create, eventsOf, named, tickAt} from '../support/ticks.ts';

test('VMs that come and go leave no rows behind', t => {
  const state = create();
  const table = state.tables.get(VM_METRICS.name);
  for (let step = 1; step <= 30; step++) {
    const name = `v${Math.floor(step / 3)}`;
    const batch = named('a', step, 20 * step, [name]);
    const sample = {
      ...batch.blocks[0],
      metricSet: VM_METRICS.name,
      metricSetHash: VM_METRICS.hash,
      entities: [`vms/${name}`],
      values: new Float32Array(VM_METRICS.columns.length),
    } as Batch['blocks'][number];
    tickAt(state, 20 * step, {batches: [{...batch, blocks: [...batch.blocks, sample]}]});
  }
  t.true(state.vms.size <= 2);
  t.true((table?.names.length ?? 99) <= 3, `${table?.names}`);
});

/** v1 on a, seen at second 1; then what hosts say, as host, second of the clock, VMs, made at. */
function told(...lines: [host: string, second: number, vms: string[], madeAt?: number][]) {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1', 'v2']), named('b', 1, 1, [])]});
  const seqs = new Map([
    ['a', 1],
    ['b', 1],
  ]);
  const say = (host: string, second: number, vms: string[], madeAt = second) => {
    const seq = (seqs.get(host) ?? 0) + 1;
    seqs.set(host, seq);
    return tickAt(state, second, {batches: [named(host, seq, madeAt, vms)]});
  };
  for (const line of lines) say(...line);
  return {place: () => state.actors.vmContext('v1')?.host, state, say};
}

/** An effect on v1 is under way; gives what ends it. */
function begin(state: PartitionState, kind: EffectKind) {
  const effect = anEffect(1, {kind, host: 'a', vm: 'v1', targetHost: 'b'});
  state.running.set(effect.id, {...effect, issuedAtMs: at(1)});
  return (second: number, status: 'done' | 'failed') => {
    const result = {id: effect.id, status, code: '', message: '', figures: {}};
    tickAt(state, second, {inbox: [command('end', {kind: 'effect-result', result})]});
  };
}

test('a VM that no host names any more is forgotten; one inventory is a race', t => {
  const {place, state, say} = told(['a', 20, ['v2']], ['b', 40, []]);
  t.is(place(), 'a');
  say('a', 41, ['v1', 'v2']);
  say('a', 42, ['v2']);
  say('b', 60, []);
  t.is(place(), 'a', 'it was seen in between');
  say('a', 61, ['v2']);
  t.is(place(), undefined);
  t.deepEqual([...state.vms.keys()], ['v2']);
});

test('a VM is not forgotten before every host of its cell has told of later than when it was missed', t => {
  const {place, say} = told(['a', 10, []], ['a', 30, []]);
  t.is(place(), 'a', 'b has been silent since');
  say('b', 40, [], 9);
  say('b', 41, [], 20);
  say('a', 42, []);
  t.is(place(), 'a', 'b tells what its spool kept, or what it had read some seconds before');
  say('b', 43, ['v1'], 21);
  t.is(place(), 'b');
});

test('what an older inventory says is believed when a newer one says it again', t => {
  const {place, say} = told(['b', 2, ['v1'], 0], ['a', 3, []], ['a', 20, []]);
  t.is(place(), 'a', 'a has seen it later than b');
  say('b', 30, ['v1']);
  t.is(place(), 'b');
});

test('a VM that another host named while a move explained it is there when the move has failed', t => {
  const {place, say, state} = told();
  const end = begin(state, 'start-migration');
  say('b', 5, ['v1']);
  t.is(place(), 'a', 'on its way');
  end(7, 'failed');
  say('a', 8, []);
  say('a', 9, []);
  t.is(place(), 'b', 'who named it last is not asked again');
});

test('a VM that another host named, and names no longer, is not taken to be there', t => {
  const {place, say, state} = told();
  const end = begin(state, 'start-migration');
  say('b', 5, ['v1']);
  say('b', 6, []);
  end(7, 'failed');
  say('a', 8, []);
  say('a', 9, []);
  t.is(place(), 'a');
});

test('a host of another cell, one that is lost and one without an inventory are not waited for', t => {
  const state = create();
  const elsewhere = {...named('x', 1, 1, []), cell: 'another'};
  const bare = hostBatch('n', 1, [{atMs: at(1)}]);
  const batches = [named('a', 1, 1, ['v1']), named('c', 1, 1, []), elsewhere, bare];
  tickAt(state, 1, {batches});
  tickAt(state, 2, {inbox: [command('l', {kind: 'declare-host', host: 'c', state: 'lost'})]});
  tickAt(state, 10, {batches: [named('a', 2, 10, [])]});
  t.true(state.vms.has('v1'));
  tickAt(state, 30, {batches: [named('a', 3, 30, [])]});
  t.false(state.vms.has('v1'));
});

test('a host that has been silent for an hour keeps no VM from being forgotten', t => {
  const {place, say} = told(['a', 10, []], ['a', 3600, []]);
  t.is(place(), 'a');
  say('a', 3602, []);
  t.is(place(), undefined);
  const left = told(['a', 5000, ['v1']], ['a', 5001, []]);
  t.is(left.place(), 'a');
  left.say('a', 5020, []);
  t.is(left.place(), undefined, 'nor is it waited for once more');
});

test('a VM that was missed where it ran before is not missed where it runs now', t => {
  const {place, say, state} = told(['a', 10, []], ['a', 30, []]);
  begin(state, 'restart-vm')(31, 'done');
  say('b', 50, []);
  say('a', 51, []);
  t.is(place(), 'a', 'missed for the first time');
});

test('a VM that shows up elsewhere is observed there', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  const tick = tickAt(state, 2, {batches: [named('b', 2, 2, ['v1']), named('a', 2, 2, [])]});
  t.deepEqual(eventsOf(tick), ['vms/v1 placement.observed']);
  t.is(state.actors.vmContext('v1')?.host, 'b');
  t.is(state.vms.get('v1')?.missing, 0);
});
