import test from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {listen} from '../../core/events.ts';
import {faultyLog} from '../support/faulty-log.ts';
import {ticksOf} from '../support/journal.ts';
import {createRig, PARTITION, type Rig, second, vm} from '../support/partition.ts';

const SAFE = {b: {}, c: {}};
const vms = [vm('v1')];

/** Seconds of rising risk until something is done about it. */
async function untilActing(rig: Rig, runtime: PartitionRuntime, secondsMax = 20): Promise<number> {
  for (let count = 1; count <= secondsMax; count++) {
    await second(rig, runtime, {a: {risk: 0.9, vms}, ...SAFE});
    if (rig.agents.executed.length > 0) return count;
  }
  throw new Error('nothing was done');
}

test('nothing is dispatched before its tick is in the journal', async t => {
  const twin = createRig();
  const count = await untilActing(twin, await twin.start());
  const faulty = faultyLog();
  const rig = createRig({log: faulty.log});
  const runtime = await rig.start();
  for (let i = 1; i < count; i++) await second(rig, runtime, {a: {risk: 0.9, vms}, ...SAFE});
  faulty.plan('journal', 'before', 'before', 'before', 'before', 'before');
  const error = await t.throwsAsync(second(rig, runtime, {a: {risk: 0.9, vms}, ...SAFE}));
  t.true(isForestayError(error, 'LOG_APPEND_FAILED'));
  t.true(runtime.state.running.size > 0, 'it was decided');
  t.deepEqual(rig.agents.executed, []);
});

test('after a failure nothing more is stepped, and no checkpoint is left', async t => {
  const faulty = faultyLog();
  const rig = createRig({log: faulty.log});
  const runtime = await rig.start();
  faulty.plan('journal', 'forbidden');
  await rig.send('a');
  await t.throwsAsync(runtime.step(rig.clock.nowMs()));
  await t.throwsAsync(runtime.step(rig.clock.nowMs()), {message: /forbidden/});
  await runtime.stop();
  t.is(await faulty.inner.endOffset('checkpoints', PARTITION), 0);
});

test('an epoch in the gap stops the former owner before it dispatches anything', async t => {
  const rig = createRig();
  const former = await rig.start();
  await second(rig, former, {a: {vms}, ...SAFE});
  const heir = await rig.start();
  const error = await t.throwsAsync(async () => {
    for (let i = 0; i < 5; i++) await second(rig, former, {a: {risk: 0.9, vms}, ...SAFE});
  });
  t.true(isForestayError(error, 'EPOCH_SUPERSEDED'));
  t.deepEqual(rig.agents.executed, []);
  await untilActing(rig, heir);
  t.true(rig.agents.executed.every(({id}) => id.startsWith(`${PARTITION}/${heir.state.epoch}/`)));
  const epochs = (await ticksOf(rig.log, PARTITION)).map(({epoch}) => epoch);
  t.deepEqual([...new Set(epochs)], [former.state.epoch, heir.state.epoch]);
});

test('a checkpoint of a former owner does not hide what came after it', async t => {
  const rig = createRig();
  const former = await rig.start();
  await second(rig, former, {a: {vms}});
  const heir = await rig.start();
  await second(rig, heir, {a: {vms}, b: {}});
  await former.stop().catch(error => t.true(isForestayError(error, 'EPOCH_SUPERSEDED')));
  const third = await rig.start();
  t.deepEqual([...third.state.hosts.keys()], ['a', 'b']);
  t.is(third.state.tickNumber, heir.state.tickNumber);
});

test('records that cannot be read are set aside and counted, and the partition goes on', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const bad: string[] = [];
  const stop = listen('record.quarantined', ({topic, partition, offset, code}) => {
    if (partition === PARTITION) bad.push(`${topic} ${offset} ${code}`);
  });
  t.teardown(stop);
  await rig.send('a');
  await rig.log.append('telemetry', PARTITION, [Buffer.from('poison')]);
  await rig.log.append('inbox', PARTITION, [Buffer.from('poison')]);
  await second(rig, runtime, {b: {}});
  await rig.command({kind: 'pause', comment: ''});
  await second(rig, runtime, {a: {}});
  t.deepEqual([...runtime.state.hosts.keys()], ['a', 'b']);
  t.true(runtime.state.control.paused);
  t.deepEqual(bad, ['telemetry 1 BATCH_MALFORMED', 'inbox 0 RECORD_MALFORMED']);
  const recovered = await rig.start();
  t.deepEqual([...recovered.state.hosts.keys()], ['a', 'b']);
  t.is(bad.length, 2, 'a replay counts nothing');
});

