import test from 'ava';
import {ServedModels} from '../../core/engine/served-models.ts';
import {metricScorer} from '../support/partition.ts';

const scorerOf = (hash: string) => metricScorer({hash, name: hash}, 1);

test('of models that nobody uses those are closed that were asked for longest ago', async t => {
  const served = new ServedModels(scorerOf('first'), {open: async hash => scorerOf(hash)});
  for (const hash of ['a', 'b', 'c', 'd', 'a', 'e']) await served.open(hash);
  await served.keep(new Set());
  const open = ['first', 'a', 'b', 'c', 'd', 'e'].filter(hash => served.scorerOf(hash));
  t.deepEqual(open, ['first', 'a', 'c', 'd', 'e']);
});
