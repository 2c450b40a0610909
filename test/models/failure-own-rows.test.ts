import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {featuresOf} from '../../core/domain/features.ts';
import {splitHosts, UNKNOWN} from '../../models/failure/data.ts';
import {
  COMPONENT_FAILURE,
  COMPONENT_OUTLOOK,
  type FailureFamily,
} from '../../models/failure/family.ts';
import {readOwnRows} from '../../models/failure/own-rows.ts';

const ERRORS = 'disk_errors_per_second.level';
const HEADER = `group,second,${ERRORS},cpu_utilisation_ratio.level,label_disk,seconds_to_failure`;
const ROWS = ['a,0,0.5,0.2,1,170', 'a,90,0.7,0.2,1,80', 'b,0,,0.2,0,', 'b,90,0.1,0.2,,'];

function write(t: ExecutionContext, bytes: string | Uint8Array, name = 'rows.csv') {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-rows-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const text = (rows: readonly string[] = ROWS, header = HEADER) =>
  `${[header, ...rows].join('\n')}\n`;

test('features find their columns, what is not there is missing, hosts get numbers', async t => {
  const {data, remarks} = await readOwnRows(write(t, text()), COMPONENT_FAILURE);
  const names = featuresOf(data.contract).map(({name}) => name);
  const errors = [0, 1, 2, 3].map(
    row => data.features[row * names.length + names.indexOf(ERRORS)] as number,
  );
  t.deepEqual(errors.slice(0, 2), [0.5, Math.fround(0.7)]);
  t.true(Number.isNaN(errors[2]));
  t.is(data.features.filter(value => !Number.isNaN(value)).length, 7);
  t.deepEqual([...data.group], [0, 0, 1, 1]);
  t.deepEqual([...data.second], [0, 90, 0, 90]);
  t.deepEqual([...data.labels], [1, 1, 0, UNKNOWN]);
  t.deepEqual([...data.secondsToFailure].slice(0, 3), [170, 80, Number.POSITIVE_INFINITY]);
  t.deepEqual(
    data.outputs.map(({name}) => name),
    ['disk'],
  );
  // A constant column is allowed, and said.
  t.regex(remarks.join('\n'), /The same in all rows.*cpu_utilisation_ratio\.level/);
  t.regex(remarks.join('\n'), /2 of \d+ features are there/);
});

test('a gzipped file gives the same rows', async t => {
  const plain = await readOwnRows(write(t, text()), COMPONENT_FAILURE);
  const zipped = await readOwnRows(write(t, gzipSync(text()), 'rows.csv.gz'), COMPONENT_FAILURE);
  t.deepEqual(zipped, plain);
});

test('the last fifth of the hosts judges, and no host is on both sides', async t => {
  const rows = Array.from({length: 10}, (_, host) => [
    `h${host},0,${host},0.1,${host % 2},${host % 2 === 1 ? 60 : ''}`,
    `h${host},90,${host},0.1,0,`,
  ]).flat();
  const {data} = await readOwnRows(write(t, text(rows)), COMPONENT_FAILURE);
  const [learned, judged] = splitHosts(data);
  t.deepEqual([learned.rows, judged.rows], [16, 4]);
  t.deepEqual([...new Set(judged.group)], [8, 9]);
  t.is(judged.features[featuresOf(data.contract).findIndex(({name}) => name === ERRORS)], 8);
});

type Refusal = {
  readonly title: string;
  readonly message: RegExp;
  readonly rows?: readonly string[];
  readonly header?: string;
  readonly family?: FailureFamily;
  readonly bytes?: Uint8Array;
  readonly name?: string;
};

const REFUSALS: readonly Refusal[] = [
  {
    title: 'a gzip that is cut off',
    bytes: gzipSync(text(Array.from({length: 500}, (_, at) => `h${at},0,${at},0.1,0,`))).subarray(
      0,
      700,
    ),
    name: 'rows.csv.gz',
    message: /cannot be read to its end/,
  },
  {
    title: 'a last line that is cut off',
    rows: [...ROWS, 'c,0,0.5'],
    message: /line 6 has 3 fields/,
  },
  {
    title: 'a column that is no feature',
    header: HEADER.replace(ERRORS, 'disk_errors'),
    message: /disk_errors is no feature and no label/,
  },
  {
    title: 'a column that is there twice',
    header: HEADER.replace('cpu_utilisation_ratio.level', ERRORS),
    message: /disk_errors_per_second\.level more than once/,
  },
  {
    title: 'no label',
    header: 'group,second,swap_used_ratio.level',
    rows: ['a,0,1'],
    message: /none of label_cpu/,
  },
  {
    title: 'labels of another family',
    family: COMPONENT_OUTLOOK,
    message: /label_disk is no feature and no label of component-outlook/,
  },
  {title: 'a label that is none', rows: ['a,0,1,1,yes,'], message: /label_disk of row 1 is "yes"/},
  {title: 'a label of 2', rows: ['a,0,1,1,2,'], message: /is "2", not 0, 1 or empty/},
  {title: 'a single class', rows: ['a,0,1,1,0,', 'b,0,1,1,0,'], message: /1 in 0 rows and 0 in 2/},
  {
    title: 'features without any value',
    rows: ['a,0,,,1,10', 'a,90,,,0,'],
    message: /none of its 2 features has a value/,
  },
  {title: 'a value that is no number', rows: ['a,0,much,1,0,'], message: /is "much", which is no/},
  {
    title: 'a host at one time twice',
    rows: ['a,0,1,1,0,', 'b,0,1,1,1,9', 'a,0,2,1,0,'],
    message: /row 3 is the second one of host a at 0 s/,
  },
  {title: 'half a second', rows: ['a,0.5,1,1,0,'], message: /second of row 1 is not a whole/},
  {
    title: 'a label that the time to the failure contradicts',
    rows: ['a,0,1,1,1,1801', 'a,1800,1,1,0,'],
    message: /label_disk of row 1 is 1, but the next failure is 1801 s away/,
  },
  {
    title: 'a label without a failure',
    rows: ['a,0,1,1,1,', 'a,90,1,1,0,'],
    message: /the next failure is Infinity s away/,
  },
  {
    title: 'a failure that nothing is labelled with',
    header:
      'group,second,swap_used_ratio.level,seconds_to_failure,label_cpu,label_memory,label_disk,label_network,label_power',
    rows: ['a,0,1,100,1,1,1,1,1', 'a,90,1,10,0,0,0,0,0'],
    message: /row 2 has a failure in 10 s, but every label of 1800 s is 0/,
  },
  {
    title: 'a failure of the past',
    rows: ['a,0,1,1,1,-5', 'a,90,1,1,0,'],
    message: /seconds_to_failure of row 1 is -5/,
  },
  {
    title: 'a failure after the host was last watched',
    rows: ['a,0,1,1,1,900', 'a,90,1,1,1,810', 'b,0,1,1,0,', 'b,3000,1,1,0,'],
    message: /row 1 knows of a failure 720 s after its host was last watched/,
  },
];

for (const {title, message, rows, header, family, bytes, name} of REFUSALS) {
  test(`refused: ${title}`, async t => {
    const path = write(t, bytes ?? text(rows, header), name);
    const error = await t.throwsAsync(readOwnRows(path, family ?? COMPONENT_FAILURE));
    t.true(isForestayError(error, 'TRAINING_DATA_INVALID'), String(error));
    t.regex((error as Error).message, message);
    t.regex((error as Error).message, /rows\.csv/);
  });
}