test('a result that is there beats its deadline after a start', async t => {
  const rig = createRig({runtime: {tickBytesMax: 1}});
  const first = await rig.start();
  await second(rig, first, {a: {vms}});
  await second(rig, first, {b: {}});
  for (let i = 0; i < 10; i++) await second(rig, first, {a: {risk: 0.9, vms}});
  const move = rig.agents.executed.find(({kind}) => kind === 'start-migration');
  t.truthy(move);
  for (let i = 0; i < 4; i++) await rig.command({kind: 'resume', comment: ''});
  await rig.command({
    kind: 'effect-result',
    result: {id: move?.id ?? '', status: 'done', code: '', message: '', figures: {}},
  });
  rig.pass(3_600_000);
  const heir = await rig.start();
  while (heir.state.running.has(move?.id ?? '')) await heir.step(rig.clock.nowMs());
  t.is(heir.state.actors.vmContext('v1')?.host, 'b');
  const events = rig.ticks
    .flatMap(tick => tick.transitions)
    .filter(({actor}) => actor === 'vms/v1');
  const at = events.findIndex(({event}) => event === 'effect.completed');
  t.true(at > 0);
  t.false(events.slice(0, at).some(({event}) => event === 'deadline.passed'));
});

test('so it does after a pause of more than two ticks', async t => {
  const rig = createRig({runtime: {tickBytesMax: 1}});
  const runtime = await rig.start();
  await second(rig, runtime, {a: {vms}});
  await second(rig, runtime, {b: {}});
  for (let i = 0; i < 10; i++) await second(rig, runtime, {a: {risk: 0.9, vms}});
  const move = rig.agents.executed.find(({kind}) => kind === 'start-migration');
  for (let i = 0; i < 3; i++) await rig.command({kind: 'resume', comment: ''});
  await rig.command({
    kind: 'effect-result',
    result: {id: move?.id ?? '', status: 'done', code: '', message: '', figures: {}},
  });
  rig.pass(3_600_000);
  for (let i = 0; i < 4; i++) await runtime.step(rig.clock.nowMs());
  t.is(runtime.state.actors.vmContext('v1')?.host, 'b');
});

test('lag is how long ago everything had been read', async t => {
  const rig = createRig();
  const runtime = await rig.start({tickBytesMax: 2000});
  await second(rig, runtime, {a: {}});
  t.is(runtime.lagMs(), 0);
  for (let i = 0; i < 20; i++) await rig.send('a');
  rig.pass(5000);
  await runtime.step(rig.clock.nowMs());
  t.is(runtime.lagMs(), 5000, 'the read was full: there is more');
  while (runtime.lagMs() > 0) await runtime.step(rig.clock.nowMs());
  t.is(runtime.state.cut.telemetryOffset, 21);
});

test('cells that are not live may take their time from their newest sample', async t => {
  const rig = createRig({timeBase: 'recorded', runtime: {time: 'data'}});
  const runtime = await rig.start();
  await rig.send('a');
  const sentMs = rig.clock.nowMs();
  rig.pass(86_400_000);
  await runtime.step(rig.clock.nowMs());
  t.is(runtime.state.timeMs, sentMs);
});

test('a checkpoint is written when its time has come, and only between whole ticks', async t => {
  const rig = createRig({runtime: {checkpointMs: 3000, tickMs: 250}});
  const runtime = await rig.start();
  for (let i = 0; i < 40; i++) {
    rig.pass(250);
    await rig.send('a');
    await runtime.step(rig.clock.nowMs());
  }
  t.true((await rig.log.endOffset('checkpoints', PARTITION)) >= 4);
  const heir = await rig.start();
  t.is(heir.state.tickNumber, runtime.state.tickNumber);
});

test('an empty partition writes nothing but its epoch', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  for (let i = 0; i < 5; i++) await second(rig, runtime, {});
  await runtime.stop();
  t.is(await rig.log.endOffset('journal', PARTITION), 1);
});

test('a recording whose time stands still is written all the same', async t => {
  const rig = createRig({timeBase: 'recorded', runtime: {time: 'data'}});
  const runtime = await rig.start();
  for (let count = 0; count < 200; count++) {
    await rig.send('a');
    await runtime.step(rig.clock.nowMs());
  }
  const ticks = await ticksOf(rig.log, PARTITION);
  const taken = ticks.at(-1)?.cut.telemetryOffset ?? 0;
  t.true(taken > 200 - 70, `${taken} of 200 batches are in the journal's cut`);
  t.true(ticks.length < 20, `${ticks.length} ticks: most are quiet`);
});
