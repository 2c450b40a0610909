import {spawn} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import type {Clock, Log} from '../../core/ports.ts';
import {readAll} from '../contracts/log.ts';

const hourMs = 3_600_000;
const directory = '/data';
const unbounded = Number.POSITIVE_INFINITY;

function movableClock() {
  let nowMs = 1_000_000 * hourMs;
  const clock: Clock = {nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {}};
  return {
    clock,
    move: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('records older than the retention go, whole segments at a time', async t => {
  const {clock, move} = movableClock();
  const options = {directory, files: createMemoryFiles(), clock};
  const log = await openSegmentLog({
    ...options,
    retention: {scores: {ageMs: 8 * hourMs, bytes: unbounded}},
  });
  for (let hour = 0; hour < 24; hour++) {
    await log.append('scores', 5, [Uint8Array.of(hour)]);
    await log.append('journal', 5, [Uint8Array.of(hour)]);
    move(hourMs + 1);
  }
  const start = await log.startOffset('scores', 5);
  t.true(start >= 12 && start <= 16, `starts at ${start}`);
  const records = await readAll(log, 'scores', 5);
  t.deepEqual(
    records.map(({value}) => value[0]),
    Array.from({length: 24 - start}, (_, n) => n + start),
  );
  t.is((await log.read('scores', 5, 0))[0]?.offset, start);
  t.is(await log.startOffset('journal', 5), 0);
});

test('above its size a topic loses the oldest segments of all partitions together', async t => {
  const {clock, move} = movableClock();
  const files = createMemoryFiles();
  const retention = {telemetry: {ageMs: unbounded, bytes: 5_000}};
  const options = {directory, files, clock, retention, segmentBytes: 1_000};
  const log = await openSegmentLog(options);
  for (let n = 0; n < 30; n++) {
    await log.append('telemetry', n < 15 ? 1 : 2, [new Uint8Array(400)]);
    move(1);
  }
  t.true((await log.startOffset('telemetry', 1)) > 0);
  t.is(await log.endOffset('telemetry', 1), 15);
  t.is((await readAll(log, 'telemetry', 2)).at(-1)?.offset, 29 - 15);
  const sizes = files
    .list('/data/telemetry')
    .map(name => files.size(`/data/telemetry/${name}`))
    .reduce((sum, size) => sum + size, 0);
  t.true(sizes <= 6_500, `${sizes} bytes are left`);
  await log.close();

  const reopened = await openSegmentLog({
    ...options,
    retention: {telemetry: {ageMs: unbounded, bytes: 1}},
  });
  t.is(await reopened.endOffset('telemetry', 2), 15, 'the newest segment stays');
});

test('of journal and checkpoints nothing goes that a start needs, whatever its age and size', async t => {
  const {clock, move} = movableClock();
  const files = createMemoryFiles();
  const retention = {
    journal: {ageMs: 8 * hourMs, bytes: 300},
    checkpoints: {ageMs: 8 * hourMs, bytes: 300},
  };
  const options = {directory, files, clock, retention, segmentBytes: 100};
  const fill = async (log: Log, from: number): Promise<void> => {
    for (let n = from; n < from + 20; n++) {
      await log.append('journal', 5, [new Uint8Array(60)]);
      await log.append('checkpoints', 5, [new Uint8Array(60)]);
      move(hourMs);
    }
  };
  const starts = async (log: Log) => [
    await log.startOffset('journal', 5),
    await log.startOffset('checkpoints', 5),
  ];
  const log = await openSegmentLog(options);
  await fill(log, 0);
  t.deepEqual(await starts(log), [0, 0]);
  await log.release('journal', 5, 7);
  await log.release('checkpoints', 5, 7);
  t.deepEqual(await starts(log), [6, 6], 'whole segments');
  await log.close();
  move(1000 * hourMs);
  const again = await openSegmentLog(options);
  await fill(again, 20);
  t.deepEqual(await starts(again), [6, 6]);
  await again.release('journal', 5, 40);
  await again.release('checkpoints', 5, 39);
  t.deepEqual(await starts(again), [38, 38]);
});

test('a checkpoint ends its segment, so that it goes soon after newer ones came', async t => {
  const files = createMemoryFiles();
  const log = await openSegmentLog({directory, files, clock: movableClock().clock});
  for (let n = 0; n < 9; n++) {
    await log.append('checkpoints', 5, [new Uint8Array(1 << 20), new Uint8Array(1 << 20)]);
  }
  await log.release('checkpoints', 5, 2 * 6);
  t.is(await log.startOffset('checkpoints', 5), 2 * 6);
  t.is(files.list('/data/checkpoints').length, 3);
});

test('opening reads no segment, and closing leaves no file open', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-folder-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const options = {directory: folder, files: nodeFiles, clock: systemClock};
  const openFiles = (): string[] => readdirSync('/proc/self/fd');
  const before = openFiles().length;
  const log = await openSegmentLog(options);
  for (let partition = 0; partition < 64; partition++)
    await log.append('journal', partition, [Uint8Array.of(1)]);
  t.true(openFiles().length >= before + 64);
  await log.close();
  t.true(openFiles().length <= before + 2);
  let reads = 0;
  const counting = {
    ...nodeFiles,
    read: (path: string) => {
      if (path.endsWith('.segment')) reads++;
      return nodeFiles.read(path);
    },
  };
  const again = await openSegmentLog({...options, files: counting});
  t.is(reads, 0);
  t.is(await again.endOffset('journal', 7), 1);
  t.is(reads, 1);
  await again.close();
});

test('a folder is used by one log at a time, and the message names the process', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-lock-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const options = {directory: folder, files: nodeFiles, clock: systemClock};
  const log = await openSegmentLog(options);
  const error = await t.throwsAsync(openSegmentLog(options));
  t.true(isForestayError(error, 'DATA_DIR_LOCKED'));
  t.true(error.message.includes(`process ${process.pid} `));
  await log.close();
  const next = await openSegmentLog(options);
  await next.close();
});

