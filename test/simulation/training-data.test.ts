import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {COMPONENT_CONTRACT, FIRST_HOST_CONTRACT, featuresOf} from '../../core/domain/features.ts';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {
  type ComponentRows,
  createRowTaking,
  simulateComponentDataset,
} from '../../core/simulation/component-dataset.ts';
import {type IntentSequences, simulateIntentDataset} from '../../core/simulation/intent-dataset.ts';
import {DOWN_CAUSES, UNKNOWN} from '../../core/simulation/outcomes.ts';
import {simulateSlowDataset} from '../../core/simulation/slow-dataset.ts';
import {createTrainingFleet} from '../../core/simulation/training-fleet.ts';
import {median} from './intent-support.ts';
import {HOUR_MS} from './support.ts';

const SEED = 77;
const small = {hosts: 12, vms: 60};
const intents = [
  ...simulateIntentDataset({
    ...small,
    random: seededRandom(SEED),
    fleets: 8,
    minutesEach: 60,
    rateFactor: 2,
  }),
];
const fast = await Array.fromAsync(
  simulateComponentDataset({
    ...small,
    random: seededRandom(SEED),
    fleets: 3,
    minutesEach: 60,
    rowEverySeconds: 60,
    rateFactor: 2,
  }),
);
const slow = await Array.fromAsync(
  simulateSlowDataset({
    ...small,
    random: seededRandom(SEED),
    fleets: 4,
    daysEach: 42,
    rateFactor: 4,
    faults: ['dimm', 'nic', 'disk'],
    maskedShare: 0,
  }),
);

