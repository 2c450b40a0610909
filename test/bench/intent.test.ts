import test from 'ava';
import {intent} from '../../bench/intent.ts';

test('the bench of the reboot-intent model measures each cost', async t => {
  const options = {model: 'drawn', rounds: '1', calls: '20', seconds: '0'};
  const {metrics} = await intent.run({options, operands: []});
  t.deepEqual(Object.keys(metrics), [
    'predict.raw.cpuMicros',
    'explain.first.cpuMillis',
    'explain.cpuMillis',
    'predict.thread.cpuMicros',
    'predict.thread.p50Micros',
    'predict.thread.p99Micros',
    'memory.predicted.moreMiB',
    'memory.explained.moreMiB',
  ]);
  t.true(Object.values(metrics).every(value => value > 0));
});
