import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {backtestDisk} from '../../models/backtest/disk.ts';
import {toRisk} from '../../models/backtest/disk-rarity.ts';
import {createUniform} from '../../models/random.ts';

const COUNTERS = ['smart_1', 'smart_5', 'smart_7', 'smart_197', 'smart_198'];
const COLUMNS = [
  ...['date', 'serial_number', 'model', 'has_1d_history', 'has_7d_history'],
  ...COUNTERS.flatMap(name =>
    ['', '_delta_1d', '_delta_7d', '_mean_7d', '_max_7d'].map(kind => `${name}_raw${kind}`),
  ),
];
const DAYS = 14;

type Row = Record<string, string>;
type Folder = {days: Row[]; labels: Row[]};

/**
 * Drives over two weeks: some with old defects that stay as they are, some sick ones whose sectors
 * go bad faster and faster until they fail, and healthy ones.
 */
function drawFolder(seed: number, drives: number, sick: number, prefix = 'D'): Folder {
  const random = createUniform(seed);
  const folder: Folder = {days: [], labels: []};
  for (let drive = 0; drive < drives; drive++) {
    const fails = drive < sick;
    const serial = `${prefix}${drive}`;
    const model = drive % 2 === 0 ? 'ST12000NM0008' : 'HGST HUH721212ALN604';
    const failsOn = fails ? 8 + Math.floor(random() * 7) : Number.POSITIVE_INFINITY;
    const old = random() < 0.1 ? Math.ceil(random() * 40) : 0;
    const seeks = model.startsWith('ST') ? Math.floor(random() * 2 ** 31) : 0;
    const badOn = (day: number) => {
      if (!fails || day < failsOn - 6) return old;
      return old + 4 ** (day - failsOn + 7);
    };
    for (let day = 0; day < Math.min(DAYS, failsOn); day++) {
      const date = `2026-03-${11 + day}`;
      const row = Object.fromEntries(COLUMNS.map(name => [name, '0']));
      const values = (kind: string, at: (past: number) => number) => {
        row[`${kind}_raw`] = String(at(day));
        row[`${kind}_raw_max_7d`] = String(at(day));
        row[`${kind}_raw_delta_1d`] = day >= 1 ? String(at(day) - at(day - 1)) : '';
        row[`${kind}_raw_delta_7d`] = day >= 7 ? String(at(day) - at(day - 7)) : '';
      };
      values('smart_5', badOn);
      values('smart_7', past => seeks + 1000 * past);
      folder.days.push({...row, date, serial_number: serial, model});
      const left = failsOn - day;
      folder.labels.push({
        ...{serial_number: serial, date, failure_next_7d: left <= 7 ? '1' : '0'},
        demo_category: fails ? 'failed' : 'normal_sample',
        failure_date: fails ? `2026-03-${11 + failsOn}` : '',
      });
    }
  }
  return folder;
}

const toCsv = (rows: readonly Row[]): string =>
  [Object.keys(rows[0] as Row).join(), ...rows.map(row => Object.values(row).join())].join('\n');

async function makeFolder(t: ExecutionContext, folder?: Partial<Folder>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'forestay-disk-'));
  t.teardown(() => rm(path, {recursive: true}));
  for (const [name, rows] of [
    ['drive_days', folder?.days],
    ['labels', folder?.labels],
  ] as const) {
    if (rows) await writeFile(join(path, `${name}.csv.gz`), gzipSync(toCsv(rows)));
  }
  return path;
}

/** Risks by "serial date", in the order of the file. */
async function run(
  t: ExecutionContext,
  data: string,
  options: {train?: string; seed?: number} = {},
): Promise<Map<string, number>> {
  const out = await makeFolder(t);
  const {train, seed = 1} = options;
  const {files} = await backtestDisk({data, out, train, seed, note: () => {}});
  t.deepEqual(files, ['pred.csv']);
  const [header, ...lines] = (await readFile(join(out, 'pred.csv'), 'utf8')).trim().split('\n');
  t.is(header, 'serial_number,date,risk');
  const fields = lines.map(line => line.split(','));
  return new Map(fields.map(([serial, date, risk]) => [`${serial} ${date}`, Number(risk)]));
}

