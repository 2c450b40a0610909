import test from 'ava';
import {metricSet} from '../../core/domain/metric-sets.ts';
import {BlockBuilder} from '../../edge/batch.ts';
import {createInventoryGate} from '../../edge/inventory-gate.ts';
import {limitNotes} from '../../edge/note.ts';
import fc from '../support/fast-check.ts';

const SET = metricSet('test.v1', 'vm', ['a', 'b', 'c']);

test('rows become columns, whatever their number, entities and times', t => {
  const rowArbitrary = fc.record({
    vm: fc.integer({min: 0, max: 5}),
    values: fc.array(fc.float(), {minLength: 3, maxLength: 3}),
  });
  fc.assert(
    fc.property(fc.array(rowArbitrary, {minLength: 1, maxLength: 40}), rows => {
      const builder = new BlockBuilder(SET);
      rows.forEach(({vm, values}, index) => {
        const writer = builder.row(`vms/v${vm}`, 1000 + index);
        SET.columns.forEach((column, at) => {
          writer.set(column, values[at] as number);
        });
      });
      const block = builder.take();
      if (block === undefined) return false;
      return rows.every(({vm, values}, row) => {
        const entity = block.entities[block.rowEntity[row] as number];
        return (
          entity === `vms/v${vm}` &&
          block.observedAtMs[row] === 1000 + row &&
          values.every((value, column) => {
            const wanted = Number.isFinite(value) ? Math.fround(value) : Number.NaN;
            return Object.is(block.values[column * rows.length + row], wanted);
          })
        );
      });
    }),
    {verbose: 1},
  );
  t.pass();
});

test('what is not set is missing, and an infinity becomes missing and is counted', t => {
  const builder = new BlockBuilder(SET);
  const row = builder.row('vms/v1', 0);
  row.set('b', Number.POSITIVE_INFINITY);
  row.set('c', -1e300);
  const block = builder.take();
  t.deepEqual([...(block?.values ?? [])], [Number.NaN, Number.NaN, Number.NaN]);
  t.is(builder.infinities, 2);
});

test('two sensors that know the same VM at the same time share a row', t => {
  const builder = new BlockBuilder(SET);
  builder.row('vms/v1', 5).set('a', 1);
  builder.row('vms/v1', 5).set('b', 2, 'sda');
  builder.row('vms/v1', 6).set('a', 3);
  const block = builder.take();
  t.is(block?.rows, 2);
  t.deepEqual(block?.entities, ['vms/v1']);
  t.deepEqual(block?.devices, [{row: 0, column: 1, name: 'sda'}]);
});

test('a block that was taken is not written any more, and the next one begins empty', t => {
  const builder = new BlockBuilder(SET);
  builder.row('vms/v1', 0).set('a', 1);
  const first = builder.take();
  t.is(builder.take(), undefined);
  builder.row('vms/v2', 0).set('a', 2);
  const second = builder.take();
  t.is(first?.values[0], 1);
  t.deepEqual(second?.entities, ['vms/v2']);
});

test('a column that the metric set does not have is a mistake of the program', t => {
  const row = new BlockBuilder(SET).row('vms/v1', 0);
  t.throws(() => row.set('d', 1), {message: /test\.v1 has no column d/});
});

const inventoryOf = (host: string) => ({
  hosts: [
    {
      host,
      rack: '',
      cpuCores: 1,
      memoryBytes: 1,
      actuatorAddress: '',
      capabilities: [],
      migrationBytesPerSecond: 0,
      vms: [],
      bootId: '',
      observeOnly: true,
      hardware: '',
    },
  ],
});

test('an inventory travels first, when it changes, and once a minute', t => {
  let current = inventoryOf('h01');
  const due = createInventoryGate(
    () => current,
    () => {},
  );
  t.is(due(0), current);
  t.is(due(1000), undefined);
  current = inventoryOf('h01');
  t.is(due(2000), undefined, 'another object with the same content is no change');
  current = inventoryOf('h02');
  t.is(due(3000), current);
  t.is(due(62_999), undefined);
  t.is(due(63_000), current);
});

test('an inventory that cannot be read is noted, and samples travel without it', t => {
  const notes: string[] = [];
  const read = () => {
    throw new Error('no such folder');
  };
  t.is(
    createInventoryGate(
      read,
      limitNotes(line => notes.push(line)),
    )(0),
    undefined,
  );
  t.deepEqual(notes, ['inventory: no such folder']);
});

test('a line of one key is said once a minute, with how often it was left out', t => {
  const lines: string[] = [];
  const note = limitNotes(line => lines.push(line));
  for (const nowMs of [0, 1, 59_999, 60_000]) note('disk', nowMs, `failed at ${nowMs}`);
  note('cpu', 60_000, 'another key');
  t.deepEqual(lines, [
    'failed at 0',
    'failed at 60000 (2 more since the last such line)',
    'another key',
  ]);
});
