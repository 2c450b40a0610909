import assert from 'node:assert/strict';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {CSV_MAPPING, type Mapping, readMapping, SMD_MAPPING} from '../../cli/replay-mapping.ts';
import {findRecordings, mergeRows} from '../../cli/replay-rows.ts';
import {parseTime, parseValue, splitFields} from '../../models/data/csv.ts';
import fc from '../support/fast-check.ts';

function folder(t: ExecutionContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = mkdtempSync(join(tmpdir(), 'forestay-replay-'));
  t.teardown(() => rmSync(path, {recursive: true}));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

/** Rows as `host@seconds: values`, and the messages of bad ones. */
async function rowsOf(path: string, mapping: Partial<Mapping> = {}, format: 'csv' | 'smd' = 'csv') {
  const base = format === 'smd' ? SMD_MAPPING : CSV_MAPPING;
  const bad: string[] = [];
  const rows: string[] = [];
  const sets = new Set<string>();
  const recordings = findRecordings(path, format);
  for await (const row of mergeRows(recordings, {...base, ...mapping}, e => bad.push(e.message))) {
    rows.push(`${row.host}@${row.atMs / 1000}: ${row.values.join(' ')}`);
    sets.add(`${row.set.name} ${row.set.columns.join(' ')}`);
  }
  return {rows, bad, sets: [...sets]};
}

const START_S = Date.parse(CSV_MAPPING.start) / 1000;

test('smd files of a machine follow one another, train first, a row a minute', async t => {
  const path = folder(t, {
    'machine-1-1_test.csv': 'cpu_r,mem_u,disk_u\n0.5,0.6,0.7\n',
    'machine-1-1_train.csv.gz': gzipSync('cpu_r,mem_u,disk_u\n0.1,0.2,0.3\n0.4,,nan'),
    'machine-1-2_train.csv': 'cpu_r,mem_u,disk_u\r\n1,1,1\r\n',
    'machine-1-1_label.csv.gz': gzipSync('label\n0\n'),
    'machine-1-1_interpretation.txt': 'text',
  });
  const {rows, bad, sets} = await rowsOf(path, {}, 'smd');
  t.deepEqual(
    rows.toSorted(),
    [
      `machine-1-1@${START_S}: 0.1 0.2 0.3`,
      `machine-1-1@${START_S + 60}: 0.4 NaN NaN`,
      `machine-1-1@${START_S + 120}: 0.5 0.6 0.7`,
      `machine-1-2@${START_S}: 1 1 1`,
    ].toSorted(),
  );
  t.deepEqual(bad, []);
  t.deepEqual(sets, ['smd.v1 cpu_utilisation_ratio memory_used_ratio disk_busy_ratio']);
});

test('files with times of their own are merged by them', async t => {
  const path = folder(t, {
    'a.csv': 'timestamp,x\n2024-05-01T00:00:00Z,1\n2024-05-01 00:00:20,3\n',
    'b.csv': 'x,timestamp\n2,1714521610\n4,1714521630000\n',
  });
  const {rows} = await rowsOf(path);
  const at = Date.UTC(2024, 4, 1) / 1000;
  t.deepEqual(rows, [`a@${at}: 1`, `b@${at + 10}: 2`, `a@${at + 20}: 3`, `b@${at + 30}: 4`]);
});

test('a column may name the host, and columns may be renamed or left out', async t => {
  const path = folder(t, {'fleet.csv': 'node,cpu,note\nn1,1,x\nn2,2,y\nn1,3,z\n'});
  const mapping = {host: 'node', columns: {cpu: 'cpu_utilisation_ratio'}, ignore: ['note']};
  const {rows, sets} = await rowsOf(path, {...mapping, intervalSeconds: 10, metricSet: 'mine.v1'});
  t.deepEqual(rows, [`n1@${START_S}: 1`, `n2@${START_S}: 2`, `n1@${START_S + 10}: 3`]);
  t.deepEqual(sets, ['mine.v1 cpu_utilisation_ratio']);
});

test('files with other columns get metric sets of other names', async t => {
  const {sets} = await rowsOf(folder(t, {'a.csv': 'x\n1\n', 'b.csv': 'y\n1\n', 'c.csv': 'x\n2\n'}));
  t.is(sets.length, 2);
  t.regex(sets[0] ?? '', /^csv\.[0-9a-f]{8} x$/);
});

test('a row that cannot be read is reported with its file and line', async t => {
  const path = folder(t, {
    'a.csv': 'timestamp,x\n1,1\n2\n3,abc\nsoon,4\n5,"6\n-1,7\n8,8\n',
    'b.csv': 'node,x\nh 1,1\n',
  });
  const {rows, bad} = await rowsOf(path);
  t.deepEqual(rows, ['a@1: 1', 'a@8: 8']);
  t.deepEqual(
    bad.map(message => message.slice(path.length + 1)),
    [
      'b.csv:2: "h 1" in column node is no number; correct it, or leave the column out (`ignore` of the mapping)',
      'a.csv:3: 1 fields, the header names 2',
      'a.csv:4: "abc" in column x is no number; correct it, or leave the column out (`ignore` of the mapping)',
      'a.csv:5: "soon" in column timestamp is no time',
      'a.csv:6: a quote is not closed, the header names 2',
      'a.csv:7: "-1" in column timestamp is no time',
    ].toSorted((a, b) => (a[0] === b[0] ? 0 : b.localeCompare(a))),
  );
  const named = await rowsOf(folder(t, {'b.csv': 'node,x\nh 1,1\n'}), {host: 'node'});
  t.regex(named.bad[0] ?? '', /b\.csv:2: "h 1" is no name of a host/);
});

test('a folder or header that cannot be used is refused', async t => {
  const refused = async (files: Record<string, string | Uint8Array>, mapping = {}) =>
    (await t.throwsAsync(rowsOf(folder(t, files), mapping)))?.message ?? '';
  t.regex(await refused({'a.txt': 'x'}), /nothing to replay in .*csv/);
  t.regex(await refused({'a.csv': ''}), /a\.csv is empty/);
  t.regex(await refused({'a.csv': 'x,x\n'}), /a\.csv:1: "x" is repeated/);
  t.regex(await refused({'a.csv': 'timestamp\n1\n'}), /a\.csv:1: "timestamp"/);
  t.regex(await refused({'a.csv': 'x\n1\n'}, {host: 'node'}), /a\.csv:1: no column is called node/);
  t.regex(await refused({'a.csv': 'x\n1\n'}, {columns: {y: 'z'}}), /no column is called y/);
  t.regex(await refused({'a.csv.gz': 'no gzip'}), /cannot read .*a\.csv\.gz: incorrect header/);
  t.regex(await refused({'a.csv': 'x'.repeat(3_000_000)}), /line 1 has more than/);
  t.throws(() => findRecordings('/nowhere/at/all', 'csv'), {message: /cannot read the folder/});
});

test('fields come back as they were quoted', t => {
  const field = fc.string({unit: fc.constantFrom('a', '"', ',', ' ', 'é')});
  const quote = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  fc.assert(
    fc.property(fc.array(field, {minLength: 1}), fields => {
      assert.deepEqual(splitFields(fields.map(quote).join(',')), fields);
    }),
  );
  for (const broken of ['"', '"a"b', 'a"b', '"a']) t.is(splitFields(broken), undefined, broken);
});

test('every finite number is read back, and nothing else is one', t => {
  fc.assert(
    fc.property(fc.double({noNaN: true}), value => {
      // As text, zero has no sign.
      assert.equal(parseValue(String(value)), value + 0);
    }),
  );
  t.deepEqual(['', 'NaN', 'null', ' NA '].map(parseValue), Array(4).fill(Number.NaN));
  t.is(parseValue('-inf'), Number.NEGATIVE_INFINITY);
  for (const text of ['0x10', '1,5', '1_000', 'true', '1 2', '--1', '.', 'e5']) {
    t.is(parseValue(text), undefined, text);
  }
});

test('times are read as people write them', t => {
  const at = Date.UTC(2024, 1, 29, 12, 30);
  for (const text of ['2024-02-29T12:30:00Z', '2024-02-29 13:30+01:00', `${at}`, `${at / 1000}`]) {
    t.is(parseTime(text), at, text);
  }
  t.is(parseTime('2024-02-29'), Date.UTC(2024, 1, 29));
  for (const text of ['', '29.02.2024', '2024-13-01', '2024-02-29T25:00', '-5', 'inf']) {
    t.is(parseTime(text), undefined, text);
  }
});

test('a mapping goes over the preset, and what is wrong in it is found by line', t => {
  const path = folder(t, {
    'good.yaml': 'columns:\n  cpu_r: load\nintervalSeconds: 5\n',
    'typo.yaml': 'intervalSeconds: 5\ncolums:\n  a: b\n',
    'types.yaml': 'start: yesterday\nintervalSeconds: -1\n',
    'broken.yaml': 'columns: {a: [\n',
    'list.yaml': '- a\n',
  });
  const good = readMapping(join(path, 'good.yaml'), SMD_MAPPING);
  t.like(good, {columns: {cpu_r: 'load'}, intervalSeconds: 5, metricSet: 'smd.v1'});
  const refused = (name: string) => {
    const error = t.throws(() => readMapping(join(path, name), SMD_MAPPING));
    t.like(error, {code: 'CONFIG_INVALID'});
    return error?.message ?? '';
  };
  t.regex(refused('typo.yaml'), /typo\.yaml:2:1: colums: /);
  t.regex(refused('types.yaml'), /types\.yaml:1:8: start: .*\n.*types\.yaml:2:18: intervalSeconds/);
  t.regex(refused('broken.yaml'), /broken\.yaml:\d+:\d+: /);
  t.regex(refused('list.yaml'), /list\.yaml:1:1/);
  t.regex(refused('missing.yaml'), /cannot read the mapping .*missing\.yaml/);
});
