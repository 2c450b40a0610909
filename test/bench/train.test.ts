import test from 'ava';
import {train} from '../../bench/train.ts';

test('training is measured by itself, and who cannot be compared with is said aloud', async t => {
  const options = {rows: '600', columns: '12', trees: '2', rounds: '1'};
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  const {metrics, notes} = await train
    .run({options, operands: []})
    .finally(() => Object.assign(process.env, {PATH: path}));
  t.true((metrics['train.31.cpuSeconds'] as number) > 0);
  t.true((metrics['train.64.auc'] as number) > 0.4);
  t.false('train.31.ratio' in metrics);
  t.true(notes.some(note => note.startsWith('SKIPPED: LightGBM')));
});
