import test from 'ava';
import {toHostMessage} from '../../core/api/fleet-messages.ts';
import {createReadModel, type HostRow, type VmRow} from '../../core/engine/read-model.ts';
import {
  applyCheckpoint,
  applyEpoch,
  applyScores,
  applyTick,
} from '../../core/engine/read-model-fold.ts';
import {Ring} from '../../core/engine/read-model-ring.ts';
import fc from '../support/fast-check.ts';
import {
  aDecision,
  aHost,
  aMove,
  anEffect,
  aScore,
  aTick,
  aVm,
  aWorkload,
  START_MS,
} from './records.ts';

test('a ring gives its newest items, newest first, and says what it drops', t => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 9}), fc.array(fc.nat()), (capacity, items) => {
      const ring = new Ring<number>(capacity);
      const dropped = items.map(item => ring.push(item)).filter(item => item !== undefined);
      t.deepEqual([...ring.newestFirst()], items.toReversed().slice(0, capacity));
      t.deepEqual(dropped, items.slice(0, Math.max(0, items.length - capacity)));
      t.is(ring.size, Math.min(capacity, items.length));
    }),
  );
});

function fleet() {
  const model = createReadModel();
  applyTick(
    model,
    3,
    aTick(1, {inventory: [aHost('h1', [aVm('v1'), aVm('v2')]), aHost('h2')], modelHash: 'm1'}),
  );
  const host = (name: string) => model.hosts.get(`hosts/${name}`) as HostRow;
  const vm = (name: string) => model.vms.get(`vms/${name}`) as VmRow;
  return {model, host, vm};
}

test('inventory makes hosts and places VMs', t => {
  const {model, host, vm} = fleet();
  t.deepEqual([...host('h1').vms], ['vms/v1', 'vms/v2']);
  t.is(vm('v1').host, 'h1');
  t.is(vm('v1').partition, 3);
  t.like(model.partitions.get(3), {epoch: 1, tickNumber: 1, modelHash: 'm1', control: undefined});
});

test('a VM that a second host names has moved, in whichever order the hosts report', t => {
  const {model, host, vm} = fleet();
  applyTick(model, 3, aTick(2, {inventory: [aHost('h2', [aVm('v1')])]}));
  applyTick(model, 3, aTick(3, {inventory: [aHost('h1', [aVm('v2')])]}));
  t.is(vm('v1').host, 'h2');
  applyTick(model, 3, aTick(4, {inventory: [aHost('h1', [])]}));
  t.is(vm('v2').host, '');
  applyTick(model, 3, aTick(5, {inventory: [aHost('h2', [aVm('v1'), aVm('v2')])]}));
  t.is(vm('v2').host, 'h2');
  t.deepEqual([...host('h2').vms], ['vms/v1', 'vms/v2']);
  t.is(host('h1').vms.size, 0);
  t.is(model.unplaced.size, 0);
});

test('a VM that no host names is forgotten after ten minutes of its own partition', t => {
  const {model} = fleet();
  applyTick(model, 3, aTick(2, {inventory: [aHost('h1', [aVm('v1')])]}));
  applyTick(model, 4, aTick(9_000_000));
  t.true(model.vms.has('vms/v2'));
  applyTick(model, 3, aTick(601));
  t.true(model.vms.has('vms/v2'));
  applyTick(model, 3, aTick(602));
  t.false(model.vms.has('vms/v2'));
  t.true(model.vms.has('vms/v1'));
});

test('a transition is the actor’s state, and its context says where the VM runs', t => {
  const {model, host, vm} = fleet();
  const move = aMove('vms/v1', 1, 'normal', 'migrating.pre-copy', {host: 'h2', deadlineMs: 7});
  applyTick(model, 3, aTick(2, {transitions: [move], timers: [{actor: 'vms/v1', dueMs: 7}]}));
  t.like(vm('v1').actor, {state: 'migrating.pre-copy', dueMs: 7, machine: 'vm'});
  t.is(vm('v1').host, 'h2');
  t.deepEqual([...host('h2').vms], ['vms/v1']);
  t.is(vm('v1').actor?.history.length, 1);
});

test('a record of an actor of no known kind changes nothing', t => {
  const {model} = fleet();
  const before = model.hosts.size + model.vms.size;
  const effects = [anEffect(1, {host: 'h1', vm: ''})];
  applyTick(model, 3, aTick(2, {transitions: [aMove('pools/p', 1, 'a', 'b')], effects}));
  t.is(model.hosts.size + model.vms.size, before);
});

test('an actor keeps its last fifty moves and twenty effects', t => {
  const {model, host} = fleet();
  for (let seq = 1; seq <= 60; seq++) {
    const transitions = [aMove('hosts/h1', seq, 'normal', 'at-risk.watching')];
    applyTick(model, 3, aTick(seq + 1, {transitions, effects: [anEffect(seq)]}));
  }
  const history = host('h1').actor?.history ?? [];
  t.is(history.length, 50);
  t.is(history.at(-1)?.seq, 60);
  t.is(history[0]?.seq, 11);
  t.is(host('h1').effects.length, 20);
});

test('above the limit of all histories the oldest move of the fleet goes, never an only one', t => {
  const model = createReadModel({transitions: 2});
  const transitions = [
    aMove('hosts/h1', 1, 'normal', 'at-risk'),
    aMove('hosts/h1', 2, 'at-risk', 'migrating'),
    aMove('hosts/h2', 1, 'normal', 'at-risk'),
    aMove('hosts/h2', 2, 'at-risk', 'normal'),
  ];
  applyTick(model, 0, aTick(1, {transitions}));
  t.deepEqual(
    model.hosts.get('hosts/h1')?.actor?.history.map(move => move.seq),
    [2],
  );
  t.deepEqual(
    model.hosts.get('hosts/h2')?.actor?.history.map(move => move.seq),
    [1, 2],
  );
});

