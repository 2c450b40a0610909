import {strict as assert} from 'node:assert';
import {HOST_METRICS} from '../domain/metric-sets.ts';

/** Position of a column of host.v2. */
export function hostColumn(name: string): number {
  const at = HOST_METRICS.columns.indexOf(name);
  assert.ok(at >= 0, `host.v2 has no column ${name}`);
  return at;
}