const keyOf = ({serial_number: serial, date}: Row) => `${serial} ${date}`;

test('drives that go bad rank above those with old defects, and every row has a risk', async t => {
  const folder = drawFolder(1, 200, 12);
  const risks = await run(t, await makeFolder(t, folder));
  t.deepEqual([...risks.keys()], folder.days.map(keyOf));
  t.true([...risks.values()].every(risk => risk >= 0 && risk < 1));
  // On its last day each failing drive is above all healthy drive-days.
  const healthy = folder.labels.filter(row => row.demo_category === 'normal_sample').map(keyOf);
  const worst = Math.max(...healthy.map(key => risks.get(key) as number));
  for (let drive = 0; drive < 12; drive++) {
    const last = folder.days.findLast(row => row.serial_number === `D${drive}`) as Row;
    t.true((risks.get(keyOf(last)) as number) > worst);
  }
  // Old defects are something, but little.
  const [clean] = [...risks.values()].sort((a, b) => a - b);
  t.is(clean, 0);
});

test('however rare, nothing is written as certain', t => {
  const written = [0, 10, 80, 95, 1e6].map(rarity => toRisk(rarity).toPrecision(9));
  t.deepEqual(written, ['0.00000000', '0.900000000', '0.999999990', '0.999999999', '0.999999999']);
});

test('what a drive came to has no part in its own risk', async t => {
  const folder = drawFolder(2, 60, 6);
  const before = await run(t, await makeFolder(t, folder));
  const changed = folder.labels.map(row =>
    row.serial_number === 'D1'
      ? {...row, failure_next_7d: '0', failure_date: '', demo_category: 'normal_sample'}
      : row,
  );
  const after = await run(t, await makeFolder(t, {...folder, labels: changed}));
  const others = new Set<string>();
  for (const [key, risk] of after) {
    if (key.startsWith('D1 ')) t.is(risk, before.get(key) as number);
    else if (risk !== before.get(key)) others.add(key);
  }
  t.true(others.size > 0, 'others learn from it');
});

test('with other recordings the labels of the scored drives are not opened', async t => {
  const data = await makeFolder(t, {days: drawFolder(3, 40, 4).days});
  await writeFile(join(data, 'labels.csv.gz'), 'not even gzip');
  const train = await makeFolder(t, drawFolder(4, 100, 5, 'T'));
  const risks = await run(t, data, {train});
  t.true((risks.get('D1 2026-03-18') as number) > 0);
});

test('drives that are scored are dropped from the recordings to learn from', async t => {
  const data = drawFolder(5, 40, 4);
  const past = drawFolder(6, 100, 5, 'T');
  const both = {days: [...past.days, ...data.days], labels: [...past.labels, ...data.labels]};
  const folder = await makeFolder(t, {days: data.days});
  const alone = await run(t, folder, {train: await makeFolder(t, past)});
  t.deepEqual(await run(t, folder, {train: await makeFolder(t, both)}), alone);
  const error = await t.throwsAsync(run(t, folder, {train: await makeFolder(t, data)}));
  t.like(error, {code: 'TRAINING_DATA_INVALID'});
});

test('a row is scored without the days after it', async t => {
  const data = drawFolder(7, 40, 4);
  const train = await makeFolder(t, drawFolder(8, 100, 5, 'T'));
  const all = await run(t, await makeFolder(t, {days: data.days}), {train});
  const early = data.days.filter(row => (row.date as string) < '2026-03-19');
  for (const [key, risk] of await run(t, await makeFolder(t, {days: early}), {train})) {
    t.is(risk, all.get(key) as number);
  }
});

test('the same seed gives the same folds, another seed others', async t => {
  const folder = await makeFolder(t, drawFolder(9, 60, 6));
  const first = await run(t, folder);
  t.deepEqual(await run(t, folder), first);
  t.notDeepEqual(await run(t, folder, {seed: 2}), first);
});

test('a drive model that nobody has seen is compared with all', async t => {
  const data = drawFolder(10, 20, 4);
  const days = data.days.map(row => ({...row, model: 'WDC WUH721816ALE6L4'}));
  const train = await makeFolder(t, drawFolder(11, 100, 5, 'T'));
  const risks = await run(t, await makeFolder(t, {days}), {train});
  const last = data.days.findLast(row => row.serial_number === 'D1') as Row;
  const healthy = [...risks].filter(([key]) => Number(key.slice(1, key.indexOf(' '))) >= 4);
  t.true((risks.get(keyOf(last)) as number) > Math.max(...healthy.map(([, risk]) => risk)));
});

