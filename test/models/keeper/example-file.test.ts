import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {isForestayError} from '../../../core/domain/errors.ts';
import {hashOf} from '../../../models/artefact-files.ts';
import {ExampleBook} from '../../../models/keeper/example-book.ts';
import {readExamples, writeExamples} from '../../../models/keeper/example-file.ts';
import {outcome, watch} from './example-fixtures.ts';

function written(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-examples-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const book = new ExampleBook();
  watch(book, ['a', 'b', 'new-c'], 0, 100);
  book.tell(outcome('crashed', 'a', 101, 'disk'));
  watch(book, ['a', 'b', 'new-c'], 105, 200);
  const path = join(folder, 'examples.bin');
  const set = book.examples();
  return {path, set, sha256: writeExamples(nodeFiles, path, set), folder};
}

async function refused(t: ExecutionContext, path: string, says: RegExp) {
  const error = await t.throwsAsync(readExamples(path));
  t.true(isForestayError(error, 'TRAINING_DATA_INVALID'), `${error}`);
  t.regex(error?.message ?? '', says);
  t.regex(error?.message ?? '', /give a file that a core wrote/);
}

test('what was written is read, and named by its SHA-256', async t => {
  const {path, set, sha256} = written(t);
  t.deepEqual(await readExamples(path), {set, sha256});
  t.is(sha256, hashOf(readFileSync(path)));
  t.deepEqual(nodeFiles.list(join(path, '..')), ['examples.bin'], 'nothing half-written is left');
});

test('a file that is cut off anywhere is refused', async t => {
  const {path, folder} = written(t);
  const whole = readFileSync(path);
  for (const bytes of [0, 5, 11, 40, whole.length >> 1, whole.length - 33, whole.length - 1]) {
    const cut = join(folder, `cut-${bytes}`);
    writeFileSync(cut, whole.subarray(0, bytes));
    await refused(t, cut, bytes < 8 ? /no file of examples/ : /cut off/);
  }
});

test('a byte that changed, more bytes, another format and other files are refused', async t => {
  const {path, folder} = written(t);
  const whole = readFileSync(path);
  const change = async (name: string, edit: (bytes: Buffer) => Buffer, says: RegExp) => {
    const other = join(folder, name);
    writeFileSync(other, edit(Buffer.from(whole)));
    await refused(t, other, says);
  };
  const flip = (at: number) => (bytes: Buffer) => {
    bytes[at] = (bytes[at] as number) ^ 1;
    return bytes;
  };
  await change('value', flip(whole.length - 100), /SHA-256/);
  await change('check', flip(whole.length - 1), /SHA-256/);
  await change('header', flip(14), /header is not JSON|format is/);
  await change('longer', bytes => Buffer.concat([bytes, Buffer.of(0)]), /more than its rows/);
  const newer = (bytes: Buffer) =>
    Buffer.from(bytes.toString('latin1').replace('"format":1', '"format":2'), 'latin1');
  await change('newer', newer, /its format is 2, this version reads 1/);
  await change('foreign', () => Buffer.from('group,second,label_disk\n'), /no file of examples/);
  await refused(t, folder, /cannot be read/);
  await refused(t, join(folder, 'nowhere'), /cannot be read/);
});

test('a whole file with values that cannot be is refused', async t => {
  const {path, set} = written(t);
  const wrong = [
    [{targets: set.targets.map(() => 2)}, /a target outside of 0 to 1/],
    [{weights: set.weights.map(() => 0)}, /a weight of 0/],
    [{host: set.host.map(() => 3)}, /a host that it does not name/],
    [{atMs: set.atMs.map(() => Number.NaN)}, /without a time/],
  ] as const;
  for (const [values, says] of wrong) {
    writeExamples(nodeFiles, path, {...set, ...values});
    await refused(t, path, says);
  }
});
