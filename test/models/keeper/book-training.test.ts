import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {trainFromBook} from '../../../models/keeper/book-training.ts';
import {ExampleBook} from '../../../models/keeper/example-book.ts';
import {readExamples} from '../../../models/keeper/example-file.ts';
import {MINUTE_MS, outcome, watch} from './example-fixtures.ts';

test('what the book holds by then is written down, named, and given to the trainer', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-book-training-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const book = new ExampleBook();
  watch(book, ['a', 'b'], 0, 100);
  book.tell(outcome('crashed', 'a', 101, 'disk'));
  watch(book, ['a', 'b'], 105, 200);
  const sinceMs = Number.POSITIVE_INFINITY;
  t.deepEqual(book.count(sinceMs), {failures: 1, newFailures: 1, sinceFailures: 0});
  t.is(book.count(100 * MINUTE_MS).sinceFailures, 1);
  const notes = join(folder, 'notes');
  const train = trainFromBook({
    book,
    files: nodeFiles,
    folder: join(folder, 'training'),
    command: [process.execPath, join(import.meta.dirname, 'trainer-process.ts'), 'write', notes],
  });
  const trained = await train({parent: 'champion', seed: 7}, new AbortController().signal);
  const own = join(trained.folder, '..');
  const path = join(own, 'examples.bin');
  const {set, sha256} = await readExamples(path);
  t.is(trained.dataHash, sha256);
  t.is(join(own, '..'), join(folder, 'training'));
  t.is(set.counts.failures.disk, 1);
  const {options} = JSON.parse(readFileSync(notes, 'utf8')) as {options: string[]};
  t.is(options[options.indexOf('--parent') + 1], 'champion');
  t.is(options[options.indexOf('--examples') + 1], path);
  t.is(options.at(-1), '1007');
  // The entry may still not come about.
  t.is(book.count(sinceMs).newFailures, 1);
  book.taught();
  t.is(book.count(sinceMs).newFailures, 0);
  // One that was left behind by a core that was killed may still write where it was told to.
  const next = await train({parent: 'champion', seed: 7}, new AbortController().signal);
  t.not(next.folder, trained.folder);
  t.deepEqual(readdirSync(join(folder, 'training')), [basename(join(next.folder, '..'))]);
});
