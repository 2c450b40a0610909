import test from 'ava';
import {ActorDirectory} from '../../core/engine/actor-directory.ts';
import {resource, type StoredActor} from '../../core/engine/actor-row.ts';
import type {VmEvent} from '../../statecharts/events.ts';
import fc from '../support/fast-check.ts';

const raised: VmEvent = {type: 'risk.raised', atMs: 1000, risk: 0.5, host: 'a'};

function directory(): ActorDirectory {
  const actors = new ActorDirectory();
  actors.start('vm', 'v1', undefined, 'a');
  actors.start('host', 'a');
  return actors;
}

test('moves are seen, numbered from 1, and only if something changed', t => {
  const actors = directory();
  t.like(actors.send('vms/v1', raised).move, {
    actor: 'vms/v1',
    kind: 'vm',
    seq: 1,
    from: 'normal',
    to: 'at-risk.observing',
  });
  t.is(actors.send('vms/v1', {...raised, host: 'elsewhere'}).move, undefined);
  t.is(actors.send('vms/v1', {...raised, risk: 0.7}).move?.seq, 2);
  t.deepEqual(actors.send('vms/nobody', raised), {effects: []});
});

test('effects are collected with the event that led to them', t => {
  const actors = directory();
  actors.send('vms/v1', raised);
  const {effects} = actors.send('vms/v1', {
    type: 'migration.chosen',
    atMs: 2000,
    host: 'a',
    targetHost: 'b',
    deadlineMs: 9000,
  });
  t.deepEqual(
    effects.map(({kind, targetHost}) => [kind, targetHost]),
    [['start-migration', 'b']],
  );
  t.true(actors.wants('vms/v1', 'start-migration'));
  t.false(actors.wants('vms/v1', 'arm-ghost'));
  t.true(actors.wants('vms/v1', 'shift-traffic'), 'nobody waits for those that run by themselves');
});

test('deadlines are due by id, hosts before VMs', t => {
  const actors = directory();
  actors.send('hosts/a', {type: 'risk.raised', atMs: 0, risk: 1, component: 'cpu'});
  actors.send('hosts/a', {type: 'cordon.chosen', atMs: 0});
  actors.send('vms/v1', raised);
  actors.send('vms/v1', {
    type: 'migration.chosen',
    atMs: 0,
    host: 'a',
    targetHost: 'b',
    deadlineMs: 9,
  });
  t.deepEqual(actors.due(8), []);
  t.deepEqual(actors.due(9), ['vms/v1']);
  t.deepEqual(actors.due(1e9), ['hosts/a', 'vms/v1']);
});

test('stored actors go on where they were', t => {
  const actors = directory();
  actors.send('vms/v1', raised);
  const again = new ActorDirectory();
  for (const stored of actors.stored())
    again.start(stored.kind, stored.id.split('/')[1] ?? '', stored);
  t.deepEqual(again.stored(), actors.stored());
  t.is(again.path('vms/v1'), 'at-risk.observing');
  t.is(again.send('vms/v1', {...raised, risk: 0.9}).move?.seq, 2);
  t.is(again.vmsOn('a'), 1);
  again.remove('vms/v1');
  t.false(again.has('vms/v1'));
  t.is(again.path('vms/v1'), '');
});

test('an actor that throws is kept as it was and hears nothing more', t => {
  const actors = directory();
  actors.send('vms/v1', raised);
  const before = actors.stored();
  const bad = {
    type: 'risk.raised',
    atMs: 2000,
    get host(): string {
      throw new Error('a defect');
    },
  } as unknown as VmEvent;
  const {error, move} = actors.send('vms/v1', bad);
  t.is(error?.code, 'ACTOR_QUARANTINED');
  t.is(move, undefined);
  t.deepEqual(actors.send('vms/v1', {type: 'risk.cleared', atMs: 3000, risk: 0}), {effects: []});
  const stored = actors.stored().find(({id}) => id === 'vms/v1');
  t.is(stored?.quarantined, 'risk.raised');
  t.deepEqual(
    {...stored, quarantined: ''},
    before.find(({id}) => id === 'vms/v1'),
  );
  t.deepEqual(
    actors.due(1e15).filter(id => id === 'vms/v1'),
    [],
  );
});

