import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import type {Tick} from '../../core/domain/records.ts';
import {claimJournal} from '../../core/engine/journal-writer.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {faultyLog} from '../support/faulty-log.ts';
import {manualClock} from '../support/fleet-harness.ts';
import {readJournal, ticksOf} from '../support/journal.ts';

const partition = 3;
const owner = {owner: 'test', address: ''};

const claim = (log: Log, sleeps: number[] = []) => {
  const clock = {...manualClock(), sleep: async (ms: number) => void sleeps.push(ms)};
  return claimJournal({log, codec, partition, clock, random: seededRandom(1)}, owner);
};

function tick(epoch: number, number: number, fields: Partial<Tick> = {}): Tick {
  return {
    timeMs: 1000 * number,
    epoch,
    number,
    cut: {telemetryOffset: number, inboxOffset: 0, scoreRequest: 0},
    transitions: [],
    risks: [],
    timers: [],
    effects: [],
    decisions: [],
    inventory: [],
    modelHash: 'm',
    ...fields,
  };
}

const numbersOf = async (log: Log) =>
  (await ticksOf(log, partition)).map(({epoch, number}) => `${epoch}/${number}`);

test('a claim is above everything that the journal has had', async t => {
  const {log} = faultyLog();
  const first = await claim(log);
  t.is(first.epoch, 1);
  await first.writeTick(tick(1, 1));
  await first.writeTick(tick(1, 2));
  const second = await claim(log);
  t.is(second.epoch, 4);
  t.is(second.nextOffset(), 4);
  t.is((await claim(log)).epoch, 5);
});

test('a writer that was superseded writes nothing that counts, and says by whom', async t => {
  const {log} = faultyLog();
  const zombie = await claim(log);
  await zombie.writeTick(tick(zombie.epoch, 1));
  const heir = await claim(log);
  await heir.writeTick(tick(heir.epoch, 2));
  const error = await t.throwsAsync(zombie.writeTick(tick(zombie.epoch, 2)));
  t.true(isForestayError(error, 'EPOCH_SUPERSEDED'));
  t.like(error, {details: {epoch: zombie.epoch, rival: heir.epoch}});
  await heir.writeTick(tick(heir.epoch, 3));
  t.deepEqual(await numbersOf(log), ['1/1', `${heir.epoch}/2`, `${heir.epoch}/3`]);
});

test('a gap that the log does not give is not taken for an empty one', async t => {
  const {log} = faultyLog();
  let silent = false;
  const quiet: Log = {
    ...log,
    read: async (...args) => (silent ? [] : await log.read(...args)),
  };
  const zombie = await claim(quiet);
  await claim(log);
  silent = true;
  const error = await t.throwsAsync(zombie.writeTick(tick(zombie.epoch, 1)));
  t.true(isForestayError(error, 'DEPENDENCY_UNREACHABLE') && error.retryable);
});

test('of many claims at once exactly one can write', async t => {
  const {log} = faultyLog();
  const claims = await Promise.allSettled(Array.from({length: 5}, () => claim(log)));
  let survivors = 0;
  for (const result of claims) {
    if (result.status === 'rejected') {
      t.true(isForestayError(result.reason, 'EPOCH_SUPERSEDED'));
      continue;
    }
    const writer = result.value;
    try {
      await writer.writeTick(tick(writer.epoch, 1));
      survivors++;
    } catch (error) {
      t.true(isForestayError(error, 'EPOCH_SUPERSEDED'));
    }
  }
  t.is(survivors, 1);
  t.is((await numbersOf(log)).length, 1);
  const epochs = (await readJournal(log, partition)).flatMap(item =>
    item.kind === 'epoch' ? [item.epoch.epoch] : [],
  );
  t.deepEqual(
    epochs,
    [...epochs].sort((a, b) => a - b),
  );
});

test('an append of unknown outcome is looked up before it is repeated', async t => {
  const faulty = faultyLog();
  const writer = await claim(faulty.log);
  faulty.plan('journal', 'after');
  await writer.writeTick(tick(writer.epoch, 1));
  t.is(await faulty.inner.endOffset('journal', partition), 2, 'not written twice');
  faulty.plan('journal', 'before', 'before', 'after');
  await writer.writeTick(tick(writer.epoch, 2));
  t.is(await faulty.inner.endOffset('journal', partition), 3);
  t.is(writer.nextOffset(), 3);
  t.deepEqual(await numbersOf(faulty.log), ['1/1', '1/2']);
});

test('attempts are bounded, and what cannot succeed is not repeated', async t => {
  const faulty = faultyLog();
  const sleeps: number[] = [];
  const writer = await claim(faulty.log, sleeps);
  faulty.plan('journal', 'before', 'before', 'before', 'before', 'before');
  const exhausted = await t.throwsAsync(writer.writeTick(tick(1, 1)));
  t.like(exhausted, {code: 'LOG_APPEND_FAILED', retryable: true, details: {attempts: 5}});
  t.is(sleeps.length, 4, 'a pause before each further attempt');
  t.true(sleeps.every((ms, at) => ms < 50 * 2 ** at));
  faulty.plan('journal', 'forbidden');
  const refused = await t.throwsAsync(writer.writeTick(tick(1, 1)));
  t.like(refused, {code: 'LOG_APPEND_FAILED', retryable: false});
  t.is(await faulty.inner.endOffset('journal', partition), 1);
});

test('an append that lands although another owner came meanwhile does not count', async t => {
  const faulty = faultyLog();
  const writer = await claim(faulty.log);
  faulty.intrude(async () => {
    faulty.intrude(undefined);
    await claim(faulty.inner);
  });
  faulty.plan('journal', 'after');
  const error = await t.throwsAsync(writer.writeTick(tick(writer.epoch, 1)));
  t.true(isForestayError(error, 'EPOCH_SUPERSEDED'));
  t.deepEqual(await numbersOf(faulty.log), []);
});

test('records of a former writer in the gap do not stop the present one', async t => {
  const {log} = faultyLog();
  const zombie = await claim(log);
  const heir = await claim(log);
  await t.throwsAsync(zombie.writeTick(tick(zombie.epoch, 1)));
  await heir.writeTick(tick(heir.epoch, 1));
  await heir.writeTick(tick(heir.epoch, 2));
  t.deepEqual(await numbersOf(log), [`${heir.epoch}/1`, `${heir.epoch}/2`]);
});

test('a tick above 512 KiB is written in parts that count together', async t => {
  const faulty = faultyLog();
  const writer = await claim(faulty.log);
  const transitions = Array.from({length: 3000}, (_, seq) => ({
    actor: `vms/v${seq}`,
    machine: 'vm',
    machineVersion: 1,
    seq,
    from: 'normal',
    to: 'at-risk.observing',
    event: 'risk.raised',
    context: 'x'.repeat(400),
  }));
  faulty.plan('journal', 'after');
  await writer.writeTick(tick(1, 1, {transitions}));
  await writer.writeTick(tick(1, 2));
  t.true((await faulty.inner.endOffset('journal', partition)) >= 5, 'EPOCH, parts, a tick');
  const [long, short] = await ticksOf(faulty.log, partition);
  t.is(long?.transitions.length, 3000);
  t.is(short?.number, 2);
});
