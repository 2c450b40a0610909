import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import {
  type LogDamage,
  openSegmentLog,
  type SegmentLogOptions,
} from '../../core/adapters/log-segments.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {formatError, isForestayError} from '../../core/domain/errors.ts';
import type {Clock, Log} from '../../core/ports.ts';
import {readAll} from '../contracts/log.ts';
import fc from '../support/fast-check.ts';

const directory = '/data/log';

/** Opens the log as a new process would: whoever held the lock is gone. */
function open(files: MemoryFiles, options: Partial<SegmentLogOptions> = {}): Promise<Log> {
  return openSegmentLog({
    directory,
    files,
    clock: systemClock,
    groupMs: 0,
    cacheBytes: 0,
    isAlive: () => false,
    ...options,
  });
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const textsOf = async (log: Log, partition = 0): Promise<string[]> =>
  (await readAll(log, 'journal', partition)).map(({value}) => Buffer.from(value).toString());

function segmentsOf(files: MemoryFiles): string[] {
  return files.list(`${directory}/journal`).map(name => `${directory}/journal/${name}`);
}

test('what a new process reads is durable, though the old one died before its sync', async t => {
  const files = createMemoryFiles();
  const dies: MemoryFiles = {
    ...files,
    openAppend: path => ({...files.openAppend(path), sync: () => new Promise(() => {})}),
  };
  const killed = await open(dies);
  void killed.append('journal', 0, [bytes('written')]);
  await new Promise(resolve => setImmediate(resolve));
  const reopened = await open(files);
  t.deepEqual(await textsOf(reopened), ['written']);
  files.crash();
  t.deepEqual(await textsOf(await open(files)), ['written']);
});

test('what was acknowledged survives a crash at any call, and nothing else gets in between', async t => {
  const run = async (failAfter: number, seed: number): Promise<number> => {
    const files = createMemoryFiles();
    const acknowledged: string[][] = [[], []];
    const attempted: string[][] = [[], []];
    files.failAfter(failAfter);
    try {
      const log = await open(files, {segmentBytes: 120});
      for (let n = 0; n < 12; n++)
        for (const partition of [0, 1]) {
          attempted[partition]?.push(`v${n}`);
          await log.append('journal', partition, [bytes(`v${n}`)]);
          acknowledged[partition]?.push(`v${n}`);
        }
    } catch {
      // The crash.
    }
    files.crash(seededRandom(seed));
    const log = await open(files);
    for (const partition of [0, 1]) {
      const found = await textsOf(log, partition);
      const promised = acknowledged[partition] as string[];
      t.deepEqual(found.slice(0, promised.length), promised);
      t.deepEqual(found, (attempted[partition] as string[]).slice(0, found.length));
      t.is(await log.append('journal', partition, [bytes('after')]), found.length);
      t.is((await textsOf(log, partition)).at(-1), 'after');
    }
    await log.close();
    return files.changes;
  };
  const calls = await run(Number.POSITIVE_INFINITY, 0);
  t.true(calls > 50);
  for (let failAfter = 0; failAfter < calls; failAfter++)
    for (const seed of [1, 2, 3]) await run(failAfter, seed * 1000 + failAfter);
});

test('many appends in one commit are all there or not acknowledged', async t => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(12), async (seed, failAfter) => {
      const files = createMemoryFiles();
      const log = await open(files);
      files.failAfter(failAfter);
      const settled = await Promise.allSettled(
        Array.from({length: 30}, (_, n) => log.append('journal', n % 3, [bytes(`v${n}`)])),
      );
      files.crash(seededRandom(seed));
      const again = await open(files);
      for (const [n, result] of settled.entries()) {
        const texts = await textsOf(again, n % 3);
        if (result.status === 'fulfilled') t.is(texts[result.value], `v${n}`);
        else t.true(isForestayError(result.reason, 'LOG_APPEND_FAILED'));
      }
    }),
    {numRuns: 60},
  );
});

test('a failed commit leaves no trace and the next one takes its offsets', async t => {
  const files = createMemoryFiles();
  const log = await open(files);
  await log.append('journal', 0, [bytes('a')]);
  const intact = files.openAppend;
  for (const step of ['write', 'sync'] as const) {
    files.openAppend = path => ({
      ...intact(path),
      [step]() {
        throw Object.assign(new Error('no space left'), {code: 'ENOSPC'});
      },
    });
    // The open file is closed by a failure, so the first one has to be provoked.
    await log.close();
    const failing = await open(files);
    const error = await t.throwsAsync(failing.append('journal', 0, [bytes('lost')]));
    t.true(isForestayError(error, 'LOG_APPEND_FAILED') && error.retryable);
    t.is(await failing.endOffset('journal', 0), 1);
    files.openAppend = intact;
    t.deepEqual(await textsOf(failing), ['a']);
    await failing.close();
  }
  const after = await open(files);
  t.is(await after.append('journal', 0, [bytes('b')]), 1);
  t.deepEqual(await textsOf(after), ['a', 'b']);
});

