import test from 'ava';
import {runTool} from '../support/tool.ts';
import {formatResult, resultOf} from './result.ts';
import {MAIN, runSimulator} from './simulate.ts';

for (const [wrong, args] of [
  ['--seeds or --seed?', []],
  ['--seeds 0: expected a whole number of at least 1', ['--seeds', '0']],
  ['--seeds many: expected a whole number', ['--seeds', 'many']],
  ['--seed abc: expected a whole number', ['--seed', 'abc']],
  ['--seed is one seed, --seeds are many', ['--seed', '1', '--seeds', '2']],
  ['--plant nothing: expected one of', ['--seed', '1', '--plant', 'nothing']],
  ['--trace: of one seed only', ['--seeds', '2', '--trace']],
  ['--output xml: expected one of text, json', ['--seed', '1', '-o', 'xml']],
  ["Unknown option '--sed'", ['--sed', '1']],
] as const) {
  test(`simulate ${args.join(' ')} is answered with what is wrong and the usage`, async t => {
    const {code, stdout, stderr} = await runSimulator(...args);
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.startsWith(wrong), stderr);
    t.regex(stderr, /\n\nusage: npm run simulate/);
  });
}

test('simulate --help is answered with the usage on stdout', async t => {
  const {code, stdout, stderr} = await runSimulator('--help');
  t.is(code, 0);
  t.regex(stdout, /^usage: npm run simulate/);
  t.is(stderr, '');
});

test('a seed is told line by line, its result in words', async t => {
  const {code, stdout, stderr} = await runSimulator('--seed', '3', '--trace');
  t.is(code, 0);
  t.regex(stdout, /^1 seed, 0 failed; 16 invariants, [\d,]+ checks, [\d,]+ faults\n$/);
  t.regex(stderr, /core-1 owns \d+, epoch 1/);
  t.regex(stderr, / peace\n/);
});

test('what is stopped says how far it came, and leaves no process behind', async t => {
  // Also its workers have ended: they could write to the same streams.
  const {code, stdout, stderr} = await runTool(MAIN, ['--seeds', '500'], {
    onStarted: pid => process.kill(pid, 'SIGINT'),
  });
  t.is(code, 130);
  t.regex(stdout, /^stopped after \d+ of 500 seeds, 0 failed\n$/);
  t.regex(stderr, /500 seeds from 1 on, in 2 processes\n/);
});

const outcome = (seed: number, message = '') => ({
  seed,
  violations: message === '' ? [] : [{invariant: 'S9' as const, message, atMs: 0}],
  trace: 'abc',
  checks: 1000,
  faults: 1,
  virtualMs: 0,
});

test('the result says how many seeds were done of those asked for, and why not all', t => {
  const failed = resultOf([outcome(4), outcome(5, 'two writers'), outcome(6)], 'fence');
  const asked = {seeds: 60, first: true, isStopped: false};
  t.is(
    formatResult(failed, asked),
    `seed 5 fails
  S9: two writers
  again: npm run simulate -- --seed 5 --plant fence --trace
3 of 60 seeds (--first: ended early, with what ran beside it), 1 failed; 16 invariants, 3,000 checks, 3 faults
`,
  );
  const well = resultOf([outcome(4)], '');
  t.is(well.trace, 'abc');
  t.is(
    formatResult(well, {seeds: 1, first: true, isStopped: false}),
    '1 seed, 0 failed; 16 invariants, 1,000 checks, 1 fault\n',
  );
  t.is(
    formatResult(well, {seeds: 500, first: false, isStopped: true}),
    'stopped after 1 of 500 seeds, 0 failed\n',
  );
});
