import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {checkpointHints} from '../../core/engine/checkpoint.ts';
import {recover} from '../../core/engine/recovery.ts';
import {type EngineEvents, listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {essence, ticksOf} from '../support/journal.ts';
import {createRig, hostBatch, PARTITION, type Rig, second, vm} from '../support/partition.ts';

const RISKY = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}};
const directory = '/log';

/** As a new process would: whoever held the lock is gone. */
const open = (files: MemoryFiles, segmentBytes = 64 << 20): Promise<Log> =>
  openSegmentLog({
    directory,
    segmentBytes,
    files,
    clock: systemClock,
    groupMs: 0,
    cacheBytes: 0,
    isAlive: () => false,
  });

async function live(rig: Rig, seconds: number) {
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  const runtime = await rig.start({checkpointMs: 2000});
  for (let i = 0; i < seconds; i++) await second(rig, runtime, RISKY);
  return runtime;
}

const recovered = ({policy, scorer}: Rig, log: Log) =>
  recover({log, codec, partition: PARTITION, policy, model: scorer.signature()});

function segmentOf(files: MemoryFiles, topic: string): string {
  const [name] = files.list(`${directory}/${topic}`).filter(at => at.startsWith('05-'));
  return `${directory}/${topic}/${name}`;
}

function copyOf(files: MemoryFiles): MemoryFiles {
  const copy = createMemoryFiles();
  for (const topic of files.list(directory)) {
    if (topic === 'lock') continue;
    copy.makeDirectory(`${directory}/${topic}`);
    for (const name of files.list(`${directory}/${topic}`)) {
      const path = `${directory}/${topic}/${name}`;
      copy.replace(path, files.read(path));
    }
  }
  return copy;
}

test('wherever a checkpoint is damaged, an older one or the journal gives the same state', async t => {
  const files = createMemoryFiles();
  const rig = createRig({log: await open(files)});
  const runtime = await live(rig, 8);
  const path = segmentOf(files, 'checkpoints');
  const size = files.size(path);
  const random = seededRandom('where');
  let replayed = 0;
  for (let round = 0; round < 40; round++) {
    const damaged = copyOf(files);
    const flips = 1 + Math.floor(random.next() * 4);
    for (let flip = 0; flip < flips; flip++) {
      damaged.damage(path, Math.floor(random.next() * size), 1 << Math.floor(random.next() * 8));
    }
    const {state, ticks} = await recovered(rig, await open(damaged));
    t.deepEqual(essence(state), essence(runtime.state), `round ${round}`);
    replayed = Math.max(replayed, ticks);
  }
  t.true(replayed > 3, 'some of the damage was in the newest one');
  const empty = copyOf(files);
  empty.truncate(path, 0);
  t.deepEqual(essence((await recovered(rig, await open(empty))).state), essence(runtime.state));
});

test('a partition that is cut off at any call to the disk goes on from its last tick', async t => {
  const run = async (failAfter: number): Promise<number> => {
    const files = createMemoryFiles();
    const counted: string[] = [];
    files.failAfter(failAfter);
    let rig: Rig | undefined;
    try {
      rig = createRig({
        log: await open(files),
        runtime: {onTick: tick => counted.push(show(tick))},
      });
      await live(rig, 4);
    } catch {
      // The crash.
    }
    files.crash(seededRandom(failAfter));
    const log = await open(files);
    const heir = createRig({log});
    const found = (await ticksOf(log, PARTITION)).map(show);
    t.deepEqual(found.slice(0, counted.length), counted, `at call ${failAfter}`);
    const whole = await recovered(heir, withoutCheckpoints(log));
    t.deepEqual(essence((await recovered(heir, log)).state), essence(whole.state));
    const runtime = await heir.start();
    heir.clock.set((await newestMs(log)) + 1000);
    await second(heir, runtime, {z: {}});
    t.true(runtime.state.hosts.has('z'), `goes on, at call ${failAfter}`);
    return files.changes;
  };
  const calls = await run(Number.POSITIVE_INFINITY);
  t.true(calls > 60);
  for (let call = 0; call < calls; call++) await run(call);
});

const show = ({epoch, number}: {epoch: number; number: number}) => `${epoch}/${number}`;

/** The same log as if no checkpoint had ever been written. */
const withoutCheckpoints = (log: Log): Log => ({
  append: (...args) => log.append(...args),
  read: (...args) => log.read(...args),
  startOffset: (...args) => log.startOffset(...args),
  endOffset: async (...args) => (args[0] === 'checkpoints' ? 0 : await log.endOffset(...args)),
  own: handler => log.own(handler),
  release: (...args) => log.release(...args),
  close: () => log.close(),
});

async function newestMs(log: Log): Promise<number> {
  return Math.max(0, ...(await ticksOf(log, PARTITION)).map(({timeMs}) => timeMs));
}

const spokenOf = (hint?: {journalOffset: number}): number => hint?.journalOffset ?? Number.NaN;

