import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import type {Files} from '../../core/ports.ts';
import fc from '../support/fast-check.ts';

const temporary = mkdtempSync(join(tmpdir(), 'forestay-files-'));
test.after.always(() => rmSync(temporary, {recursive: true}));

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (of: Uint8Array): string => Buffer.from(of).toString();

/** What both file systems do alike. */
function filesContract(name: string, files: Files): void {
  let cases = 0;
  const folderFor = (): string => {
    const folder = join(temporary, `${name}-${cases++}`, 'deep');
    files.makeDirectory(folder);
    files.makeDirectory(folder);
    return folder;
  };

  test(`${name}: appended chunks are read as one, whole and in part`, async t => {
    const path = join(folderFor(), 'a');
    const file = files.openAppend(path);
    file.write([bytes('ab'), bytes(''), bytes('cd')]);
    file.syncNow();
    file.write([bytes('ef')]);
    await file.sync();
    file.close();
    t.is(text(files.read(path)), 'abcdef');
    t.is(text(files.readRange(path, 2, 3)), 'cde');
    t.is(text(files.readRange(path, 4, 99)), 'ef');
    t.is(text(files.readRange(path, 99, 1)), '');
    t.is(files.size(path), 6);
    const again = files.openAppend(path);
    again.write([bytes('g')]);
    again.close();
    t.is(text(files.read(path)), 'abcdefg');
  });

  test(`${name}: more chunks than one system call takes are written in order`, t => {
    const path = join(folderFor(), 'many');
    const file = files.openAppend(path);
    const chunks = Array.from({length: 2500}, (_, n) => bytes(`${n},`));
    file.write(chunks);
    file.close();
    t.is(text(files.read(path)), chunks.map(text).join(''));
  });

  test(`${name}: truncating, replacing, creating and removing`, t => {
    const folder = folderFor();
    const path = join(folder, 'b');
    t.false(files.exists(path));
    t.true(files.create(path, bytes('made')));
    t.false(files.create(path, bytes('again')));
    t.is(text(files.read(path)), 'made');
    files.truncate(path, 2);
    t.is(text(files.read(path)), 'ma');
    files.replace(path, bytes('other'));
    t.is(text(files.read(path)), 'other');
    files.replace(join(folder, 'a'), bytes(''));
    t.deepEqual(files.list(folder), ['a', 'b']);
    t.deepEqual(files.list(join(folder, '..')), ['deep']);
    files.remove(path);
    t.false(files.exists(path));
    t.deepEqual(files.list(folder), ['a']);
  });

  test(`${name}: what is not there is ENOENT`, t => {
    const path = join(folderFor(), 'none');
    const calls = [
      () => files.read(path),
      () => files.readRange(path, 0, 1),
      () => files.size(path),
      () => files.remove(path),
      () => files.truncate(path, 0),
      () => files.list(path),
      () => files.openAppend(join(path, 'x')),
    ];
    for (const call of calls) t.throws(call, {code: 'ENOENT'});
  });
}

filesContract('node', nodeFiles);
filesContract('memory', createMemoryFiles());

test('a crash takes what was not synced and closes what was open', async t => {
  const files = createMemoryFiles();
  files.makeDirectory('/d');
  const file = files.openAppend('/d/f');
  file.write([bytes('kept')]);
  const syncing = file.sync();
  file.write([bytes('lost')]);
  await syncing;
  files.crash();
  t.is(text(files.read('/d/f')), 'kept');
  t.throws(() => file.write([bytes('x')]), {message: /EBADF/});
  await t.throwsAsync(() => file.sync());
});

test('a torn write keeps what was synced and a beginning of the rest', t => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(20), fc.nat(20), (seed, synced, pending) => {
      const files = createMemoryFiles();
      files.makeDirectory('/d');
      const file = files.openAppend('/d/f');
      file.write([new Uint8Array(synced).fill(1)]);
      file.syncNow();
      file.write([new Uint8Array(pending).fill(2)]);
      files.crash(seededRandom(seed));
      const left = files.read('/d/f');
      t.true(left.length >= synced && left.length <= synced + pending);
      t.true(left.subarray(0, synced).every(byte => byte === 1));
      t.true(left.subarray(synced, -1).every(byte => byte === 2));
    }),
  );
});

test('failing after k changes stops every later one until the crash', t => {
  const files = createMemoryFiles();
  files.makeDirectory('/d');
  files.failAfter(2);
  files.replace('/d/a', bytes('1'));
  const file = files.openAppend('/d/b');
  const before = files.changes;
  t.throws(() => file.write([bytes('x')]), {message: /EIO/});
  t.throws(() => files.replace('/d/a', bytes('2')), {message: /EIO/});
  t.throws(() => files.remove('/d/a'), {message: /EIO/});
  t.is(files.changes, before);
  files.crash();
  t.is(text(files.read('/d/a')), '1');
  files.remove('/d/a');
});

test('a folder where the system lets nobody make one is an error, not an endless try', t => {
  t.throws(() => nodeFiles.makeDirectory('/proc/forestay/deep/er'), {code: 'ENOENT'});
  const file = join(temporary, 'no-folder');
  nodeFiles.replace(file, bytes('x'));
  t.throws(() => nodeFiles.makeDirectory(file), {code: 'EEXIST'});
  t.throws(() => nodeFiles.makeDirectory(join(file, 'below')), {code: 'ENOTDIR'});
});

test('a full disk takes a part of a write, and nothing of a replacement', t => {
  const files = createMemoryFiles();
  files.replace('/old', bytes('old'));
  const file = files.openAppend('/grown');
  files.limitTo(8);
  t.throws(() => file.write([bytes('abc'), bytes('defgh')]), {code: 'ENOSPC'});
  t.is(text(files.read('/grown')), 'abcde');
  t.throws(() => files.replace('/old', bytes('new')), {code: 'ENOSPC'});
  t.is(text(files.read('/old')), 'old');
  files.limitTo(Number.POSITIVE_INFINITY);
  file.write([bytes('f')]);
  t.is(text(files.read('/grown')), 'abcdef');
});
