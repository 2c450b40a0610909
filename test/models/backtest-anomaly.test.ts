import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {volumeUnderSurface} from '../../models/anomaly-metrics.ts';
import {backtestAnomaly} from '../../models/backtest/anomaly.ts';
import {drawRows, ROW_COLUMNS} from '../domain/anomaly-rows.ts';

function toCsv(rows: Float64Array, columns: readonly string[] = ROW_COLUMNS): string {
  const lines = [columns.join(',')];
  for (let from = 0; from < rows.length; from += columns.length) {
    lines.push([...rows.subarray(from, from + columns.length)].map(String).join(','));
  }
  return `${lines.join('\n')}\n`;
}

async function makeFolders(t: ExecutionContext): Promise<{data: string; out: string}> {
  const folder = await mkdtemp(join(tmpdir(), 'backtest-anomaly-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const [data, out] = [join(folder, 'data'), join(folder, 'out')];
  await Promise.all([mkdir(data), mkdir(out)]);
  return {data, out};
}

const USUAL = gzipSync(toCsv(drawRows(31, 1300)));
const LIVE = gzipSync(toCsv(drawRows(32, 400, 200, 230)));

async function run(folders: {data: string; out: string}) {
  const notes: string[] = [];
  const note = (line: string) => notes.push(line);
  const report = await backtestAnomaly({...folders, train: undefined, seed: 1, note});
  return {...report, notes};
}

async function readNumbers(path: string): Promise<number[][]> {
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  return lines.slice(1).map(line => line.split(',').map(Number));
}

test('writes a score and a column a metric for each row of each host, and finds what is odd', async t => {
  const folders = await makeFolders(t);
  await writeFile(join(folders.data, 'b_train.csv.gz'), USUAL);
  await writeFile(join(folders.data, 'b_test.csv.gz'), LIVE);
  await writeFile(join(folders.data, 'a-1_train.csv'), toCsv(drawRows(33, 1100)));
  await writeFile(join(folders.data, 'a-1_test.csv'), toCsv(drawRows(34, 50)));
  // Labels are no business of ours: whatever they are is not read.
  await writeFile(join(folders.data, 'b_label.csv.gz'), 'no gzip');
  await writeFile(join(folders.data, 'b_interpretation.txt'), 'no segments');
  const {files, rows} = await run(folders);
  t.deepEqual(files, ['score/a-1.csv', 'metrics/a-1.csv', 'score/b.csv', 'metrics/b.csv']);
  t.is(rows, 450);
  t.is((await readNumbers(join(folders.out, 'score/a-1.csv'))).length, 50);
  const scores = (await readNumbers(join(folders.out, 'score/b.csv'))).map(row => row[0] as number);
  const labels = new Uint8Array(400).fill(1, 200, 230);
  t.true(volumeUnderSurface(labels, scores, 10) > 0.7);
  const blame = await readNumbers(join(folders.out, 'metrics/b.csv'));
  t.is(blame.length, 400);
  t.true(blame.every(row => row.length === ROW_COLUMNS.length && row.every(Number.isFinite)));
  const header = (await readFile(join(folders.out, 'metrics/b.csv'), 'utf8')).split('\n')[0];
  t.is(header, ROW_COLUMNS.join(','));
});

test('a row is scored from the rows before it alone, and the same each time', async t => {
  const whole = await makeFolders(t);
  const cut = await makeFolders(t);
  for (const [{data}, rows] of [
    [whole, 400],
    [cut, 150],
  ] as const) {
    await writeFile(join(data, 'h_train.csv.gz'), USUAL);
    await writeFile(
      join(data, 'h_test.csv'),
      toCsv(drawRows(32, 400, 200, 230).subarray(0, rows * ROW_COLUMNS.length)),
    );
  }
  const written = ({out}: {out: string}) =>
    Promise.all(['score/h.csv', 'metrics/h.csv'].map(file => readFile(join(out, file), 'utf8')));
  await run(whole);
  const first = await written(whole);
  await run(whole);
  t.deepEqual(await written(whole), first);
  // Neither later rows nor other hosts matter.
  await writeFile(join(cut.data, 'a_train.csv'), toCsv(drawRows(40, 1100)));
  await writeFile(join(cut.data, 'a_test.csv'), toCsv(drawRows(41, 20)));
  await run(cut);
  for (const [at, text] of (await written(cut)).entries()) t.true(first[at]?.startsWith(text));
});

test('a column of one value, an empty column, duplicate rows and gaps do no harm', async t => {
  const folders = await makeFolders(t);
  const rows = drawRows(35, 1200);
  rows.copyWithin(400, 0, 800);
  const holey = toCsv(rows.map((value, at) => (at % 4 === 3 ? Number.NaN : value))).replaceAll(
    'NaN',
    '',
  );
  await writeFile(join(folders.data, 'h_train.csv'), holey);
  await writeFile(join(folders.data, 'h_test.csv'), toCsv(drawRows(36, 60)).replace(/0\.3\d+/, ''));
  await run(folders);
  const scores = await readNumbers(join(folders.out, 'score/h.csv'));
  t.is(scores.length, 60);
  t.true(scores.every(([score]) => Number.isFinite(score) && (score as number) < 20));
  const blame = await readNumbers(join(folders.out, 'metrics/h.csv'));
  t.true(blame.every(row => row[3] === 0));
});

test('numbers beyond all measure, as uninitialised memory gives them, teach nothing', async t => {
  const [garbled, holey] = [await makeFolders(t), await makeFolders(t)];
  const rows = drawRows(38, 1300);
  for (const [at, value] of [1.7e308, 1.7e308, -1e160, 1e101].entries())
    rows[4 * (100 + 50 * at)] = value;
  for (const {data} of [garbled, holey]) {
    await writeFile(join(data, 'h_train.csv'), toCsv(rows));
    await writeFile(join(data, 'h_test.csv'), toCsv(drawRows(39, 60)));
    for (const at of [0, 1, 2, 3]) rows[4 * (100 + 50 * at)] = Number.NaN;
  }
  for (const folders of [garbled, holey]) await run(folders);
  for (const file of ['score/h.csv', 'metrics/h.csv']) {
    t.is(
      await readFile(join(garbled.out, file), 'utf8'),
      await readFile(join(holey.out, file), 'utf8'),
    );
  }
});

const broken: [string, {train?: string | Buffer; test?: string | Buffer}, RegExp][] = [
  ['a folder without recordings', {}, /there is no NAME_test\.csv/],
  ['no train file', {test: LIVE}, /h_train\.csv: neither it/],
  ['a train file that is cut off', {train: USUAL.subarray(0, 9000), test: LIVE}, /cannot be read/],
  ['a test file that is cut off', {train: USUAL, test: LIVE.subarray(0, 9000)}, /cannot be read/],
  [
    'a test file with other columns',
    {train: USUAL, test: gzipSync('load,io,errors,cold\n1,1,1,1\n')},
    /1 missing \(heat\), 1 more \(cold\)/,
  ],
  [
    'a column that is there twice',
    {train: gzipSync('load,io,load\n1,1,1\n'), test: gzipSync('load,io,load\n1,1,1\n')},
    /columns twice: load/,
  ],
  [
    'a test file with the columns in another order',
    {train: USUAL, test: gzipSync('io,load,errors,heat\n1,1,1,1\n')},
    /in another order/,
  ],
  [
    'a train file that is too short',
    {train: gzipSync(toCsv(drawRows(37, 999))), test: LIVE},
    /999 rows of 4 metrics: 1000/,
  ],
  [
    'a train file without any value',
    {train: gzipSync(toCsv(new Float64Array(4800).fill(Number.NaN))), test: LIVE},
    /0 rows of 4 metrics/,
  ],
  [
    'a text where a number must be',
    {train: USUAL, test: gzipSync('load,io,errors,heat\n1,none,1,1\n')},
    /row 1 of io is "none"/,
  ],
];

for (const [what, {train, test: live}, message] of broken) {
  test(`${what} is refused, and it is said why`, async t => {
    const folders = await makeFolders(t);
    if (train !== undefined) await writeFile(join(folders.data, 'h_train.csv.gz'), train);
    if (live !== undefined) await writeFile(join(folders.data, 'h_test.csv.gz'), live);
    const error = await t.throwsAsync(run(folders), {message});
    t.true(isForestayError(error, 'TRAINING_DATA_INVALID'));
    const written = await readdir(folders.out, {recursive: true});
    t.false(written.some(file => file.endsWith('.csv')));
  });
}
