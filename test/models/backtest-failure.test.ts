import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {backtestFailure} from '../../models/backtest/failure.ts';
import {readTable} from '../../models/data/table.ts';
import {rocAuc} from '../../models/metrics.ts';
import {createUniform} from '../../models/random.ts';

const DAY = 1440;
const RECORDED = fileURLToPath(new URL('data/lanl', import.meta.url));
const NODES = 'system,node,nodes_in_system,decom\n';
const EVENTS = 'system,node,start_min,down_min,class,cause\n';
const CRASHES = ['cpu', 'memory', 'disk', 'software', 'network', 'unknown'];

type Event = {system: string; node: number; start: number; down: number | ''; class: string};

/** Two and a half years of a system some of whose hosts fail far more often than the others. */
function draw(system: string, seed: number, hosts = 12, count = 260): Event[] {
  const random = createUniform(seed);
  const pick = (below: number) => Math.floor(random() * below);
  return Array.from({length: count}, () => {
    const planned = random() < 0.15;
    return {
      system,
      node: random() < 0.6 ? pick(3) : pick(hosts),
      start: planned ? pick(130) * 7 * DAY + 700 : pick(910 * DAY),
      down: pick(5000),
      class: planned ? 'planned' : (CRASHES[pick(CRASHES.length)] as string),
    };
  });
}

const toEvents = (events: readonly Event[]) =>
  EVENTS +
  events.map(e => `${e.system},${e.node},${e.start},${e.down},${e.class},"a, b"\n`).join('');

const toNodes = (sizes: Readonly<Record<string, number>>, decom = 'current') =>
  NODES +
  Object.entries(sizes)
    .map(([name, hosts]) => `${name},0,${hosts},${decom}\n`)
    .join('');

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'forestay-failure-'));
  t.teardown(() => rm(path, {recursive: true}));
  return path;
}

async function save(t: ExecutionContext, events: string | Uint8Array, nodes: string) {
  const data = await folder(t);
  await writeFile(
    join(data, 'events.csv.gz'),
    typeof events === 'string' ? gzipSync(events) : events,
  );
  await writeFile(join(data, 'nodes.csv'), nodes);
  return data;
}

async function run(t: ExecutionContext, data: string, train?: string, learning = true) {
  const out = await folder(t);
  const report = await backtestFailure({data, out, train, seed: 1, learning, note: () => {}});
  const read = (name: string) => readFile(join(out, name), 'utf8');
  return {report, out, weekly: await read('weekly.csv'), daily: await read('daily.csv')};
}

/** Lines by system, node and time. */
const byKey = (csv: string) =>
  new Map(
    csv
      .trimEnd()
      .split('\n')
      .slice(1)
      .map(line => [line.split(',', 3).join(), line] as const),
  );

/** Area under the curve of `any`, of labels taken straight from the events. */
async function aucOf(out: string, events: readonly Event[], system: string): Promise<number> {
  const table = await readTable(join(out, 'weekly.csv'));
  const [node, at, any] = ['node', 't', 'any'].map(name => table.numbers(name));
  const rows = [...table.texts('system').keys()].filter(
    row => table.texts('system')[row] === system,
  );
  const of = (values: Float64Array | undefined, row: number) => values?.[row] as number;
  const labels = rows.map(row =>
    events.some(
      e =>
        e.system === system &&
        e.class !== 'planned' &&
        e.node === of(node, row) &&
        e.start > of(at, row) &&
        e.start <= of(at, row) + 7 * DAY,
    ),
  );
  return rocAuc(
    rows.map(row => of(any, row)),
    Uint8Array.from(labels, Number),
  );
}

