import test from 'ava';
import {imageOfState} from '../../core/engine/partition-image.ts';
import {createPartitionState} from '../../core/engine/partition-state.ts';
import {advance} from '../../core/engine/tick.ts';
import {type EngineEventName, listen} from '../../core/events.ts';
import fc from '../support/fast-check.ts';
import {essence} from '../support/journal.ts';
import {hostBatch, PARTITION} from '../support/partition.ts';
import {hexOf} from '../support/replay.ts';
import {
  at,
  command,
  create,
  eventsOf,
  model,
  named,
  policy,
  scored,
  tickAt,
} from '../support/ticks.ts';

async function heard<Name extends EngineEventName>(name: Name, act: () => void) {
  const found: unknown[] = [];
  const stop = listen(name, fields => found.push(fields));
  act();
  stop();
  return found;
}

test('however samples are batched, the state and what was done are the same', t => {
  const samples = fc.array(fc.record({risk: fc.float({min: 0, max: 1, noNaN: true})}), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(samples, fc.array(fc.nat(11)), (risks, cuts) => {
      const rows = risks.map(({risk}, index) => ({atMs: at(0) + index * 100, risk}));
      const bounds = [...new Set([0, ...cuts.filter(cut => cut < rows.length), rows.length])];
      bounds.sort((a, b) => a - b);
      const parts = bounds.slice(1).map((end, index) => rows.slice(bounds[index], end));
      const [whole, split] = [create(), create()];
      const one = tickAt(whole, 2, {batches: [hostBatch('a', 1, rows)]});
      const batches = parts.map((part, index) => hostBatch('a', index + 1, part));
      const many = tickAt(split, 2, {batches});
      t.is(hexOf({...many, cut: one.cut}), hexOf(one));
      const apart = ({cut: _cut, marks: _marks, ...rest}: Record<string, string>) => rest;
      t.deepEqual(apart(essence(split)), apart(essence(whole)));
    }),
    {numRuns: 50},
  );
});

test('in whatever order hosts are heard, the same is decided, in the order of their names', t => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const run = (order: string[]): string => {
    const state = create();
    tickAt(state, 1, {batches: order.map(name => named(name, 1, 1, [`v-${name}`]))});
    const tick = tickAt(state, 2, {scores: [scored({e: 0.9, b: 0.8})]});
    t.true(tick.decisions.length > 0);
    return hexOf(tick);
  };
  const expected = run(names);
  fc.assert(
    fc.property(fc.shuffledSubarray(names, {minLength: names.length}), order => {
      t.is(run(order), expected);
    }),
    {numRuns: 20},
  );
});

test('a late sample is counted and enters no window', async t => {
  const state = create();
  tickAt(state, 5, {batches: [hostBatch('a', 1, [{atMs: at(5), risk: 0.5}])]});
  const before = essence(state).tables;
  const late = await heard('samples.late', () => {
    const rows = [
      {atMs: at(5), risk: 1},
      {atMs: at(4), risk: 1},
    ];
    tickAt(state, 6, {batches: [hostBatch('a', 2, rows)]});
  });
  t.deepEqual(late, [{count: 2}]);
  t.is(essence(state).tables, before);
});

test('a stamp of the future is taken as now, so that what follows is not late', async t => {
  const state = create();
  tickAt(state, 1, {batches: [hostBatch('a', 1, [{atMs: at(9999)}])]});
  const table = state.tables.get('host.v2');
  t.is(table?.windows.lastMs[0], at(1));
  const late = await heard('samples.late', () => {
    tickAt(state, 2, {batches: [hostBatch('a', 2, [{atMs: at(2)}])]});
  });
  t.deepEqual(late, []);
});

