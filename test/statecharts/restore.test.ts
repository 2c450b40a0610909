import test from 'ava';
import {machines, migrateSnapshot, statePaths} from '../../statecharts/registry.ts';
import fc from '../support/fast-check.ts';
import {startActor} from './running-actor.ts';
import {type AnyEvent, hostEvents, vmEvents, watched} from './walk.ts';

for (const [kind, events] of [
  ['host', hostEvents],
  ['vm', vmEvents],
] as const) {
  test(`I16 a ${kind} that is stored and restored at any point goes on as if it never was`, t => {
    const sequences = fc.array(fc.constantFrom<AnyEvent>(...events), {maxLength: 40});
    const property = fc.property(sequences, sequence => {
      const straight = watched(kind);
      let restored = watched(kind);
      for (const event of sequence) {
        const expected = straight.send(event);
        restored = watched(kind, restored.actor.serialise());
        const {after, effects} = restored.send(event);
        t.deepEqual(after, expected.after);
        t.deepEqual(effects, expected.effects);
      }
    });
    // A failure prints its seed and the shortest sequence.
    fc.assert(property, {numRuns: 150});
  });
}

test('I17 equal actors give equal text, whatever the order of their fields', t => {
  const {context} = startActor('vm', 'v1', () => {}, {host: 'h1'}).serialise();
  const reversed = Object.fromEntries(Object.entries(JSON.parse(context)).reverse());
  const restored = {state: 'normal', context: JSON.stringify(reversed)};
  t.not(restored.context, context);
  t.is(startActor('vm', 'v1', () => {}, {restored}).serialise().context, context);
});

test('I18 a stored actor that cannot be understood is refused with its reason', t => {
  const {state, context} = startActor('vm', 'v1', () => {}, {host: 'h1'}).serialise();
  const {version} = machines.vm;
  t.is(migrateSnapshot('vm', version, state, context).state, 'normal');
  const refusals: readonly [number, string, string, RegExp][] = [
    [version + 1, state, context, /version 2 is not 1/],
    [version, 'at-risk', context, /no state "at-risk"/],
    [version, 'at-risk.deciding', context, /no state "at-risk.deciding"/],
    [version, state, '{', /not JSON/],
    [version, state, 'null', /field atRisk of the context must be a boolean/],
    [
      version,
      state,
      '{"atRisk":true,"attempts":0,"deadlineMs":"soon"}',
      /field deadlineMs .* a number/,
    ],
  ];
  for (const [number, path, text, message] of refusals) {
    t.throws(() => migrateSnapshot('vm', number, path, text), {
      code: 'ACTOR_QUARANTINED',
      message,
    });
  }
});

test('an actor whose event breaks a guard throws where it was sent, not later', t => {
  const actor = startActor('vm', 'v1', () => {}, {host: 'h1'});
  const event = {
    type: 'risk.raised',
    atMs: 1,
    get host(): string {
      throw new Error('no host');
    },
  };
  t.throws(() => actor.send(event as never), {message: /no host/});
});

test('an actor says where it is, in short and in full', t => {
  const actor = startActor('vm', 'v1', () => {}, {host: 'h1'});
  t.deepEqual(
    [actor.top(), actor.path(), actor.awaits(), actor.context().id],
    ['normal', 'normal', '', 'v1'],
  );
  actor.send({type: 'risk.raised', atMs: 1, risk: 0.5, host: 'h1'});
  t.is(actor.top(), 'at-risk');
  t.is(statePaths('vm').length, 16);
});
