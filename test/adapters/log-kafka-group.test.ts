import test from 'ava';
import type {Kafka} from 'kafkajs';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {defaultTiming, joinOwners} from '../../core/adapters/log-kafka-group.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Clock, OwnershipHandler} from '../../core/ports.ts';

const TOPIC = 'forestay.journal';

/** Pauses between attempts are short, deadlines are what they are. */
const hurriedClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms < 5000 ? ms / 100 : ms, signal),
};

/** A group with one member, which gets partitions 1 and 2 whenever it joins. */
function groupOfOne() {
  let joins = 0;
  let listeners = new Map<string, (event: {payload: unknown}) => void>();
  const refusals: Error[] = [];
  const consumer = () => {
    const own = new Map<string, (event: {payload: unknown}) => void>();
    return {
      events: {GROUP_JOIN: 'join', CRASH: 'crash'},
      on: own.set.bind(own),
      async connect() {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
      },
      subscribe: async () => {},
      async run() {
        listeners = own;
        const memberAssignment = {[TOPIC]: [1, 2]};
        own.get('join')?.({payload: {memberId: `member-${++joins}`, memberAssignment}});
        await new Promise(resolve => setImmediate(resolve));
      },
      pause: () => {},
      disconnect: async () => {},
    };
  };
  return {
    kafka: {consumer} as unknown as Kafka,
    refusals,
    joins: () => joins,
    crash: (error: Error) => listeners.get('crash')?.({payload: {error}}),
  };
}

async function join(kafka: Kafka, handler: Partial<OwnershipHandler> = {}) {
  const told: string[] = [];
  const calls: string[] = [];
  const membership = await joinOwners(
    kafka,
    {
      groupId: 'forestay.owners',
      topic: TOPIC,
      timing: defaultTiming,
      clock: hurriedClock,
      onTrouble: ({code, message}) => told.push(`${code} ${message.split(';')[0]}`),
    },
    {
      assigned: async partition => void calls.push(`assigned ${partition}`),
      revoking: async () => {},
      lost: partition => void calls.push(`lost ${partition}`),
      ...handler,
    },
  );
  const until = async (isDone: () => boolean) => {
    for (let turn = 0; turn < 500 && !isDone(); turn++) await systemClock.sleep(10);
  };
  return {membership, told, calls, until};
}

test('a member that was given up joins again, and says why it was none', async t => {
  const group = groupOfOne();
  const {membership, told, calls, until} = await join(group.kafka);
  group.crash(new Error('the session timed out'));
  await until(() => calls.length === 6);
  t.deepEqual(calls.splice(0).slice(2), ['lost 1', 'lost 2', 'assigned 1', 'assigned 2']);
  t.deepEqual(told, ['DEPENDENCY_UNREACHABLE member of forestay.owners: the session timed out']);
  await membership.leave();
});

test('brokers that stay away are told once, and again when they go another time', async t => {
  const group = groupOfOne();
  const {membership, told, until} = await join(group.kafka);
  for (let time = 1; time <= 2; time++) {
    group.refusals.push(...Array.from({length: 3}, () => new Error('connect ECONNREFUSED')));
    group.crash(new Error('the connection ended'));
    await until(() => group.joins() === 1 + time);
    await systemClock.sleep(10);
  }
  const once = ['the connection ended', 'connect ECONNREFUSED'];
  t.deepEqual(
    told.map(text => text.split(': ')[1]),
    [...once, ...once],
  );
  await membership.leave();
});

test('who cannot take over what it is given later says so with the code of that', async t => {
  const group = groupOfOne();
  const failures = [new ForestayError('LOG_CORRUPT', 'partition 2 cannot start')];
  let isStarted = false;
  const {membership, told, until} = await join(group.kafka, {
    async assigned() {
      const failure = isStarted ? failures.shift() : undefined;
      if (failure !== undefined) throw failure;
    },
  });
  isStarted = true;
  group.crash(new Error('rebalance'));
  await until(() => group.joins() === 3);
  t.is(told.at(-1), 'LOG_CORRUPT member of forestay.owners: partition 2 cannot start');
  await membership.leave();
});

test('who cannot take over what it is given first does not become a member', async t => {
  const {kafka} = groupOfOne();
  const refusal = new ForestayError('LOG_CORRUPT', 'partition 1 cannot start');
  const joining = join(kafka, {assigned: () => Promise.reject(refusal)});
  t.is(await t.throwsAsync(joining), refusal);
});