test('samples of a set that nobody registered are counted, and taken once it is', async t => {
  const state = create();
  const strange = (seq: number) => {
    const batch = hostBatch('a', seq, [{atMs: at(seq)}]);
    const block = batch.blocks[0] as (typeof batch.blocks)[0];
    const values = new Float32Array(2);
    return {...batch, blocks: [{...block, metricSet: 'x.v1', metricSetHash: hash, values}]};
  };
  const {metricSet} = await import('../../core/domain/metric-sets.ts');
  const {hash} = metricSet('x.v1', 'host', ['one', 'two']);
  const unknown = await heard('samples.unknown-set', () =>
    tickAt(state, 1, {batches: [strange(1)]}),
  );
  t.deepEqual(unknown, [{count: 1}]);
  t.is(state.hosts.size, 0);
  const register = {kind: 'register-metric-set', name: 'x.v1', entityKind: 'host'};
  const inbox = [command('r1', {...register, columns: ['one', 'two']})];
  const {inventory} = tickAt(state, 2, {inbox, batches: [strange(2)]});
  t.deepEqual(
    inventory.map(({host}) => host),
    ['a'],
    'readers are told of a host that no model will name',
  );
  t.deepEqual(tickAt(state, 3, {batches: [strange(3)]}).inventory, []);
  t.deepEqual(
    imageOfState(state, {owner: '', address: ''}, 0).inventory.map(({host}) => host),
    ['a'],
  );
  t.is(state.tables.get('x.v1')?.names.join(), 'hosts/a');
  t.is(state.hosts.get('a')?.row, -1, 'no model takes it: it is unscored');
});

test('a batch that is there twice is taken once, and a gap lets the next one in', async t => {
  const state = create();
  const batch = named('a', 1, 1, []);
  const repeated = await heard('batch.repeated', () => tickAt(state, 1, {batches: [batch, batch]}));
  t.is(repeated.length, 1);
  const gap = {edge: 'a', cell: 'c1', incarnation: 1, fromSeq: 2, toSeq: 4, reason: 'SPOOL_FULL'};
  advance(state, {
    timeMs: at(2),
    cut: state.cut,
    telemetry: [
      {kind: 'gap', gap},
      {kind: 'batch', batch: named('a', 5, 2, ['v1'])},
    ],
    inbox: [],
    scores: [],
    timers: true,
  });
  t.true(state.vms.has('v1'));
});

test('silence leads to suspicion after a while, and a word ends it', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, [])]});
  const {staleAfterMs} = policy.silence;
  t.deepEqual(eventsOf(tickAt(state, staleAfterMs / 1000)), []);
  t.deepEqual(eventsOf(tickAt(state, 1 + staleAfterMs / 1000)), ['hosts/a host.suspected']);
  t.deepEqual(eventsOf(tickAt(state, 2 + staleAfterMs / 1000)), []);
  const back = tickAt(state, 20, {batches: [named('a', 2, 20, [])]});
  t.deepEqual(eventsOf(back), ['hosts/a host.heard']);
});

test('no silence is proof of a loss: a fence or an operator is', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  for (let second = 2; second < 100; second++) {
    tickAt(state, second, {batches: [named('b', second, second, [])]});
  }
  t.false(state.actors.hostContext('a')?.lost);
  const fence = [...state.running.values()].find(({kind}) => kind === 'fence-host');
  t.is(fence?.agent, 'power');
  const result = {status: 'done', code: '', message: '', figures: {}, id: fence?.id};
  const tick = tickAt(state, 100, {inbox: [command('x', {kind: 'effect-result', result})]});
  t.true(eventsOf(tick).includes('hosts/a host.lost'));
  t.true(eventsOf(tick).includes('vms/v1 host.lost'));
  t.true(state.actors.hostContext('a')?.lost);
});

test('a lost host is back when it has booted anew, or an operator says so', t => {
  const declare = (state: string) => command(state, {kind: 'declare-host', host: 'a', state});
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1'])]});
  tickAt(state, 2, {
    inbox: [declare('lost'), command('n', {kind: 'declare-host', host: '?', state: 'lost'})],
  });
  tickAt(state, 3, {batches: [named('a', 2, 3, ['v1'])]});
  t.true(state.actors.hostContext('a')?.lost, 'the same boot is what was on its way');
  const tick = tickAt(state, 4, {batches: [named('a', 3, 4, [], {bootId: 'boot-2'})]});
  t.true(eventsOf(tick).includes('hosts/a host.returned'));
  tickAt(state, 5, {inbox: [command('again', {kind: 'declare-host', host: 'a', state: 'lost'})]});
  tickAt(state, 6, {inbox: [declare('returned')]});
  t.false(state.actors.hostContext('a')?.lost);
});

test('a host that is lost and booted in one tick is back', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, [])]});
  const tick = tickAt(state, 2, {
    inbox: [command('l', {kind: 'declare-host', host: 'a', state: 'lost'})],
    batches: [named('a', 2, 2, [], {bootId: 'boot-2'})],
  });
  t.deepEqual(eventsOf(tick), ['hosts/a host.lost', 'hosts/a host.returned']);
});

