/** Whether an actor was kept running makes no difference to what it does (A5). */
import test from 'ava';
import fc from 'fast-check';
import {ActorDirectory} from '../../core/engine/actor-directory.ts';
import {createConstantScorer} from '../../models/scorer-trees.ts';
import {type AnyEvent, hostEvents, vmEvents} from '../statecharts/walk.ts';
import {createHarness} from '../support/fleet-harness.ts';
import {hexOf} from '../support/replay.ts';

const VMS = ['v1', 'v2', 'v3'];
const step = fc.oneof(
  fc.record({
    id: fc.constantFrom(...VMS.map(vm => `vms/${vm}`)),
    event: fc.constantFrom(...vmEvents),
  }),
  fc.record({id: fc.constantFrom('hosts/h1', 'hosts/h2'), event: fc.constantFrom(...hostEvents)}),
);

function directory(hotMax: number): ActorDirectory {
  const actors = new ActorDirectory();
  actors.keepHot(hotMax);
  for (const host of ['h1', 'h2']) actors.start('host', host);
  for (const vm of VMS) actors.start('vm', vm, undefined, 'h1');
  return actors;
}

test('however few actors are kept running, the same events lead to the same moves and effects', t => {
  fc.assert(
    fc.property(fc.array(step, {maxLength: 60}), steps => {
      const directories = [0, 1, 2, 1000].map(directory);
      for (const {id, event} of steps) {
        const [first, ...others] = directories.map(actors => actors.send(id, event as AnyEvent));
        for (const other of others) t.deepEqual(other, first);
      }
      const [first, ...others] = directories.map(actors => [actors.stored(), actors.due(1e12)]);
      for (const other of others) t.deepEqual(other, first);
    }),
    {numRuns: 200},
  );
});

test('a fleet writes the same journal, byte for byte, however few actors are kept running', async t => {
  const journal = async (hotMax: number): Promise<string[]> => {
    const harness = await createHarness({
      seed: 3,
      scorer: createConstantScorer(0.9),
      world: {hosts: 8, vms: 40, durationMs: 120_000},
      policy: {breaker: {hostsAtRiskRatio: 1, hostsAtRiskMin: 1}},
      runtime: {hotActorsMax: hotMax},
    });
    await harness.seconds(120);
    t.true(harness.ticks.some(({transitions, effects}) => transitions.length + effects.length > 9));
    return harness.ticks.map(hexOf);
  };
  const all = await journal(1000);
  t.deepEqual(await journal(1), all);
});
