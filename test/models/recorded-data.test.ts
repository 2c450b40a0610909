import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {readTable, readTableAt} from '../../models/data/table.ts';

async function store(t: ExecutionContext, content: string | Buffer, name = 'a.csv') {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-recorded-'));
  t.teardown(() => rm(folder, {recursive: true}));
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

for (const [name, text] of Object.entries({
  'line ends of Windows': 'time,value\r\n1,2\r\n3,\r\n',
  'a byte order mark': '\ufefftime,value\n1,2\n3,\n',
  'a last line that is not ended': 'time,value\n1,2\n3,',
  'a last line that is ended by half a Windows line end': 'time,value\r\n1,2\r\n3,\r',
  'empty lines at its end': 'time,value\n1,2\n3,\n\n\r\n\n',
  'quotes around fields': '"time","value"\n"1","2"\n3,""\n',
})) {
  test(`a file with ${name} says the same`, async t => {
    const tables = [
      await readTable(await store(t, text)),
      await readTableAt((await store(t, gzipSync(text), 'a.csv.gz')).slice(0, -3)),
    ];
    for (const table of tables) {
      t.deepEqual(table.header, ['time', 'value']);
      t.deepEqual(table.texts('time'), ['1', '3']);
      t.deepEqual([...table.numbers('value')], [2, Number.NaN]);
    }
  });
}

test('empty lines are rows where a file has one column, but for those at its end', async t => {
  const table = await readTable(await store(t, 'value\n1\n\n3\n'));
  t.deepEqual([...table.numbers('value')], [1, Number.NaN, 3]);
});

const whole = `time,value\n${Array.from({length: 5000}, (_, row) => `${row},${row / 7}\n`).join('')}`;

for (const [name, [content, file, reason]] of Object.entries({
  'an empty line between others': ['a,b\n1,2\n\n3,4\n', 'a.csv', /line 3 has 1 fields, not 2/],
  'a row that is cut': ['a,b\n1,2\n3', 'a.csv', /line 3 has 1 fields, not 2/],
  'a quote that is not closed': ['a,b\n"1,2\n', 'a.csv', /line 2 has broken fields/],
  'a packed file that is cut': [gzipSync(whole).subarray(0, 9000), 'a.csv.gz', /unexpected end/],
  'a packed file with something behind': [
    Buffer.concat([gzipSync(whole), Buffer.from('more')]),
    'a.csv.gz',
    /incorrect header/,
  ],
  'a packed file of no bytes': [Buffer.alloc(0), 'a.csv.gz', /unexpected end/],
  'no bytes': ['', 'a.csv', /0 rows/],
  'zeros without end': [Buffer.alloc(3_000_000), 'a.csv', /more than 1048576 characters/],
} as const)) {
  test(`${name} is refused`, async t => {
    const path = await store(t, content, file);
    const error = await t.throwsAsync(readTable(path));
    t.true(isForestayError(error, 'TRAINING_DATA_INVALID'), String(error));
    t.regex(`${error?.message} ${(error?.cause as Error | undefined)?.message}`, reason);
  });
}

test('a column that is there twice is refused when it is wanted, for nobody knows which', async t => {
  const table = await readTable(await store(t, 'time,value,value\n1,2,3\n'));
  t.deepEqual(table.texts('time'), ['1']);
  t.throws(() => table.numbers('value'), {message: /column value 2 times/});
});
