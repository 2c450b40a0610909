import test from 'ava';
import {FleetWatch, type HostAnomaly} from '../../core/domain/anomaly/fleet-watch.ts';
import {createFleet, type FleetOptions, START_MS} from './minute-rows.ts';

const LATENCY = 2;
const DAY_MINUTES = 1440;

/** What a watch says of each minute of a fleet. */
function watchFleet(minutes: number, options: FleetOptions = {}, oddMinutesPerHostDay = 5) {
  const watch = new FleetWatch({oddMinutesPerHostDay});
  const fleet = createFleet(options);
  let learned = 0;
  const said: (readonly HostAnomaly[])[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    const report = watch.observe(fleet.next());
    said.push(report.anomalies);
    learned += report.learned;
  }
  return {watch, said, learned};
}

const of = (anomalies: readonly HostAnomaly[] | undefined, host: string) =>
  anomalies?.find(anomaly => anomaly.host === host);

test('healthy hosts are odd about as often as the setting says', t => {
  const {said} = watchFleet(3 * DAY_MINUTES, {seed: 5});
  const judged = said.flat().filter(({score}) => !Number.isNaN(score));
  const perDay = (judged.filter(({isOdd}) => isOdd).length / judged.length) * DAY_MINUTES;
  t.log(`${perDay.toFixed(2)} minutes a host and day, 5 were asked for`);
  // The bound: within a factor of three either way, over three days of twelve hosts.
  t.true(perDay > 5 / 3 && perDay < 5 * 3);
});

test('an incident on one host is found in it alone, with its metric, value and usual value', t => {
  const {said} = watchFleet(400, {
    change: (row, host, minute) =>
      host === 7 && minute >= 380 ? row.with(LATENCY, (row[LATENCY] as number) + 0.02) : row,
  });
  const last = said.at(-1);
  const found = of(last, 'h7');
  t.true(found?.isOdd);
  t.true((found?.score ?? 0) >= (found?.threshold ?? Number.NaN));
  const [first] = found?.metrics ?? [];
  t.is(first?.metric, 'disk_latency_seconds');
  t.true(Math.abs((first?.value ?? 0) - 0.025) < 0.003);
  t.true(Math.abs((first?.usual ?? 0) - 0.005) < 0.001);
  t.true((found?.metrics.length ?? 0) <= 3);
  t.deepEqual(
    last?.filter(({isOdd}) => isOdd).map(({host}) => host),
    ['h7'],
  );
  t.deepEqual(of(last, 'h1')?.metrics, []);
  t.is(found?.rackOddRatio, 1 / 4);
  t.is(of(last, 'h4')?.rackOddRatio, 1 / 4);
  t.is(of(last, 'h0')?.rackOddRatio, 0);
});

test('what hosts do at the same time as ever, but not together, is odd', t => {
  // Hot without load: each value is one that is seen every hour.
  const {said} = watchFleet(2000, {
    change: (row, host, minute) =>
      host === 3 && minute >= 1980 ? row.with(0, 0.33).with(3, 62) : row,
  });
  t.true(of(said.at(-1), 'h3')?.isOdd);
});

test('with too few rows it says how many there are, and nothing else', t => {
  const {said, learned} = watchFleet(60, {hosts: 4});
  t.is(learned, 0);
  for (const [minute, anomalies] of said.entries()) {
    for (const {score, isOdd, learnedRows, neededRows, rackOddRatio} of anomalies) {
      t.is(score, Number.NaN);
      t.false(isOdd);
      t.is(neededRows, 1150);
      t.true(learnedRows > 4 * minute && learnedRows <= 4 * (minute + 1));
      t.is(rackOddRatio, Number.NaN);
    }
  }
});

test('a large fleet is not judged by its first minutes', t => {
  const {said, learned} = watchFleet(29, {hosts: 400});
  t.is(learned, 0);
  t.true(said.flat().every(({score}) => Number.isNaN(score)));
});

test('hosts of a cell that is too small are judged by what all do', t => {
  const {said} = watchFleet(120, {hosts: 12, cells: 6});
  t.true(said.at(-1)?.every(({score, learnedRows}) => score > 0 && learnedRows >= 1150));
});