test('an actor of an unknown state or version is set aside, not lost, and stops nothing', t => {
  const strange: StoredActor[] = [
    {
      id: 'vms/v2',
      kind: 'vm',
      machineVersion: 99,
      seq: 5,
      state: 'normal',
      context: '{}',
      quarantined: '',
    },
    {
      id: 'vms/v3',
      kind: 'vm',
      machineVersion: 1,
      seq: 6,
      state: 'dreaming',
      context: '{}',
      quarantined: '',
    },
  ];
  const actors = directory();
  for (const stored of strange) {
    const name = stored.id.slice('vms/'.length);
    actors.start('vm', name, stored);
    t.deepEqual(actors.send(resource('vm', name), raised), {effects: []});
    t.deepEqual(
      actors.stored().find(({id}) => id === stored.id),
      {...stored, quarantined: 'restore'},
    );
  }
  t.is(actors.path('vms/v3'), 'dreaming');
  t.truthy(actors.send('vms/v1', raised).move);
});

test('the VMs at a host are those whose actors say so, whatever they heard', t => {
  const host = fc.constantFrom('a', 'b', 'c');
  const act = fc.record({
    vm: fc.constantFrom('v1', 'v2', 'v3'),
    type: fc.constantFrom('start', 'remove', 'restore', 'observe', 'raise', 'ghost', 'move', 'end'),
    host,
    targetHost: host,
  });
  type Act = {vm: string; type: string; host: string; targetHost: string};
  const apply = (actors: ActorDirectory, {vm, type, host: at, targetHost}: Act) => {
    const id = resource('vm', vm);
    const home = actors.vmContext(vm)?.host ?? at;
    const chosen = {atMs: 2, host: home, targetHost, deadlineMs: 9};
    const send = (event: VmEvent) => void actors.send(id, event);
    if (type === 'start' && !actors.has(id)) actors.start('vm', vm, undefined, at);
    if (type === 'remove') actors.remove(id);
    if (type === 'restore') {
      for (const stored of actors.stored()) actors.start('vm', stored.id.slice(4), stored);
    }
    if (type === 'observe') send({type: 'placement.observed', atMs: 1, host: at});
    if (type === 'raise') send({...raised, host: home});
    if (type === 'ghost') send({type: 'ghost.chosen', ...chosen});
    if (type === 'move') send({type: 'migration.chosen', ...chosen});
    if (type === 'end') {
      const effect = {kind: 'start-migration' as const, effectId: 'e', code: '', figures: {}};
      send({type: 'effect.completed', atMs: 3, ...effect});
    }
  };
  fc.assert(
    fc.property(fc.array(act, {maxLength: 40}), acts => {
      const actors = new ActorDirectory();
      for (const one of acts) {
        apply(actors, one);
        for (const name of ['a', 'b', 'c']) {
          const there = ['v1', 'v2', 'v3'].filter(vm => {
            const context = actors.vmContext(vm);
            return [context?.host, context?.ghostHost, context?.targetHost].includes(name);
          });
          if (String(actors.vmsAt(name)) !== String(there)) return false;
        }
      }
      return true;
    }),
    {numRuns: 300},
  );
  const actors = directory();
  for (const type of ['raise', 'move'] as const) {
    apply(actors, {vm: 'v1', type, host: 'a', targetHost: 'b'});
  }
  t.deepEqual(actors.vmsAt('b'), ['v1'], 'it is on its way there');
  t.is(actors.vmsOn('b'), 0);
  t.is(actors.vmsOn('a'), 1);
});
