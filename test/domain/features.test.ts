import test from 'ava';
import {COMPONENTS} from '../../core/domain/components.ts';
import {
  AVERAGE_KINDS,
  contractHash,
  extractFeatures,
  FEATURE_COUNT,
  FEATURE_HASH,
  FEATURES,
  type FeatureContract,
  featureColumns,
  featuresOf,
  unitOf,
} from '../../core/domain/features.ts';
import {fnv1a32} from '../../core/domain/hash.ts';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {FIRST_HOST_METRICS, HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {createWindows, observe} from '../../core/domain/windows.ts';

test('every host metric gives level, trend and noise, in the order of its columns', t => {
  t.is(FEATURE_COUNT, 3 * FIRST_HOST_METRICS.columns.length);
  t.deepEqual(
    FEATURES.map(({name}) => name),
    FIRST_HOST_METRICS.columns.flatMap(metric => [
      `${metric}.level`,
      `${metric}.trend`,
      `${metric}.noise`,
    ]),
  );
  t.deepEqual(COMPONENTS, ['cpu', 'memory', 'disk', 'network', 'power']);
});

test('the hash of the contract is of its names in order: another contract is another hash', t => {
  const hashOf = (names: readonly string[]) => fnv1a32(names.join('\n'));
  const names = FEATURES.map(({name}) => name);
  t.is(FEATURE_HASH, hashOf(names));
  const [first, second, ...rest] = names as [string, string, ...string[]];
  t.not(hashOf([second, first, ...rest]), FEATURE_HASH);
  t.not(hashOf([first, ...rest]), FEATURE_HASH);
});

test('columns are found by name in any order, and missing ones are -1', t => {
  const reversed = [...FIRST_HOST_METRICS.columns].reverse();
  t.deepEqual(
    [...featureColumns(reversed).metrics],
    FIRST_HOST_METRICS.columns.map((_, index) => reversed.length - 1 - index),
  );
  t.true(featureColumns(['something_else']).metrics.every(column => column === -1));
});

test('features are the fast average, its distance from the slow one, and the deviation', t => {
  const columns = [...FIRST_HOST_METRICS.columns].reverse();
  const windows = createWindows(columns.length, 2);
  observe(
    windows,
    1,
    1000,
    Float32Array.from(columns, (_, index) => index),
    0,
    1,
  );
  observe(
    windows,
    1,
    61_000,
    Float32Array.from(columns, (_, index) => 2 * index + 1),
    0,
    1,
  );
  const into = new Float32Array(FEATURE_COUNT + 2).fill(-7);
  extractFeatures(windows, 1, featureColumns(columns), into, 1);
  FEATURES.forEach(({metric, kind}, index) => {
    const cell = columns.length + columns.indexOf(metric);
    const fast = windows.fast[cell] as number;
    const expected = {
      level: fast,
      trend: fast - (windows.slow[cell] as number),
      noise: Math.sqrt(windows.spread[cell] as number),
    };
    t.is(into[index + 1], Math.fround(expected[kind as keyof typeof expected]));
  });
  t.is(into[0], -7);
  t.is(into[FEATURE_COUNT + 1], -7);
});

test('a metric that the set lacks is NaN three times, one without a value in level and trend', t => {
  const present = FIRST_HOST_METRICS.columns.slice(0, 2);
  const windows = createWindows(2, 1);
  observe(windows, 0, 1000, Float32Array.of(5, Number.NaN), 0, 1);
  const into = new Float32Array(FEATURE_COUNT);
  extractFeatures(windows, 0, featureColumns(present), into, 0);
  t.deepEqual([...into.subarray(0, 3)], [5, 0, 0]);
  // Its deviation is zero, as of a metric that stands still.
  t.true(Number.isNaN(into[3]) && Number.isNaN(into[4]));
  t.true(into.subarray(6).every(Number.isNaN));
});

test('a contract may read the level alone of some metrics, behind the others', t => {
  const contract = {
    family: 'averages',
    metrics: ['a'],
    kinds: AVERAGE_KINDS,
    levels: ['flag', 'gone'],
  } satisfies FeatureContract;
  t.deepEqual(
    featuresOf(contract).map(({name}) => name),
    ['a.level', 'a.trend', 'a.noise', 'flag.level', 'gone.level'],
  );
  t.not(contractHash(contract), contractHash({...contract, levels: ['gone', 'flag']}));
  const columns = ['flag', 'a'];
  const windows = createWindows(columns.length, 1);
  observe(windows, 0, 1000, Float32Array.of(1, 7), 0, 1);
  const into = new Float32Array(5);
  extractFeatures(windows, 0, featureColumns(columns, contract), into, 0);
  t.deepEqual([...into], [7, 0, 0, 1, Number.NaN]);
});

test('every host metric is described once: unit, part, source, missing-twin', t => {
  for (const {name, unit, component, source, missingTwin} of HOST_METRIC_CATALOGUE) {
    t.is(missingTwin, `${name}.missing`);
    t.is(unitOf(name), unit);
    t.true(source !== '' && (component === 'host' || COMPONENTS.includes(component)), name);
    if (unit.startsWith('per ') || unit === 'ratio' || unit === '') continue;
    t.true(name.endsWith(`_${unit.replaceAll(' ', '_')}`), `${name} is in ${unit}`);
  }
  t.is(new Set(HOST_METRICS.columns).size, HOST_METRIC_CATALOGUE.length);
  t.is(unitOf('of somebody else'), '');
});
