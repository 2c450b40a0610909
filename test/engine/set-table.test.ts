import {deserialize, serialize} from 'node:v8';
import test from 'ava';
import {
  COUNT_KINDS,
  contractHash,
  FIRST_HOST_CONTRACT,
  featuresOf,
} from '../../core/domain/features.ts';
import {HOST_METRICS, metricSet, VM_METRICS} from '../../core/domain/metric-sets.ts';
import {
  clearSamples,
  createSetTable,
  fitTable,
  hasFeatures,
  isScored,
  readFeatures,
  releaseRow,
  riskiestComponent,
  rowOf,
  type SetTable,
  type StoredTable,
  storeTable,
  takeSample,
} from '../../core/engine/set-table.ts';
import type {ModelSignature} from '../../core/ports.ts';
import {metricScorer} from '../support/partition.ts';

const SET = metricSet('two.v1', 'host', ['b', 'a', 'c']);
const averages = metricScorer().signature();
const contract = {
  family: 'count-window',
  metrics: ['a', 'b'],
  kinds: COUNT_KINDS,
  window: 4,
  stride: 2,
} as const;
const counted: ModelSignature = {
  hash: 'counted',
  name: 'counted',
  contract,
  featureHash: contractHash(contract),
  featureCount: featuresOf(contract).length,
  components: ['overload'],
  requiredMetrics: ['a', 'b'],
};

function feed(table: SetTable, entity: string, from: number, count: number): void {
  const row = rowOf(table, entity);
  for (let index = from; index < from + count; index++) {
    takeSample(table, row, 1000 * index, Float32Array.of(-index, index, 9), 0, 1);
  }
}

function featuresAt(table: SetTable, row: number): number[] {
  const into = new Float32Array(counted.featureCount);
  readFeatures(table, row, counted, into, 0);
  return [...into];
}

test('a table keeps windows for the served model alone', t => {
  const host = createSetTable(HOST_METRICS, averages);
  t.true(host.scored);
  t.is(host.windows.columns, HOST_METRICS.columns.length);
  t.is(host.counted, undefined);
  const vm = createSetTable(VM_METRICS, averages);
  t.false(vm.scored);
  t.is(vm.windows.columns, 0);
  t.is(vm.windows.fast.length + vm.risks.length, 0);
  t.false(isScored(HOST_METRICS, counted));
  const two = createSetTable(SET, counted);
  t.is(two.windows.columns, 0);
  t.is(two.counted?.metrics, 2);
});

test('features of the last samples follow the order of the contract, not that of the set', t => {
  const table = createSetTable(SET, counted);
  feed(table, 'hosts/h', 1, 3);
  t.false(hasFeatures(table, 0));
  feed(table, 'hosts/h', 4, 1);
  t.true(hasFeatures(table, 0));
  t.deepEqual(featuresAt(table, 0), [
    ...[4, 2.5, Math.fround(Math.sqrt(1.25)), 1, 4, 1],
    ...[-4, -2.5, Math.fround(Math.sqrt(1.25)), -4, -1, -1],
  ]);
  clearSamples(table, 0);
  t.false(hasFeatures(table, 0));
});

test('a stored table goes on where it stood', t => {
  const table = createSetTable(SET, counted);
  for (const host of ['a', 'b', 'c']) feed(table, `hosts/${host}`, 1, 7);
  table.risks[1] = 0.25;
  const bytes = serialize(storeTable(table));
  const restored = fitTable(deserialize(bytes) as StoredTable, counted);
  for (const each of [table, restored]) feed(each, 'hosts/b', 8, 1);
  t.deepEqual(featuresAt(restored, 1), featuresAt(table, 1));
  t.is(riskiestComponent(restored, 1), 'overload');
  feed(restored, 'hosts/d', 1, 5);
  t.is(restored.names.length, 4);
});

test('for another model a stored table keeps entities and bands, and begins its windows anew', t => {
  const both: ModelSignature = {...averages, contract: FIRST_HOST_CONTRACT, requiredMetrics: []};
  const before = createSetTable(SET, both);
  feed(before, 'hosts/h', 1, 9);
  before.bands.band[0] = 1;
  before.risks.fill(0.5);
  const table = fitTable(deserialize(serialize(storeTable(before))) as StoredTable, counted);
  t.is(rowOf(table, 'hosts/h'), 0);
  t.is(table.bands.band[0], 1);
  t.false(hasFeatures(table, 0));
  t.is(riskiestComponent(table, 0), '');
  feed(table, 'hosts/h', 10, 4);
  t.is(featuresAt(table, 0)[0], 13);
});

test('the row of a VM that is gone is given to the next new one, empty', t => {
  const table = createSetTable(VM_METRICS, averages);
  const take = (vm: string, atMs: number) =>
    takeSample(table, rowOf(table, vm), atMs, new Float32Array(VM_METRICS.columns.length), 0, 1);
  for (const vm of ['vms/a', 'vms/b', 'vms/c']) take(vm, 60_000);
  releaseRow(table, 'vms/b');
  releaseRow(table, 'vms/unknown');
  t.false(table.rows.has('vms/b'));
  t.is(rowOf(table, 'vms/d'), 1);
  t.true(take('vms/d', 1_000), 'what the former one had last is not its last');
  t.is(table.samples[1], 1);
  t.is(rowOf(table, 'vms/b'), 3);
});

test('a restored table gives the same rows as the one that was stored', t => {
  const table = createSetTable(VM_METRICS, averages);
  for (const vm of ['vms/a', 'vms/b', 'vms/c']) rowOf(table, vm);
  releaseRow(table, 'vms/c');
  releaseRow(table, 'vms/a');
  const stored = () => deserialize(serialize(storeTable(table))) as StoredTable;
  const restored = fitTable(stored(), averages);
  const next = (of: SetTable) => ['vms/x', 'vms/y', 'vms/z'].map(vm => rowOf(of, vm));
  t.deepEqual(next(restored), next(table));
});

test('rows of a scored table stay: answers may be on their way to them', t => {
  const table = createSetTable(SET, counted);
  rowOf(table, 'vms/a');
  releaseRow(table, 'vms/a');
  t.is(rowOf(table, 'vms/a'), 0);
});