for (const [what, taken] of Object.entries({
  'was removed': undefined,
  'is another process’s': '{"pid":1,"host":"elsewhere","startedAt":"x","token":"t"}',
})) {
  test(`a log whose lock ${what} writes nothing more, says so, and leaves the lock alone`, async t => {
    const {clock, move} = movableClock();
    const files = createMemoryFiles();
    const told: string[] = [];
    const log = await openSegmentLog({
      directory,
      files,
      clock,
      onLost: ({code}) => void told.push(code),
    });
    const lost: number[] = [];
    await log.own({
      assigned: async () => {},
      revoking: async () => {},
      lost: partition => void lost.push(partition),
    });
    await log.append('journal', 0, [Uint8Array.of(1)]);
    const [segment] = files.list('/data/journal');
    files.remove('/data/lock');
    if (taken !== undefined) files.create('/data/lock', Buffer.from(taken));
    move(1000);
    for (let n = 0; n < 2; n++) {
      await t.throwsAsync(log.append('journal', 0, [Uint8Array.of(2)]), {code: 'DATA_DIR_LOCKED'});
      await t.throwsAsync(log.read('journal', 0, 0), {code: 'DATA_DIR_LOCKED'});
    }
    t.is(files.size(`/data/journal/${segment}`), 25);
    t.deepEqual(told, ['DATA_DIR_LOCKED']);
    t.is(lost.length, 64);
    await log.close();
    t.is(files.exists('/data/lock'), taken !== undefined);
  });
}

test('the lock of a process that is gone is taken over, also when its number is in use again', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-stale-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const options = {directory: folder, files: nodeFiles, clock: systemClock};
  const path = join(folder, 'lock');
  const holder = async (): Promise<object> => {
    const log = await openSegmentLog(options);
    const text = readFileSync(path, 'utf8');
    await log.close();
    return JSON.parse(text) as object;
  };
  const child = spawn('true', {stdio: 'ignore'});
  await new Promise(resolve => child.once('exit', resolve));
  for (const stale of [{pid: child.pid}, {startedAt: 'another boot 17'}]) {
    writeFileSync(path, JSON.stringify({...(await holder()), ...stale}));
    const log = await openSegmentLog(options);
    await log.close();
  }
  writeFileSync(path, '{"pid": 1');
  const log = await openSegmentLog(options);
  await log.close();

  writeFileSync(path, JSON.stringify({...(await holder()), host: 'elsewhere'}));
  const error = await t.throwsAsync(openSegmentLog(options));
  t.true(isForestayError(error, 'DATA_DIR_LOCKED'));
  t.regex(error.message, /on elsewhere/);
});

test('appends beyond the bound are refused until the disk has caught up', async t => {
  const log = await openSegmentLog({directory, files: createMemoryFiles(), clock: systemClock});
  const large = new Uint8Array(60 << 20);
  const settled = await Promise.allSettled(
    Array.from({length: 8}, () => log.append('telemetry', 0, [large])),
  );
  const refused = settled.filter(({status}) => status === 'rejected');
  t.true(refused.length >= 1 && refused.length < 8);
  const [{reason}] = refused as [PromiseRejectedResult];
  t.true(isForestayError(reason, 'LOG_APPEND_FAILED') && reason.retryable);
  t.is(await log.append('telemetry', 0, [Uint8Array.of(1)]), 8 - refused.length);
});

test('a folder that cannot be used is an error that says which', async t => {
  const files = createMemoryFiles();
  files.create = () => {
    throw Object.assign(new Error('EROFS: read-only file system'), {code: 'EROFS'});
  };
  const options = {directory: '/data/log', files, clock: movableClock().clock};
  const error = await t.throwsAsync(openSegmentLog(options), {code: 'DEPENDENCY_UNREACHABLE'});
  t.regex(`${error?.message}`, /\/data\/log: EROFS.*read and written/);
});