test('every host has a row at every time that is judged, in the columns that are read', async t => {
  const a = draw('a', 1);
  // Fewer outages than are judged week by week, but planned ones enough to be judged by day.
  const b = draw('b', 2, 4, 150);
  const {report, weekly, daily} = await run(
    t,
    await save(t, toEvents([...a, ...b]), toNodes({a: 14, b: 2})),
  );
  const times = (events: readonly Event[], minute: number, step: number) => {
    const starts = events.map(({start}) => start).sort((x, y) => x - y);
    const list: number[] = [];
    const first = Math.floor(((starts[0] as number) + 180 * DAY) / DAY) * DAY + DAY + minute;
    for (let at = first; at < (starts.at(-1) as number) - 7 * DAY; at += step * DAY) list.push(at);
    return list;
  };
  const keys = (name: string, hosts: number, at: readonly number[]) =>
    at.flatMap(each => Array.from({length: hosts}, (_, host) => `${name},${host},${each}`));
  t.deepEqual([...byKey(weekly).keys()], keys('a', 14, times(a, 480, 7)));
  t.deepEqual(
    [...byKey(daily).keys()],
    [...keys('a', 14, times(a, 0, 1)), ...keys('b', 4, times(b, 0, 1))],
  );
  t.true(weekly.startsWith('system,node,t,any,cpu,memory,disk,power,network,software\n'));
  t.true(daily.startsWith('system,node,t,normal,planned,crash\n'));
  t.deepEqual(report.files, ['weekly.csv', 'daily.csv']);
  t.is(report.rows, byKey(weekly).size + byKey(daily).size);
  for (const line of [...byKey(weekly).values(), ...byKey(daily).values()]) {
    const risks = line.split(',').slice(3).map(Number);
    t.true(
      risks.every(risk => risk >= 0 && risk < 1),
      line,
    );
    if (risks.length === 3) t.true(Math.abs(risks.reduce((x, y) => x + y) - 1) < 1e-6, line);
  }
});

test('a system that is predicted teaches nothing, also if it lies among the teachers', async t => {
  const own = await save(t, toEvents(draw('a', 6)), toNodes({a: 12}));
  const both = await save(t, toEvents([...draw('a', 6), ...draw('z', 5)]), toNodes({a: 12, z: 12}));
  const other = await save(t, toEvents(draw('z', 5)), toNodes({z: 12}));
  const alone = await run(t, own);
  t.is((await run(t, own, own)).weekly, alone.weekly, 'of itself it learns nothing');
  const taught = await run(t, own, other);
  t.not(taught.weekly, alone.weekly);
  t.is((await run(t, own, both)).weekly, taught.weekly);
});

test('nothing that happens after a row changes it', async t => {
  const train = await save(t, toEvents(draw('z', 5)), toNodes({z: 12}));
  const all = draw('a', 6, 12, 420);
  const cutAt = 500 * DAY;
  // A downtime that began before is still open there, and lasts longer in another future.
  const before = all.filter(({start}) => start <= cutAt);
  const other = draw('a', 7, 12, 300).filter(({start}) => start > cutAt);
  const lasting = before.map(event =>
    event.start + Number(event.down) > cutAt ? {...event, down: 900_000} : event,
  );
  const open = {system: 'a', node: 4, start: cutAt - 100, class: 'disk'};
  const nodes = toNodes({a: 12});
  const here = await run(t, await save(t, toEvents([...all, {...open, down: 300}]), nodes), train);
  const there = await run(
    t,
    await save(t, toEvents([...lasting, {...open, down: 90_000}, ...other]), nodes),
    train,
  );
  for (const name of ['weekly', 'daily'] as const) {
    const [one, two] = [byKey(here[name]), byKey(there[name])];
    const shared = [...one].filter(([key]) => Number(key.split(',')[2]) <= cutAt);
    t.true(shared.length > 400, `${shared.length}`);
    t.deepEqual(
      shared.filter(([key, line]) => two.get(key) !== line),
      [],
    );
    const after = [...one].filter(([key]) => Number(key.split(',')[2]) > cutAt && two.has(key));
    t.true(after.some(([key, line]) => two.get(key) !== line));
  }
});