test('a write that fails and cannot be taken back either says both', async t => {
  const files = createMemoryFiles();
  const log = await open(files);
  const {openAppend, truncate} = files;
  files.openAppend = path => ({
    ...openAppend(path),
    sync: () => Promise.reject(Object.assign(new Error('no space left'), {code: 'ENOSPC'})),
  });
  files.truncate = () => {
    throw Object.assign(new Error('read-only by now'), {code: 'EROFS'});
  };
  const error = await t.throwsAsync(log.append('journal', 0, [bytes('lost')]));
  t.true(isForestayError(error, 'LOG_APPEND_FAILED'));
  t.regex(
    formatError(error),
    /not be taken back: read-only by now\n.*caused by Error: no space left/,
  );
  Object.assign(files, {openAppend, truncate});
  t.is(await log.append('journal', 0, [bytes('a')]), 0);
  t.deepEqual(await textsOf(log), ['a']);
});

/** While it is broken, neither a sync nor taking back what was written works. */
function breakable(files: MemoryFiles, disk: {isBroken: boolean}): MemoryFiles {
  const use = (): void => {
    if (disk.isBroken) throw Object.assign(new Error('EIO: input/output error'), {code: 'EIO'});
  };
  return {
    ...files,
    openAppend(path) {
      const file = files.openAppend(path);
      const sync = async () => {
        use();
        await file.sync();
      };
      return {...file, sync};
    },
    truncate(path, length) {
      use();
      files.truncate(path, length);
    },
  };
}

test('what was refused and not taken back does not come back, although its segment ends there', async t => {
  const files = createMemoryFiles();
  let nowMs = 1e12;
  const clock: Clock = {nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {}};
  const disk = {isBroken: false};
  const log = await open(breakable(files, disk), {clock});
  await log.append('journal', 0, [bytes('one')]);
  disk.isBroken = true;
  await t.throwsAsync(log.append('journal', 0, [bytes('refused')]));
  disk.isBroken = false;
  nowMs += 13 * 24 * 3_600_000;
  t.is(await log.append('journal', 0, [bytes('two')]), 1);
  t.is(await log.append('journal', 0, [bytes('three')]), 2);
  t.deepEqual(await textsOf(log), ['one', 'two', 'three']);
  t.is(segmentsOf(files).length, 2);
  t.deepEqual(await textsOf(await open(files, {clock})), ['one', 'two', 'three']);
});

test('places of a write that was taken back are forgotten', async t => {
  const files = createMemoryFiles();
  const disk = {isBroken: true};
  const log = await open(breakable(files, disk));
  const large = new Uint8Array(1 << 17);
  await t.throwsAsync(log.append('journal', 0, [bytes('x'), large, large, bytes('y')]));
  disk.isBroken = false;
  await log.append('journal', 0, ['a', 'b', 'c', 'd'].map(bytes));
  const [last] = await log.read('journal', 0, 3);
  t.is(Buffer.from(last?.value ?? []).toString(), 'd');
});

test('every flipped bit is found: the record is cut off if nobody was promised it, else reported', async t => {
  const files = createMemoryFiles();
  const log = await open(files);
  for (const text of ['one', 'two', 'three']) await log.append('journal', 0, [bytes(text)]);
  await log.close();
  const [path] = segmentsOf(files) as [string];
  const size = files.size(path);
  const lastStart = size - 24 - 'three'.length;
  for (let offset = 0; offset < size; offset++) {
    const damaged = createMemoryFiles();
    damaged.makeDirectory(`${directory}/journal`);
    damaged.replace(path, files.read(path));
    damaged.damage(path, offset, 1 << (offset % 8));
    const reopened = await open(damaged);
    if (offset >= lastStart) {
      // Indistinguishable from a torn write: nothing later says that it was durable.
      t.deepEqual(await textsOf(reopened), ['one', 'two']);
      continue;
    }
    const error = await t.throwsAsync(reopened.read('journal', 0, 0));
    t.true(isForestayError(error, 'LOG_CORRUPT'));
    if (!isForestayError(error)) continue;
    t.is(error.details.file, path);
    t.is(error.details.offset, offset < 27 ? 0 : 1);
    t.is(damaged.size(path), size, 'nothing is cut from what was promised');
    const refused = await t.throwsAsync(reopened.append('journal', 0, [bytes('x')]));
    t.true(isForestayError(refused, 'LOG_CORRUPT'));
  }
});

