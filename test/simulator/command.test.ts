import test from 'ava';
import {runSimulator} from './simulate.ts';

for (const args of [
  [],
  ['--seeds', '0'],
  ['--seeds', 'many'],
  ['--seed', '1', '--seeds', '2'],
  ['--seed', '1', '--plant', 'nothing'],
  ['--seeds', '2', '--trace'],
  ['--seed', '1', '-o', 'xml'],
  ['--sed', '1'],
]) {
  test(`simulate ${args.join(' ')} is answered with the usage`, async t => {
    const {code, stdout, stderr} = await runSimulator(...args);
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.startsWith('usage: npm run simulate'));
  });
}

test('a seed is told line by line, its result in words', async t => {
  const {code, stdout, stderr} = await runSimulator('--seed', '3', '--trace');
  t.is(code, 0);
  t.regex(stdout, /^1 seeds, 0 failed; 16 invariants, \d+ checks, \d+ faults\n$/);
  t.regex(stderr, /core-1 owns \d+, epoch 1/);
  t.regex(stderr, / peace\n/);
});
