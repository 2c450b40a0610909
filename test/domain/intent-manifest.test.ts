import test from 'ava';
import {intentInputHash} from '../../core/domain/intent-manifest.ts';

test('other inputs, another order of them or another step are another contract', t => {
  const hash = intentInputHash(['a', 'b'], 10_000);
  t.is(intentInputHash(['a', 'b'], 10_000), hash);
  for (const other of [
    intentInputHash(['b', 'a'], 10_000),
    intentInputHash(['a'], 10_000),
    intentInputHash(['a', 'b'], 5000),
  ]) {
    t.not(other, hash);
  }
});
