import assert from 'node:assert/strict';
import test from 'ava';
import {
  BUILT_IN_METRIC_SETS,
  FIRST_HOST_METRICS,
  HOST_METRICS,
  metricSet,
  VM_METRICS,
} from '../../core/domain/metric-sets.ts';
import fc from '../support/fast-check.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,12}$/), {minLength: 2, maxLength: 6});

test('the same columns give the same hash', t => {
  fc.assert(
    fc.property(names, columns => {
      assert.deepEqual(metricSet('m', 'host', columns), metricSet('m', 'host', [...columns]));
    }),
  );
  t.pass();
});

test('another order, another column, another kind or another name is another hash', t => {
  fc.assert(
    fc.property(names, columns => {
      const {hash} = metricSet('m', 'host', columns);
      assert.notEqual(metricSet('m', 'host', [...columns].reverse()).hash, hash);
      assert.notEqual(metricSet('m', 'host', [...columns, 'UPPER']).hash, hash);
      assert.notEqual(metricSet('m', 'vm', columns).hash, hash);
      assert.notEqual(metricSet('n', 'host', columns).hash, hash);
    }),
  );
  t.pass();
});

test('a column is not the same as its two halves', t => {
  t.not(metricSet('m', 'host', ['ab']).hash, metricSet('m', 'host', ['a', 'b']).hash);
});

test('the built-in sets are two for hosts and one for VMs, without repeated columns', t => {
  t.deepEqual(
    BUILT_IN_METRIC_SETS.map(({name, kind}) => [name, kind]),
    [
      ['host.v2', 'host'],
      ['host.v1', 'host'],
      ['vm.v1', 'vm'],
    ],
  );
  for (const {columns} of BUILT_IN_METRIC_SETS) t.is(new Set(columns).size, columns.length);
});

test('every column says its unit; of the others the catalogue does', t => {
  const unit = /_(ratio|per_second|seconds|depth|celsius|rpm|bytes)$/;
  for (const column of [...FIRST_HOST_METRICS.columns, ...VM_METRICS.columns]) {
    t.regex(column, unit);
  }
});

test('the second set of hosts begins with the first, so that what read it finds it', t => {
  const {columns} = FIRST_HOST_METRICS;
  t.deepEqual(HOST_METRICS.columns.slice(0, columns.length), columns);
  t.true(HOST_METRICS.columns.length > columns.length);
});