test('pause stops new acts at the next tick', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  const paused = tickAt(state, 2, {
    inbox: [command('p', {kind: 'pause', comment: ''})],
    scores: [scored({a: 0.9})],
  });
  t.deepEqual(paused.effects, []);
  t.true(paused.decisions.some(({blockedBy}) => blockedBy === 'paused'));
  const resumed = tickAt(state, 3, {inbox: [command('r', {kind: 'resume', comment: ''})]});
  t.true(resumed.effects.length > 0);
});

test('pause calls off what is under way and only prepares: moves, ghosts and fences', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, ['v1']), named('b', 1, 1, [])]});
  tickAt(state, 2, {scores: [scored({a: 0.9})]});
  tickAt(state, 3);
  t.is(state.actors.path('vms/v1'), 'migrating.pre-copy');
  t.is(state.actors.path('hosts/a'), 'migrating.evacuating');
  const paused = tickAt(state, 4, {inbox: [command('p', {kind: 'pause', comment: ''})]});
  t.true(eventsOf(paused).includes('vms/v1 cancelled'));
  t.is(state.actors.path('vms/v1'), 'migrating.cancelling');
  t.true(state.running.size > 0, 'until its agent has said what became of it');
  const move = [...state.running.values()].find(({kind}) => kind === 'start-migration');
  const result = {status: 'cancelled', code: '', message: '', figures: {}, id: move?.id};
  tickAt(state, 5, {inbox: [command('x', {kind: 'effect-result', result})]});
  t.is(state.actors.path('vms/v1'), 'at-risk.observing');
  t.true(state.actors.hostContext('a')?.cordoned, 'to keep new VMs away harms nobody');
});

test('one risky sample and then silence is no hold: another one has to come', t => {
  const hold = {...policy.band, enterHoldMs: 5000};
  const state = createPartitionState(PARTITION, {...policy, band: hold}, model);
  const sample = (second: number) => hostBatch('a', second, [{atMs: at(second)}]);
  tickAt(state, 1, {batches: [sample(1)]});
  tickAt(state, 2, {scores: [scored({a: 0.9})]});
  for (let second = 3; second < 9; second++) t.deepEqual(eventsOf(tickAt(state, second)), []);
  const marks = {from: 2, to: 8};
  const gap = {edge: 'a', cell: 'c1', incarnation: 1, reason: ''};
  advance(state, {
    timeMs: at(9),
    cut: state.cut,
    telemetry: [{kind: 'gap', gap: {...gap, fromSeq: marks.from, toSeq: marks.to}}],
    inbox: [],
    scores: [],
    timers: true,
  });
  const tick = tickAt(state, 9, {batches: [sample(9)]});
  t.deepEqual(eventsOf(tick).slice(0, 1), ['hosts/a risk.raised']);
});

test('an hour has only so many moves, those under way included', t => {
  const state = createPartitionState(
    PARTITION,
    {
      ...policy,
      budgets: {
        ...policy.budgets,
        movesPerHourPerCell: 2,
        concurrentPerHost: 9,
        concurrentPerCell: 9,
      },
    },
    model,
  );
  const vms = ['v1', 'v2', 'v3', 'v4'];
  tickAt(state, 1, {
    batches: [named('a', 1, 1, vms), ...['b', 'c'].map(host => named(host, 1, 1, []))],
  });
  tickAt(state, 2, {scores: [scored({a: 0.9})]});
  for (let second = 3; second < 8; second++) tickAt(state, second);
  const moves = [...state.running.values()].filter(({kind}) => kind === 'start-migration');
  t.is(moves.length, 2);
});

test('a band that changes is recorded even if no actor moves', t => {
  const state = create();
  tickAt(state, 1, {batches: [named('a', 1, 1, [])]});
  tickAt(state, 2, {inbox: [command('l', {kind: 'declare-host', host: 'a', state: 'lost'})]});
  const held = {...policy.band, enterHoldMs: 3000};
  Object.assign(state, {policy: {...policy, band: held}});
  tickAt(state, 3, {scores: [scored({a: 0.9})]});
  tickAt(state, 4, {batches: [named('a', 2, 4, [])]});
  const step = (second: number) =>
    advance(state, {
      timeMs: at(second),
      cut: state.cut,
      telemetry: [],
      inbox: [],
      scores: [],
      timers: true,
    });
  t.false(step(5).changed);
  t.true(step(6).changed);
});

test('a tick never goes back in time', t => {
  const state = create();
  tickAt(state, 10, {batches: [named('a', 1, 1, [])]});
  t.is(tickAt(state, 5).timeMs, at(10));
});