test('fleets that live at different times do not teach each other', t => {
  const watch = new FleetWatch({oddMinutesPerHostDay: 5});
  const [live, simulated] = [createFleet({hosts: 10}), createFleet({hosts: 10, seed: 2})];
  const yearMs = 365 * DAY_MINUTES * 60_000;
  let last: readonly HostAnomaly[] = [];
  for (let minute = 0; minute < 80; minute++) {
    watch.observe(live.next());
    const rows = simulated.next();
    last = watch.observe({
      ...rows,
      timeBase: 'simulated',
      cells: rows.cells.map(cell => `simulated-${cell}`),
      atMs: rows.atMs.map(atMs => atMs - yearMs),
    }).anomalies;
  }
  t.true(last.every(({score, learnedRows}) => Number.isNaN(score) && learnedRows === 800));
});

test('a metric that a host stops to measure is not odd, nor one that it never had', t => {
  const {said} = watchFleet(400, {
    change: (row, host, minute) => {
      if (host === 2) return row.with(3, Number.NaN);
      return host === 5 && minute >= 350 ? row.with(LATENCY, Number.NaN).with(0, Number.NaN) : row;
    },
  });
  for (const anomalies of said.slice(380)) {
    t.false(of(anomalies, 'h5')?.isOdd);
    t.false(of(anomalies, 'h2')?.isOdd);
  }
  t.true((of(said.at(-1), 'h2')?.score ?? 0) > 0);
});

test('a host that leaves is forgotten, and one that comes back begins anew', t => {
  const {watch, said} = watchFleet(300, {
    change: (row, host, minute) =>
      (host === 1 && minute >= 200) || (host === 2 && minute >= 200 && minute < 280)
        ? undefined
        : row,
  });
  t.is(watch.hosts, 11);
  t.is(of(said.at(-1), 'h1'), undefined);
  t.true((of(said.at(-1), 'h2')?.score ?? 0) > 0);
});

test('a row that is not newer, and one without any value, get no answer', t => {
  const watch = new FleetWatch({oddMinutesPerHostDay: 1});
  const rows = createFleet({hosts: 2}).next();
  t.is(watch.observe(rows).anomalies.length, 2);
  t.is(watch.observe(rows).anomalies.length, 0);
  const later = new Float64Array(2).fill(START_MS + 60_000);
  const empty = {...rows, atMs: later, values: rows.values.map(() => Number.NaN)};
  t.is(watch.observe(empty).anomalies.length, 0);
  t.is(watch.hosts, 2);
});

test('an incident does not teach that it is usual, a change of all hosts does', t => {
  const change =
    (affected: number): NonNullable<FleetOptions['change']> =>
    (row, host, minute) =>
      host < affected && minute >= 400 ? row.with(3, (row[3] as number) + 40) : row;
  const one = watchFleet(640, {change: change(1)});
  t.true(of(one.said.at(-1), 'h0')?.isOdd, 'after four hours');
  const all = watchFleet(400 + 2 * DAY_MINUTES, {change: change(12)});
  t.true((all.said.at(-1)?.filter(({isOdd}) => isOdd).length ?? 12) <= 1, 'after two days');
});

test('equal rows give equal answers, whatever is watched beside them', t => {
  const twice = [watchFleet(150, {seed: 9}), watchFleet(150, {seed: 9})];
  t.deepEqual(twice[0]?.said, twice[1]?.said);
});

test('a metric that was never seen makes another kind of a host, and of two sets two', t => {
  const watch = new FleetWatch({oddMinutesPerHostDay: 1});
  const fleet = createFleet({hosts: 1});
  for (let minute = 0; minute < 10; minute++) {
    const rows = fleet.next();
    const isFirst = minute < 5;
    const values = rows.values.map((value, at) => (isFirst && at === 3 ? Number.NaN : value));
    const [anomaly] = watch.observe({...rows, values}).anomalies;
    // Its own kind begins again; all hosts together have all rows.
    t.is(anomaly?.learnedRows, minute + 1);
  }
  const rows = fleet.next();
  const fewer = {...rows, columns: rows.columns.slice(0, 4), values: rows.values.slice(0, 4)};
  t.is(watch.observe(fewer).anomalies[0]?.learnedRows, 1);
});