test('scores give risk, components and reasons; older scores do not overwrite newer ones', t => {
  const {model, host} = fleet();
  const reason = {feature: 'errors', value: 400, usual: 0, contribution: 1.5};
  applyScores(
    model,
    3,
    aScore(START_MS + 5000, ['h1', 'h2'], [0.5, 0, Number.NaN, Number.NaN], {
      reasons: [{row: 0, component: 'cpu', reasons: [reason], decisions: ['3/1/4/d0']}],
    }),
  );
  t.is(host('h1').risk, 0.5);
  t.is(host('h1').componentRisks.length, 2);
  t.deepEqual(host('h1').explanation.reasons, [{...reason, component: 'cpu'}]);
  t.is(model.explanations.get('3/1/4/d0'), host('h1').explanation, 'it stands with the decision');
  t.true(Number.isNaN(host('h2').risk));
  applyScores(model, 3, aScore(START_MS + 4000, ['h1'], [0.9, 0.9]));
  t.is(host('h1').risk, 0.5);
});

test('risks of a tick count as scores', t => {
  const {model, host} = fleet();
  applyTick(model, 3, aTick(2, {risks: [{host: 'h1', risks: Float32Array.of(0.5, 0.5)}]}));
  t.is(host('h1').risk, 0.75);
  t.is(host('h1').scoredAtMs, START_MS + 2000);
});

test('the oldest decision goes when the ring is full, and a repeated one counts once', t => {
  const model = createReadModel({decisions: 2});
  const decisions = [aDecision(1), aDecision(1), aDecision(2), aDecision(3)];
  applyTick(model, 0, aTick(1, {decisions}));
  t.deepEqual(
    [...model.decisions.newestFirst()].map(decision => decision.id),
    ['0/1/3/d0', '0/1/2/d0'],
  );
  t.false(model.decisionById.has('0/1/1/d0'));
});

test('control stays as it was until a tick carries another; an epoch begins its ticks anew', t => {
  const {model} = fleet();
  const control = {mode: 'auto', paused: false, policyVersion: 2} as const;
  applyTick(model, 3, aTick(2, {control}));
  applyTick(model, 3, aTick(3));
  applyEpoch(model, 3, {epoch: 2, owner: 'core-b', address: ''});
  t.like(model.partitions.get(3), {control, epoch: 2, tickNumber: -1});
});

test('how a VM works is shown as it was last told, and watchers hear of it', t => {
  const {model} = fleet();
  const heard: string[] = [];
  model.watchers.add(name => heard.push(name));
  applyTick(model, 3, aTick(2, {workloads: [aWorkload('v1'), aWorkload('gone')]}));
  applyTick(model, 3, aTick(3, {workloads: [aWorkload('v1', {kind: 'idle'})]}));
  applyTick(model, 3, aTick(4));
  t.like(model.vms.get('vms/v1')?.workload, {kind: 'idle', fullShare: 0.4});
  t.is(model.vms.get('vms/v2')?.workload, undefined);
  t.false(model.vms.has('vms/gone'), 'nobody would ever forget it');
  t.deepEqual(heard, ['vms/v1', 'vms/v1']);
});

test('a checkpoint stands for the ticks before it', t => {
  const model = createReadModel();
  const {context} = aMove('vms/v1', 4, 'normal', 'migrating', {host: 'h2', deadlineMs: 9});
  applyCheckpoint(model, 5, {
    epoch: 2,
    tickNumber: 40,
    nextOffset: 90,
    timeBase: 'recorded',
    inboxOffset: 3,
    owner: 'core-a',
    address: '',
    timeMs: START_MS,
    control: {mode: 'advise', paused: true, policyVersion: 1},
    modelHash: 'm',
    models: undefined,
    inventory: [aHost('h1', [aVm('v1')]), aHost('h2')],
    workloads: [aWorkload('v1')],
    actors: [
      {
        id: 'vms/v1',
        kind: 'vm',
        machineVersion: 1,
        seq: 4,
        state: 'migrating',
        context,
        quarantined: '',
      },
    ],
  });
  t.like(model.vms.get('vms/v1'), {host: 'h2', partition: 5});
  t.is(model.vms.get('vms/v1')?.workload?.kind, 'batch');
  t.like(model.vms.get('vms/v1')?.actor, {state: 'migrating', dueMs: 9, history: []});
  t.like(model.partitions.get(5), {tickNumber: 40, control: {mode: 'advise'}});
});

test('an outlook stands beside the risk, no lower than what is said of a shorter horizon', t => {
  const {model, host} = fleet();
  applyScores(model, 3, aScore(START_MS, ['h1'], [0.3, 0.2]));
  const outlook = aScore(START_MS, ['h1'], [0.1, 0.6, 0.05, Number.NaN], {
    kind: 'outlook',
    components: ['cpu-24h', 'cpu-7d', 'memory-24h', 'memory-7d'],
  });
  applyScores(model, 3, outlook);
  t.true(Math.abs(host('h1').risk - 0.44) < 1e-6, 'what it is judged by stays');
  const shown = toHostMessage(model, host('h1'), START_MS).outlook;
  t.deepEqual(
    shown?.map(({component, risk}) => [component, Math.fround(risk ?? 0)]),
    [
      ['cpu-24h', Math.fround(0.3)],
      ['cpu-7d', Math.fround(0.6)],
      ['memory-24h', Math.fround(0.2)],
    ],
  );
});
