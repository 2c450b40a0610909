import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {createAnnouncer} from '../../core/engine/announcer.ts';
import type {Actuator, Clock} from '../../core/ports.ts';
import {manualClock} from '../support/fleet-harness.ts';
import {createRig, START_MS} from '../support/partition.ts';

/** A partition of three hosts, the agent of `b` answering only when the test lets it. */
async function prepare(timeBase: 'live' | 'simulated') {
  const rig = createRig({timeBase});
  const runtime = await rig.start();
  for (const host of ['a', 'b', 'c']) await rig.send(host);
  await runtime.step(START_MS + 1000);
  const answer = Promise.withResolvers<void>();
  const hypervisor: Actuator = {
    ...rig.agents.actuator,
    announce: async (to, fence) => {
      if (to.agent === 'b') await answer.promise;
      await rig.agents.actuator.announce(to, fence);
    },
  };
  let pass = () => {};
  const clock: Clock = {
    nowMs: () => START_MS,
    monotonicMs: () => START_MS,
    sleep: (_ms, signal) =>
      new Promise(resolve => {
        pass = resolve;
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  const {state} = runtime;
  const actuators = {hypervisor, balancer: rig.agents.actuator};
  const announcer = createAnnouncer({state, actuators, clock, random: seededRandom(1)});
  const frozen = () => [...state.hosts.values()].filter(host => host.frozen).map(({name}) => name);
  return {announcer, state, hypervisor, frozen, answer, passTime: () => pass()};
}

test('addresses that nobody listens at any more are forgotten, present ones are not', async t => {
  const {announcer, state, hypervisor} = await prepare('live');
  const told: string[] = [];
  const actuator: Actuator = {
    ...hypervisor,
    announce: async ({address}) => void told.push(address),
  };
  const present = state.hosts.get('a')?.facts?.actuatorAddress ?? '';
  const addresses = [present, ...Array.from({length: 20}, (_, n) => `10.0.0.${n}:1`)];
  const announceAll = async () => {
    for (const address of addresses) await announcer.announce(actuator, {agent: 'a', address});
  };
  await announceAll();
  await announceAll();
  t.deepEqual(told.splice(0), addresses);
  await announcer.announceFrozen();
  await announceAll();
  t.deepEqual(told, addresses.slice(1));
});

test('agents that know a later epoch than the journal are told of once, when it is no mere take-over', async t => {
  const {state} = await prepare('live');
  const clock = manualClock();
  const problems: string[] = [];
  const actuator: Actuator = {
    ...createRig().agents.actuator,
    announce: async ({agent}) => {
      throw new ForestayError('STALE_EPOCH', `agent ${agent} refused epoch 2: it has seen 60`);
    },
  };
  const actuators = {hypervisor: actuator, balancer: actuator};
  const onProblem = (partition: number, problem: string) =>
    problems.push(`${partition}: ${problem}`);
  const announcer = createAnnouncer({
    state,
    actuators,
    clock,
    random: seededRandom(1),
    onProblem,
  });
  const ask = () => announcer.announce(actuator, {agent: 'a', address: 'x:1'}).catch(() => {});
  await ask();
  clock.set(clock.nowMs() + 9_000);
  await ask();
  t.deepEqual(problems, [], 'an owner that was superseded stops by itself');
  clock.set(clock.nowMs() + 1_000);
  await ask();
  await ask();
  t.is(problems.length, 1);
  t.regex(problems[0] ?? '', /^5: .*it has seen 60.*set back/s);
});

const settle = () => new Promise(resolve => setImmediate(resolve));

test('an agent that does not answer delays no start; its host is frozen until it does', async t => {
  const {announcer, frozen, answer, passTime} = await prepare('live');
  const all = announcer.announceAll();
  await settle();
  t.deepEqual(frozen(), ['b']);
  passTime();
  await all;
  t.deepEqual(frozen(), ['b']);
  answer.resolve();
  await announcer.announceFrozen();
  t.deepEqual(frozen(), []);
});

test('an answer that comes in the moment in which a start stops waiting counts', async t => {
  for (let turns = 0; turns < 12; turns++) {
    const {announcer, frozen, answer, passTime} = await prepare('live');
    const all = announcer.announceAll();
    await settle();
    answer.resolve();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    passTime();
    await all;
    await announcer.announceFrozen();
    t.deepEqual(frozen(), [], `${turns} turns after the answer`);
  }
});

test('on a simulated base every answer is awaited', async t => {
  const {announcer, frozen, answer, passTime} = await prepare('simulated');
  let isThrough = false;
  const all = announcer.announceAll().then(() => {
    isThrough = true;
  });
  passTime();
  await settle();
  t.false(isThrough);
  answer.resolve();
  await all;
  t.deepEqual(frozen(), []);
});