const bytes = ({buffer, byteOffset, byteLength}: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
async function firstOf(fleets: AsyncIterable<ComponentRows>): Promise<ComponentRows> {
  for await (const fleet of fleets) return fleet;
  throw new Error('no fleet');
}
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test('sequences have a row every ten seconds, from a boot to whatever ended that life', t => {
  t.log(`seed ${SEED}`);
  let ended = 0;
  for (const [fleet, data] of intents.entries()) {
    t.is(data.columns, INTENT_INPUTS.length);
    t.is(data.features.length, data.rows * data.columns);
    t.is(data.starts.at(-1), data.rows);
    t.is(data.group.length, data.starts.length - 1);
    t.is(new Set(data.group).size, small.hosts);
    t.true(data.group.every(group => Math.floor(group / small.hosts) === fleet));
    data.group.forEach((group, life) => {
      const [from, to] = [data.starts[life] as number, data.starts[life + 1] as number];
      for (let row = from + 1; row < to; row++) {
        if ((data.second[row] ?? 0) - (data.second[row - 1] ?? 0) !== 10) t.fail(`row ${row}`);
      }
      const isLast = data.group[life + 1] !== group;
      const lastSecond = data.second[to - 1] as number;
      if (isLast && lastSecond >= 3590) return;
      ended++;
      // Its last step ended less than a step and a second before it went down.
      t.true((data.secondsToDown[to - 1] as number) <= 11);
      if (!isLast) t.true((data.second[to] as number) > lastSecond + 10);
    });
  }
  t.true(ended > 10, `${ended} lives ended`);
});

test('the time that is left shrinks by ten seconds a row, and the cause is that of the end', t => {
  const causes = [0, 0, 0];
  for (const data of intents) {
    for (let row = 0; row < data.rows; row++) {
      const cause = data.cause[row] as number;
      causes[cause] = (causes[cause] as number) + 1;
      const left = data.secondsToDown[row] as number;
      if ((cause === 0) !== (left === Number.POSITIVE_INFINITY)) t.fail(`row ${row}: ${left} s`);
      const isEnd = data.starts.includes(row + 1);
      if (isEnd || cause === 0) continue;
      const next = data.secondsToDown[row + 1] as number;
      if (Math.abs(left - next - 10) > 0.01 || data.cause[row + 1] !== cause) t.fail(`row ${row}`);
    }
  }
  t.is(causes.length, DOWN_CAUSES.length);
  t.true(
    causes.every(rows => rows > 300),
    `${causes} rows by cause`,
  );
});

test('rows before intended reboots and before crashes look different', t => {
  const level = (name: string, accept: (data: IntentSequences, row: number) => boolean) => {
    const column = INTENT_INPUTS.findIndex(input => input.name === name);
    const values = intents.flatMap(data =>
      Array.from({length: data.rows}, (_, row) => row)
        .filter(row => accept(data, row))
        .map(row => data.features[row * data.columns + column] as number)
        .filter(value => !Number.isNaN(value)),
    );
    return sum(values) / values.length;
  };
  const near = (cause: number) => (data: IntentSequences, row: number) =>
    data.cause[row] === cause && (data.secondsToDown[row] as number) < 300;
  const far = (data: IntentSequences, row: number) => data.cause[row] === 0;
  t.true(level('sessions_privileged', near(1)) > 2 * level('sessions_privileged', far));
  t.true(level('reboot_required_ratio', near(1)) > 2 * level('reboot_required_ratio', near(2)));
  const corrected = 'memory_corrected_errors_per_second';
  t.true(level(corrected, near(2)) > 3 * level(corrected, far));
  t.true(level(corrected, near(2)) > 3 * level(corrected, near(1)));
});

test('labels say which part fails first within the horizon; a reboot on purpose hides it', t => {
  const counts = {positive: 0, unknown: 0};
  for (const data of [...fast, ...slow]) {
    const {horizonsSeconds: horizons, labels} = data;
    t.is(labels.length, data.rows * COMPONENTS.length * horizons.length);
    for (let row = 0; row < data.rows; row++) {
      horizons.forEach((seconds, horizon) => {
        const own = COMPONENTS.map(
          (_, at) => labels[(row * COMPONENTS.length + at) * horizons.length + horizon] as number,
        );
        const isNear = (data.secondsToDown[row] as number) <= seconds;
        const cause = isNear ? (data.cause[row] as number) : 0;
        const expected = [0, UNKNOWN * COMPONENTS.length, 1][cause];
        if (sum(own) !== expected) t.fail(`row ${row}: ${own} after ${cause}`);
        counts.positive += Number(cause === 2);
        counts.unknown += Number(cause === 1);
      });
    }
  }
  t.true(counts.positive > 1000 && counts.unknown > 1000, JSON.stringify(counts));
});

test('rows of weeks carry wear: what failed within a week is not what never failed', t => {
  const names = featuresOf(COMPONENT_CONTRACT).map(({name}) => name);
  const mean = (name: string, component: (typeof COMPONENTS)[number], label: number) => {
    const column = names.indexOf(name);
    const values: number[] = [];
    for (const data of slow) {
      for (let row = 0; row < data.rows; row++) {
        const at = (row * COMPONENTS.length + COMPONENTS.indexOf(component)) * 2 + 1;
        const value = data.features[row * data.columns + column] as number;
        if (data.labels[at] === label && !Number.isNaN(value)) values.push(value);
      }
    }
    t.true(values.length > 30, `${values.length} rows of ${component}`);
    return sum(values) / values.length;
  };
  const corrected = 'memory_corrected_errors_per_second.level';

  for (const [name, component] of [
    [corrected, 'memory'],
    ['log_memory_faults_per_minute.level', 'memory'],
    ['network_link_errors_per_second.level', 'network'],
    ['disk_new_defects_per_day.level', 'disk'],
    ['disk_errors_per_second.level', 'disk'],
    ['boots_unclean_per_day.level', 'disk'],
  ] as const) {
    const [sick, sound] = [mean(name, component, 1), mean(name, component, 0)];
    t.true(sick > 1.3 * sound, `${name}: ${sick} before a failure, else ${sound}`);
  }
});

test('rows of weeks have the averages of hosts that were watched every second', async t => {
  const options = {...small, fleets: 1, maskedShare: 0, faults: 'none'} as const;
  const make = () => ({...options, random: seededRandom(SEED)});
  const leapt = await firstOf(simulateSlowDataset({...make(), daysEach: 1}));
  const training = createTrainingFleet(make(), 0, 24 * HOUR_MS, 'life');
  const {datacenter, startMs, hosts} = training;
  const taking = createRowTaking(undefined, hosts, hosts, startMs, 0);
  for (let second = 0; second < 60; second++) training.churn();
  for (let nowMs = startMs + 1000; nowMs <= startMs + 7 * HOUR_MS; nowMs += 1000) {
    datacenter.step(nowMs);
    for (const host of datacenter.hosts) taking.watch(host, nowMs);
  }
  for (const host of datacenter.hosts) taking.take(host, datacenter.nowMs);
  const live = taking.finish(datacenter.hosts, datacenter.nowMs, [1]);
  t.is(live.rows, hosts);
  t.deepEqual([...leapt.group.subarray(0, hosts)], [...live.group]);
  const typical = (column: number) => {
    const ratios: number[] = [];
    for (let row = 0; row < live.rows; row++) {
      const at = row * live.columns + column;
      const ratio = (leapt.features[at] as number) / (live.features[at] as number);
      if (Number.isFinite(ratio)) ratios.push(ratio);
    }
    // What only few hosts have says little.
    return ratios.length < hosts / 2 ? Number.NaN : median(ratios);
  };
  for (const [column, {name, kind}] of featuresOf(COMPONENT_CONTRACT).entries()) {
    const ratio = typical(column);
    if (Number.isNaN(ratio) || kind === 'trend' || /_per_(second|minute)/.test(name)) continue;
    const tolerance = kind === 'noise' ? 0.35 : 0.1;
    t.true(Math.abs(ratio - 1) < tolerance, `${name}: ${ratio} times that of a live host`);
  }
});

test('no row of any data set changes when its future is cut off', async t => {
  const options = {...small, fleets: 1, rateFactor: 3};
  const shorter = (minutesEach: number) =>
    [...simulateIntentDataset({...options, random: seededRandom(SEED), minutesEach})][0];
  const [half, whole] = [shorter(20), shorter(40)];
  if (half === undefined || whole === undefined) throw new Error('no fleet');
  const keyed = (data: IntentSequences) => {
    const rows = new Map<string, string>();
    data.group.forEach((group, life) => {
      for (let row = data.starts[life] as number; row < (data.starts[life + 1] as number); row++) {
        const features = data.features.subarray(row * data.columns, (row + 1) * data.columns);
        const outcome = `${data.secondsToDown[row]} ${data.cause[row]}`;
        rows.set(`${group}/${data.second[row]}`, bytes(features).toString('base64') + outcome);
      }
    });
    return rows;
  };
  const all = keyed(whole);
  let compared = 0;
  for (const [key, row] of keyed(half)) {
    const other = all.get(key) as string;
    // Only how far ahead is known differs.
    t.is(
      row.replace(/Infinity 0$/, ''),
      row.endsWith('Infinity 0') ? other.slice(0, row.length - 10) : other,
    );
    compared++;
  }
  t.true(compared > 1000);
  const fastOf = (minutesEach: number) => {
    const random = seededRandom(SEED);
    return firstOf(
      simulateComponentDataset({...options, random, minutesEach, rowEverySeconds: 30}),
    );
  };
  const slowOf = (daysEach: number) =>
    firstOf(simulateSlowDataset({...options, random: seededRandom(SEED), daysEach}));
  for (const [short, long] of [
    [await fastOf(20), await fastOf(40)],
    [await slowOf(7), await slowOf(14)],
  ] as const) {
    t.true(short.rows > 100 && long.rows > 1.5 * short.rows);
    t.true(bytes(long.features.subarray(0, short.features.length)).equals(bytes(short.features)));
  }
});

test('equal seeds give equal data, other seeds give other data', async t => {
  const options = {...small, fleets: 1, minutesEach: 10, rowEverySeconds: 30};
  const make = async (seed: number) => {
    const {features} = await firstOf(
      simulateComponentDataset({...options, random: seededRandom(seed)}),
    );
    return bytes(features).toString('base64');
  };
  t.is(await make(1), await make(1));
  t.not(await make(1), await make(2));
});

test('fleets begin at any hour of the week', t => {
  const options = {hosts: 2, vms: 4, fleets: 40, minutesEach: 1};
  const columnOf = (name: string) => INTENT_INPUTS.findIndex(input => input.name === name);
  const hours = new Set<string>();
  for (const {features} of simulateIntentDataset({
    ...options,
    random: seededRandom(SEED),
    maskedShare: 0,
  })) {
    const [sine, cosine] = ['time_of_day_sine', 'time_of_day_cosine'].map(
      name => features[columnOf(name)] as number,
    ) as [number, number];
    t.true(Math.abs(sine ** 2 + cosine ** 2 - 1) < 1e-5);
    hours.add(`${Math.floor((12 * Math.atan2(sine, cosine)) / Math.PI)}`);
    t.true([0, 1].includes(features[columnOf('time_weekend_ratio')] as number));
  }
  t.true(hours.size > 15, `${hours.size} hours`);
});

test('what agents conclude in a second is in the averages of that second', async t => {
  const at = HOST_METRICS.columns.indexOf('anomalous_metrics_ratio');
  const asked: number[] = [];
  const data = await firstOf(
    simulateComponentDataset({
      ...small,
      random: seededRandom(SEED),
      fleets: 1,
      minutesEach: 5,
      rowEverySeconds: 1,
      contract: {
        family: 'averages',
        kinds: ['level', 'trend', 'noise'],
        metrics: ['cpu_utilisation_ratio'],
        levels: ['anomalous_metrics_ratio'],
      },
      conclude: (_fleet, datacenter) => () => {
        asked.push(datacenter.nowMs);
        for (const {values, index} of datacenter.hosts)
          values[at] = index + (asked.length > 60 ? 100 : 0);
        return Promise.resolve();
      },
    }),
  );
  t.is(asked.length, 300);
  t.true(asked.every((atMs, index) => index === 0 || atMs === (asked[index - 1] as number) + 1000));
  for (let row = 0; row < data.rows; row++) {
    const level = (data.features[row * 4 + 3] as number) - (data.group[row] as number);
    const second = data.second[row] as number;
    if (second <= 60 ? level !== 0 : !(level > 3 && level <= 100)) t.fail(`${level} at ${second}`);
  }
});

test('some hosts lack sensors, and the others have all of them', t => {
  const columns = featuresOf(COMPONENT_CONTRACT).map(({metric}) =>
    // Sensors that take a while, or that hosts have by chance, say nothing of masks.
    FIRST_HOST_CONTRACT.metrics.includes(metric),
  );
  let [rows, lacking] = [0, 0];
  for (const data of fast) {
    for (let row = 0; row < data.rows; row++) {
      if ((data.second[row] as number) < 1800) continue;
      rows++;
      const own = data.features.subarray(row * data.columns, (row + 1) * data.columns);
      if (own.some((value, column) => columns[column] && Number.isNaN(value))) lacking++;
    }
  }
  const share = lacking / rows;
  t.true(share > 0.05 && share < 0.5, `${share} of the rows lack something`);
});