test('columns that are constant or empty say nothing; no failure at all is no obstacle', async t => {
  const folder = drawFolder(12, 40, 0);
  const days = folder.days.map(row =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        name.includes('_raw') ? (name.startsWith('smart_5') ? '' : '3') : value,
      ]),
    ),
  );
  const risks = await run(t, await makeFolder(t, {...folder, days}));
  t.true([...risks.values()].every(risk => risk === 0));
});

/** Drive-days with old defects among those that {@link risksOf} learns from. */
const OLD = new Set(
  drawFolder(15, 100, 0, 'T').days.flatMap(row => (row.smart_5_raw === '0' ? [] : [keyOf(row)])),
);

/** Risks of single drives, each on one day, against 100 drives of the same model. */
async function risksOf(
  t: ExecutionContext,
  drives: readonly Row[],
  past: (labels: Row[]) => Row[] = labels => labels,
): Promise<number[]> {
  const train = drawFolder(15, 100, 0, 'T');
  const blank = Object.fromEntries(COLUMNS.map(name => [name, '0']));
  const days = drives.map((row, index) => ({
    ...{...blank, model: 'ST12000NM0008', date: '2026-03-18', serial_number: `S${index}`},
    ...row,
  }));
  const folder = await makeFolder(t, {days});
  const labelled = {...train, labels: past(train.labels)};
  return [...(await run(t, folder, {train: await makeFolder(t, labelled)})).values()];
}

test('what was added today counts beside what a week added; what fell does not count', async t => {
  const week = {smart_197_raw_max_7d: '9', smart_197_raw_delta_7d: '9'};
  const [grew, today, fell, stood] = await risksOf(t, [
    week,
    {...week, smart_197_raw_delta_1d: '9'},
    {smart_197_raw_max_7d: '9', smart_197_raw_delta_7d: '-9', smart_197_raw_delta_1d: '-9'},
    {smart_197_raw_max_7d: '9'},
  ]);
  t.true((today as number) > (grew as number));
  t.true((grew as number) > (stood as number));
  t.is(fell, stood as number);
});

test('seeks of a Seagate drive are no errors; what is above their 32 bits is', async t => {
  const [many, errors] = await risksOf(t, [
    {smart_7_raw_max_7d: '4294967295', smart_1_raw_max_7d: '200000000'},
    {smart_7_raw_max_7d: '12884901888'},
  ]);
  t.is(many, 0);
  t.true((errors as number) > 0);
});

test('a drive that came back after its failure is no example of health; dates may be missing', async t => {
  const drive = {smart_5_raw_max_7d: '1'};
  const [before] = await risksOf(t, [drive]);
  const [without] = await risksOf(t, [drive], labels =>
    labels.map(({failure_date: _, ...row}) => row as Row),
  );
  t.is(without, before as number);
  // Its old defects no longer count as something that healthy drives have.
  const [after] = await risksOf(t, [drive], labels =>
    labels.map(row => (OLD.has(keyOf(row)) ? {...row, failure_date: '2026-03-01'} : row)),
  );
  t.true((after as number) > (before as number));
});

test('drives that were sampled stand for many, so what others show is rarer than it looks', async t => {
  const drive = {smart_5_raw_max_7d: '1'};
  const [asSampled] = await risksOf(t, [drive]);
  const [asSelected] = await risksOf(t, [drive], labels =>
    labels.map(row => (OLD.has(keyOf(row)) ? {...row, demo_category: 'alerted'} : row)),
  );
  t.true((asSelected as number) > (asSampled as number));
});

const replaced = (rows: readonly Row[], at: number, change: Row): Row[] =>
  rows.map((row, index) => (index === at ? {...row, ...change} : row));