test('a system is told beforehand what the others teach, never what it does itself', async t => {
  const [a, b] = [draw('a', 8), draw('b', 9)];
  const together = await run(t, await save(t, toEvents([...a, ...b]), toNodes({a: 12, b: 12})));
  const apart = await run(
    t,
    await save(t, toEvents(a), toNodes({a: 12})),
    await save(t, toEvents(b), toNodes({b: 12})),
  );
  const ofA = [...byKey(together.weekly)].filter(([key]) => key.startsWith('a,'));
  const alone = byKey(apart.weekly);
  t.is(ofA.length, alone.size);
  // The fit of all but one starts from the fit of all: the same maximum, up to the last digits.
  for (const [key, line] of ofA) {
    const risks = (text: string) => text.split(',').slice(3).map(Number);
    const other = risks(alone.get(key) as string);
    t.true(
      risks(line).every((risk, i) => Math.abs(risk / (other[i] as number) - 1) < 0.01),
      key,
    );
  }
});

test('the order of events, and all of nodes.csv but the size, do not matter', async t => {
  const events = [...draw('a', 10), ...draw('b', 11, 3, 40)];
  // Twice the same, and others at the very same time.
  events.push(events[5] as Event, {...(events[7] as Event), class: 'power', node: 11});
  const one = await run(t, await save(t, toEvents(events), toNodes({a: 12, b: 3})));
  const random = createUniform(1);
  const shuffled = events.map(event => ({event, at: random()})).sort((x, y) => x.at - y.at);
  const two = await run(
    t,
    await save(t, toEvents(shuffled.map(({event}) => event)), toNodes({a: 12, b: 3}, 'Jan-04')),
  );
  t.is(two.weekly, one.weekly);
  t.is(two.daily, one.daily);
});

test('a single system begins with the simple method and learns which hosts fail', async t => {
  const events = draw('a', 12, 12, 500);
  const {out} = await run(t, await save(t, toEvents(events), toNodes({a: 12})));
  const auc = await aucOf(out, events, 'a');
  t.true(auc > 0.7, `${auc}`);
});

test('a single host, outages of one class only, and downtimes that nobody wrote down are predicted', async t => {
  const one = draw('a', 13, 1, 240).map(event => ({...event, node: 0, class: 'cpu'}));
  const two = draw('b', 14, 5, 220).map(event => ({...event, class: 'planned', down: '' as const}));
  const {weekly, daily} = await run(
    t,
    await save(t, toEvents([...one, ...two]), toNodes({a: 1, b: 5})),
  );
  const risks = [...byKey(weekly).values(), ...byKey(daily).values()].flatMap(line =>
    line.split(',').slice(3).map(Number),
  );
  t.true(risks.length > 1000 && risks.every(risk => risk >= 0 && risk < 1));
});

const good = toEvents(draw('a', 15));
const withRow = (row: string) => `${good}${row}\n`;
const refused: [what: string, events: string | Uint8Array, nodes: string, says: RegExp][] = [
  ['events that are cut off', gzipSync(good).subarray(0, 2000), toNodes({a: 12}), /to its end/],
  [
    'columns that are mislabelled',
    good.replace('down_min,class', 'class,down_min'),
    toNodes({a: 12}),
    /down_min is ".*", which is no number/,
  ],
  ['a column that is missing', good.replace('node,', 'host,'), toNodes({a: 12}), /no column node/],
  ['a class that is none', withRow('a,1,5,5,gpu,x'), toNodes({a: 12}), /class "gpu" is none of/],
  ['a negative downtime', withRow('a,1,5,-5,cpu,x'), toNodes({a: 12}), /down_min -5/],
  ['a node that is no number of one', withRow('a,1.5,5,5,cpu,x'), toNodes({a: 12}), /node 1.5/],
  ['an outage without a time', withRow('a,1,,5,cpu,x'), toNodes({a: 12}), /start_min NaN/],
  [
    'an outage in seconds since 1970',
    withRow('a,1,1100000000,5,cpu,x'),
    toNodes({a: 12}),
    /start_min 1100000000 is no time/,
  ],
  ['a system without a size', withRow('q,1,5,5,cpu,x'), toNodes({a: 12}), /"q" is not in nodes/],
  ['a size that is none', good, toNodes({a: 0}), /nodes_in_system 0/],
  ['outages too few to judge', toEvents(draw('a', 1, 3, 9)), toNodes({a: 3}), /none of its 1/],
];
for (const [what, events, nodes, says] of refused) {
  test(`refused: ${what}`, async t => {
    const data = await save(t, events, nodes);
    const error = await t.throwsAsync(run(t, data));
    t.true(isForestayError(error, 'TRAINING_DATA_INVALID'), `${error}`);
    t.regex((error as Error).message, says);
  });
}

