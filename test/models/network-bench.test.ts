import test from 'ava';
import {trainNetwork} from '../../bench/train-network.ts';

test('the bench of networks measures each cost, and says loudly that PyTorch is not there', async t => {
  const options = {rounds: '1', steps: '1', python: 'no-such-python', compare: '0', seeds: '1'};
  const {metrics, notes} = await trainNetwork.run({options, operands: []});
  t.deepEqual(Object.keys(metrics), [
    'train.window.cpuMillisPerStep',
    'train.stream.cpuMillisPerStep',
    'predict.window.1.cpuMicrosPerRow',
    'predict.window.64.cpuMicrosPerRow',
    'predict.window.processMiB',
    'predict.stream.1.cpuMicrosPerRow',
    'predict.stream.64.cpuMicrosPerRow',
    'predict.stream.processMiB',
    'explain.cpuMillis',
  ]);
  t.true(Object.values(metrics).every(value => value > 0));
  t.true(notes.some(note => note.startsWith('SKIPPED: PyTorch')));
});
