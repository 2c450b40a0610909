import test from 'ava';
import {metricSet} from '../../core/domain/metric-sets.ts';
import {checkTable} from '../../core/domain/table-rules.ts';
import {samplesTable} from '../../core/engine/tables.ts';
import fc from '../support/fast-check.ts';

const metricColumns = (columns: readonly string[]) =>
  samplesTable(metricSet('s.v1', 'host', columns))
    .columns.slice(7)
    .map(({name}) => name);

test('names with one hash have a column each, and the values behind them stay in theirs', t => {
  t.deepEqual(metricColumns(['Cpu226988', 'Cpu1109866', 'temperature']), [
    'x_8ca1779c',
    'x_8ca1779c_1',
    'temperature',
  ]);
});

test('whatever the names, there is a column for each, and stores can hold them', t => {
  const colliding = fc.constantFrom('Cpu226988', 'Cpu1109866', 'x_8ca1779c', 'row', 'plain');
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.oneof(colliding, fc.string({minLength: 1})), {minLength: 1}),
      names => {
        const table = samplesTable(metricSet('s.v1', 'host', names));
        checkTable(table);
        t.is(table.columns.length, 7 + names.length);
      },
    ),
    {seed: 7},
  );
});