test('files without a row are named, and why they have none', async t => {
  const backtest = async (events: readonly Event[]) => {
    const notes: string[] = [];
    const data = await save(t, toEvents(events), toNodes({a: 12}));
    const note = (line: string) => notes.push(line);
    const options = {data, out: await folder(t), train: undefined, seed: 1, note};
    const {empty, rows} = await backtestFailure(options);
    return {empty, rows, told: notes.filter(line => /no rows/.test(line))};
  };
  const short = await backtest(draw('a', 1).map(event => ({...event, start: event.start / 8})));
  t.like(short, {empty: ['weekly.csv', 'daily.csv'], rows: 0});
  t.regex(
    short.told.join(),
    /weekly.csv has no rows: too short a time was recorded of its 1 systems/,
  );
  const few = await backtest(draw('a', 1, 12, 150));
  t.deepEqual(few.empty, ['weekly.csv']);
  t.true(few.rows > 0);
  t.deepEqual(few.told, [
    'weekly.csv has no rows: no system has outages enough to be judged by it',
  ]);
  t.is((await backtest(draw('a', 1))).empty, undefined);
});

/** Log-loss below that of base rates, as a share of it, on the recorded outages of two clusters. */
async function gainsOf({weekly, daily}: {weekly: string; daily: string}) {
  const table = await readTable(join(RECORDED, 'events.csv.gz'));
  const starts = table.numbers('start_min');
  const nodes = table.numbers('node');
  const events = table.texts('system').map((system, row) => ({
    key: `${system},${nodes[row]}`,
    start: starts[row] as number,
    planned: table.texts('class')[row] === 'planned',
  }));
  events.sort((a, b) => a.start - b.start);
  const first = (key: string, days: number) => {
    const [system, node, at] = key.split(',') as [string, string, string];
    return events.filter(
      event =>
        event.key === `${system},${node}` &&
        event.start > Number(at) &&
        event.start <= Number(at) + days * DAY,
    );
  };
  // Of the class that came true; of its share of all rows in hindsight.
  const gain = (rows: {risk: readonly number[]; hit: number}[]) => {
    const shares = rows[0]?.risk.map((_, c) => rows.filter(({hit}) => hit === c).length);
    const sum = rows.reduce((total, {risk, hit}) => total - Math.log(risk[hit] as number), 0);
    const base = rows.reduce(
      (total, {hit}) => total - Math.log((shares?.[hit] as number) / rows.length),
      0,
    );
    return 1 - sum / base;
  };
  const weeks = [...byKey(weekly)].map(([key, line]) => {
    const any = Number(line.split(',')[3]);
    return {risk: [1 - any, any], hit: Number(first(key, 7).some(({planned}) => !planned))};
  });
  const days = [...byKey(daily)].map(([key, line]) => {
    const [event] = first(key, 1);
    return {
      risk: line.split(',').slice(3).map(Number),
      hit: event === undefined ? 0 : event.planned ? 1 : 2,
    };
  });
  return {rows: weeks.length + days.length, weekly: gain(weeks), daily: gain(days)};
}

test('recorded outages are foretold better than by base rates, and better by what is learned online', async t => {
  const learned = await gainsOf(await run(t, RECORDED));
  const told = await gainsOf(await run(t, RECORDED, undefined, false));
  t.is(learned.rows, 17_600);
  t.log(`log-loss below that of base rates: weekly ${learned.weekly}, daily ${learned.daily}`);
  t.log(`without learning online: weekly ${told.weekly}, daily ${told.daily}`);
  t.true(learned.weekly > 0.05, `weekly ${learned.weekly}`);
  t.true(learned.daily > 0.1, `daily ${learned.daily}`);
  t.true(learned.weekly > told.weekly && learned.daily > told.daily);
});