test('a journal that lost its end is not gone on with, however often that is tried', async t => {
  const files = createMemoryFiles();
  const rig = createRig({log: await open(files, 1)});
  const runtime = await live(rig, 6);
  const {tickNumber} = runtime.state;
  const [newest] = await checkpointHints(rig.log, PARTITION);
  const kept = files
    .list(`${directory}/journal`)
    .filter(name => name.startsWith('05-') && Number(name.split('-')[1]) >= spokenOf(newest) - 1)
    .map(name => `${directory}/journal/${name}`)
    .map(path => [path, files.read(path)] as const);
  t.true(kept.length >= 2);
  for (const [path] of kept) files.remove(path);
  for (let attempt = 0; attempt < 4; attempt++) {
    const error = await t.throwsAsync(rig.start({log: await open(files, 1)}));
    t.true(isForestayError(error, 'LOG_CORRUPT'), `attempt ${attempt}`);
    t.regex(
      `${error?.message}`,
      /journal ends at offset \d+, a checkpoint.* reached \d+; restore its files/,
    );
  }
  for (const [path, bytes] of kept) files.replace(path, bytes);
  const heir = await rig.start({log: await open(files, 1)});
  t.is(heir.state.tickNumber, tickNumber);
});

test('telemetry that lost its end after it was taken holds its partition up no longer', async t => {
  const files = createMemoryFiles();
  const rig = createRig({log: await open(files)});
  const runtime = await rig.start();
  for (let i = 0; i < 5; i++) await second(rig, runtime, {a: {}, b: {}});
  const path = segmentOf(files, 'telemetry');
  files.damage(path, files.size(path) - 20);
  const log = await open(files);
  const end = await log.endOffset('telemetry', PARTITION);
  t.is(runtime.state.cut.telemetryOffset - end, 1, 'the last one was cut off');
  const quarantined: number[] = [];
  t.teardown(
    listen('record.quarantined', ({topic, offset}) => {
      if (topic === 'telemetry') quarantined.push(offset);
    }),
  );
  const heir = await rig.start({log});
  t.deepEqual(quarantined, [end]);
  rig.pass();
  const batch = hostBatch('z', 1, [{atMs: rig.clock.nowMs()}]);
  await log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
  await heir.step(rig.clock.nowMs());
  t.true(heir.state.hosts.has('z'), 'what comes next is taken');
  t.deepEqual(essence((await recovered(rig, log)).state), essence(heir.state));
});

test('what somebody else wrote into a journal is set aside, and the partition goes on', async t => {
  const set: EngineEvents['record.quarantined'][] = [];
  t.teardown(listen('record.quarantined', fields => void set.push(fields)));
  const rig = createRig();
  const former = await live(rig, 3);
  const offset = await rig.log.append('journal', PARTITION, [Buffer.from('not of ours')]);
  const before = essence((await recovered(rig, rig.log)).state);
  t.deepEqual(before, essence(former.state));
  t.true(set.some(one => one.topic === 'journal' && one.offset === offset));
  const heir = await rig.start();
  await second(rig, heir, RISKY);
  t.deepEqual(essence((await recovered(rig, rig.log)).state), essence(heir.state));
});

test('a tick that cannot be read stops its partition, and says where and what to do', async t => {
  const rig = createRig();
  await live(rig, 6);
  const end = await rig.log.endOffset('journal', PARTITION);
  const read: Log['read'] = async (...args) => {
    const records = await rig.log.read(...args);
    if (args[0] !== 'journal') return records;
    return records.map(record =>
      record.offset === end - 3 ? {...record, value: Buffer.from('rotten')} : record,
    );
  };
  const log = {...withoutCheckpoints(rig.log), read};
  const error = await t.throwsAsync(recovered(rig, log));
  t.true(isForestayError(error, 'LOG_CORRUPT'));
  t.regex(`${error?.message}`, /no tick between \d+ and \d+.*offset \d+.*restore its files/);
});

test('an edge whose batch cannot be read is heard again with its next one', async t => {
  const log = createMemoryLog();
  const rig = createRig({log});
  const runtime = await rig.start();
  await second(rig, runtime, {a: {}});
  await rig.send('a');
  const append = log.append.bind(log);
  const offset = (await log.endOffset('telemetry', PARTITION)) - 1;
  const read: Log['read'] = async (...args) =>
    (await log.read(...args)).map(record =>
      args[0] === 'telemetry' && record.offset === offset
        ? {...record, value: Buffer.from('rotten')}
        : record,
    );
  const heir = await rig.start({log: {...log, append, read}});
  await second(rig, heir, {a: {vms: [vm('late')]}});
  t.true(heir.state.vms.has('late'));
  t.deepEqual(
    heir.state.marks.entries().map(({edge, seq}) => `${edge} ${seq}`),
    ['a 3'],
  );
});

test('a journal whose beginning is gone starts nothing without a checkpoint', async t => {
  const log = createMemoryLog();
  const rig = createRig({log});
  await live(rig, 6);
  log.dropBefore('journal', PARTITION, 2);
  t.true((await recovered(rig, log)).trailerOffset >= 0);
  log.dropBefore('checkpoints', PARTITION, await log.endOffset('checkpoints', PARTITION));
  const error = await t.throwsAsync(recovered(rig, log));
  t.true(isForestayError(error, 'LOG_CORRUPT'));
  t.regex(error?.message ?? '', /partition 5 .* begins at offset 2/);
});