const FAULTS: readonly {name: string; says: RegExp; spoil: (folder: Folder) => Partial<Folder>}[] =
  [
    {
      name: 'a column is missing',
      says: /no column smart_5_raw_max_7d/,
      spoil: ({days, labels}) => ({
        days: days.map(({smart_5_raw_max_7d: _, ...row}) => row) as Row[],
        labels,
      }),
    },
    {
      name: 'columns are interchanged',
      says: /row 1 of smart_5_raw_max_7d is "ST12000NM0008", which is no number/,
      spoil: ({days, labels}) => ({
        days: days.map(row => ({
          ...row,
          ...{model: row.smart_5_raw_max_7d as string, smart_5_raw_max_7d: row.model as string},
        })),
        labels,
      }),
    },
    {
      name: 'a day is there twice',
      says: /D0 on 2026-03-11 twice/,
      spoil: ({days, labels}) => ({days: [...days, days[0] as Row], labels}),
    },
    {
      name: 'a label is there twice',
      says: /labels.*D0 on 2026-03-11 twice/,
      spoil: ({days, labels}) => ({days, labels: [...labels, labels[0] as Row]}),
    },
    {
      name: 'a date is none',
      says: /row 3 has "yesterday" for a date/,
      spoil: ({days, labels}) => ({days: replaced(days, 2, {date: 'yesterday'}), labels}),
    },
    {
      name: 'a serial number is empty',
      says: /row 3 has no serial_number/,
      spoil: ({days, labels}) => ({days: replaced(days, 2, {serial_number: ''}), labels}),
    },
    {
      name: 'a label is missing',
      says: /no label of D0 on 2026-03-11/,
      spoil: ({days, labels}) => ({days, labels: labels.slice(1)}),
    },
    {
      name: 'a label is neither 0 nor 1',
      says: /label "yes", not 0 or 1/,
      spoil: ({days, labels}) => ({days, labels: replaced(labels, 0, {failure_next_7d: 'yes'})}),
    },
    {
      name: 'a label knows a failure that is farther away than a week',
      says: /has label 1, but its failure_date is 50 days later/,
      spoil: ({days, labels}) => ({
        days,
        labels: replaced(labels, 0, {failure_next_7d: '1', failure_date: '2026-04-30'}),
      }),
    },
    {
      name: 'a label knows nothing of a failure that is near',
      says: /has label 0, but its failure_date is 3 days later/,
      spoil: ({days, labels}) => ({
        days,
        labels: replaced(labels, 0, {failure_next_7d: '0', failure_date: '2026-03-14'}),
      }),
    },
    {
      name: 'a failure has no date',
      says: /has label 1, but its failure_date is empty/,
      spoil: ({days, labels}) => ({
        days,
        labels: replaced(labels, 0, {failure_next_7d: '1', failure_date: ''}),
      }),
    },
    {
      name: 'no drive is healthy',
      says: /none is of a healthy drive/,
      spoil: ({days, labels}) => ({
        days,
        labels: labels.map(row => ({...row, failure_next_7d: '1', failure_date: '2026-03-25'})),
      }),
    },
    {
      name: 'there is one drive alone',
      says: /1 drive and no other/,
      spoil: ({days, labels}) => ({
        days: days.filter(row => row.serial_number === 'D5'),
        labels,
      }),
    },
    {name: 'there are no labels', says: /labels\.csv/, spoil: ({days}) => ({days})},
  ];

for (const {name, says, spoil} of FAULTS) {
  test(`refused: ${name}`, async t => {
    const folder = drawFolder(13, 30, 2);
    // Every day is within a week of 2026-03-25 only from the 18th on.
    const late = (rows: Row[]) => rows.filter(row => (row.date as string) >= '2026-03-18');
    const whole =
      name === 'no drive is healthy'
        ? {days: late(folder.days), labels: late(folder.labels)}
        : folder;
    const data = await makeFolder(t, spoil(whole));
    const error = await t.throwsAsync(run(t, data));
    t.like(error, {code: 'TRAINING_DATA_INVALID'});
    t.regex(error?.message ?? '', says);
  });
}

test('refused: a file that is cut off', async t => {
  const data = await makeFolder(t, drawFolder(14, 30, 2));
  const file = join(data, 'drive_days.csv.gz');
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, bytes.length - 100));
  const error = await t.throwsAsync(run(t, data));
  t.like(error, {code: 'TRAINING_DATA_INVALID'});
});