test('any flipped bit in telemetry is found, told once and left out; what follows it is read', async t => {
  const texts = ['one', 'two', 'three', 'four'];
  const pristine = createMemoryFiles();
  const log = await open(pristine);
  for (const text of texts) await log.append('telemetry', 0, [bytes(text)]);
  await log.close();
  const [name] = pristine.list(`${directory}/telemetry`) as [string];
  const path = `${directory}/telemetry/${name}`;
  const size = pristine.size(path);
  for (let offset = 0; offset < size; offset++) {
    const files = createMemoryFiles();
    files.makeDirectory(`${directory}/telemetry`);
    files.replace(path, pristine.read(path));
    files.damage(path, offset, 1 << (offset % 8));
    const damages: LogDamage[] = [];
    const reopened = await open(files, {onDamage: damage => damages.push(damage)});
    // The last one cannot be told from a torn write: its offset is free again.
    const gone = texts.findIndex((_, at) => offset < startOf(texts, at + 1));
    const end = gone === 3 ? 3 : 4;
    t.is(await reopened.append('telemetry', 0, [bytes('after')]), end);
    for (let from = 0; from <= end; from++) {
      const left = await readAll(reopened, 'telemetry', 0, from);
      const wanted = [...texts.slice(0, end), 'after'].map((text, at) => `${at} ${text}`);
      t.deepEqual(
        left.map(({offset: at, value}) => `${at} ${Buffer.from(value)}`),
        wanted.filter((_, at) => at >= from && (at !== gone || gone === 3)),
      );
    }
    const place = {topic: 'telemetry', partition: 0, path, offset: gone};
    const told = {...place, position: startOf(texts, gone)};
    t.deepEqual(damages, gone === 3 ? [] : [told]);
  }
});

function startOf(texts: readonly string[], at: number): number {
  return texts.slice(0, at).reduce((sum, text) => sum + 24 + text.length, 0);
}

test('a segment of telemetry that lost its end leads to the next one', async t => {
  const files = createMemoryFiles();
  const damages: LogDamage[] = [];
  const log = await open(files, {segmentBytes: 100, onDamage: damage => damages.push(damage)});
  for (let n = 0; n < 12; n++) await log.append('telemetry', 0, [bytes(`value ${n}`)]);
  const [first, second] = files.list(`${directory}/telemetry`) as [string, string];
  files.truncate(`${directory}/telemetry/${first}`, 0);
  const begins = Number(second.split('-')[1]);
  const left = await readAll(log, 'telemetry', 0);
  t.deepEqual(
    left.map(({offset}) => offset),
    Array.from({length: 12 - begins}, (_, n) => begins + n),
  );
  t.is(damages.length, 1);
});

test('a disk that cannot be read now is not taken for damage, and is read later', async t => {
  const files = createMemoryFiles();
  const log = await open(files);
  for (const topic of ['journal', 'telemetry'] as const) await log.append(topic, 0, [bytes('x')]);
  const {readRange} = files;
  files.readRange = () => {
    throw Object.assign(new Error('input/output error'), {code: 'EIO'});
  };
  for (const topic of ['journal', 'telemetry'] as const) {
    const error = await t.throwsAsync(log.read(topic, 0, 0));
    t.true(isForestayError(error, 'DEPENDENCY_UNREACHABLE') && error.retryable);
  }
  files.readRange = () => {
    throw new TypeError('a defect');
  };
  await t.throwsAsync(log.read('journal', 0, 0), {instanceOf: TypeError});
  files.readRange = readRange;
  t.is((await log.read('telemetry', 0, 0)).length, 1);
});

test('damage that comes while the log runs is reported, and what follows it can be read', async t => {
  const files = createMemoryFiles();
  const log = await open(files, {segmentBytes: 1});
  for (const text of ['one', 'two', 'three']) await log.append('journal', 0, [bytes(text)]);
  files.damage(segmentsOf(files)[1] as string, 25);
  t.is((await log.read('journal', 0, 0)).length, 1);
  const error = await t.throwsAsync(log.read('journal', 0, 1));
  t.true(isForestayError(error, 'LOG_CORRUPT'));
  t.is((await log.read('journal', 0, 2)).length, 1);
});

test('a segment that lost its end is reported, not skipped', async t => {
  const files = createMemoryFiles();
  const log = await open(files, {segmentBytes: 100});
  for (let n = 0; n < 12; n++) await log.append('journal', 0, [bytes(`value ${n}`)]);
  await log.close();
  const [first] = segmentsOf(files) as [string];
  files.truncate(first, files.size(first) - 1);
  const reopened = await open(files);
  const error = await t.throwsAsync(textsOf(reopened));
  t.true(isForestayError(error, 'LOG_CORRUPT'));
});

test('without syncs nothing is called damaged after a crash', async t => {
  for (let seed = 0; seed < 30; seed++) {
    const files = createMemoryFiles();
    const log = await open(files, {sync: 'none'});
    for (let n = 0; n < 5; n++) await log.append('journal', 0, [bytes(`v${n}`)]);
    files.crash(seededRandom(seed));
    const texts = await textsOf(await open(files, {sync: 'none'}));
    t.deepEqual(texts, ['v0', 'v1', 'v2', 'v3', 'v4'].slice(0, texts.length));
  }
});
