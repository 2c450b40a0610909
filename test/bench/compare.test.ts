import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {compare, judge} from '../../bench/compare.ts';
import {describeMachine} from '../../bench/machine.ts';
import {resultOf} from '../../bench/result.ts';
import {findKnee} from '../../bench/saturate.ts';

const of = (runs: Record<string, number[]>) => resultOf({runs});
const steady = (value: number) => [value, value * 1.01, value * 0.99];

test('more than five hundredths and three spreads worse is worse; which way is better is known', t => {
  const before = of({
    'a.ratio.x': steady(0.9),
    'a.p99Ms': steady(100),
    'a.samplesPerSecond': steady(1e6),
  });
  const after = of({
    'a.ratio.x': steady(0.7),
    'a.p99Ms': steady(150),
    'a.samplesPerSecond': steady(2e6),
  });
  const verdicts = Object.fromEntries(
    judge(before, after).map(({metric, verdict}) => [metric, verdict]),
  );
  t.deepEqual(verdicts, {'a.ratio.x': 'worse', 'a.p99Ms': 'worse', 'a.samplesPerSecond': 'better'});
  const back = judge(after, before).map(({verdict}) => verdict);
  t.deepEqual(back, ['better', 'better', 'worse']);
});

test('what moves less than from run to run is the same, and one run says nothing', t => {
  const noisy = [80, 100, 120];
  const [same] = judge(of({'a.p99Ms': noisy}), of({'a.p99Ms': noisy.map(ms => ms * 1.3)}));
  t.is(same?.verdict, 'same');
  t.is(judge(of({'a.p99Ms': steady(100)}), of({'a.p99Ms': steady(104)}))[0]?.verdict, 'same');
  t.is(judge(of({'a.p99Ms': [100]}), of({'a.p99Ms': [300]}))[0]?.verdict, 'unknown');
});

test('of two machines only ratios are judged', t => {
  const before = of({'a.ratio.x': steady(0.9), 'a.p99Ms': steady(100)});
  const elsewhere = {...before, machine: {...describeMachine(), cpu: 'another'}};
  t.deepEqual(
    judge(before, elsewhere).map(({metric}) => metric),
    ['a.ratio.x'],
  );
});

test('files are compared; a regression is a failure, and what is no result is named', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'forestay-compare-'));
  t.teardown(() => rmSync(directory, {recursive: true}));
  const write = (name: string, value: unknown) => {
    const path = join(directory, name);
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
    return path;
  };
  const a = write('a.json', of({'a.p99Ms': steady(100)}));
  const b = write('b.json', of({'a.p99Ms': steady(200)}));
  const run = (...operands: string[]) => compare.run({options: {only: ''}, operands});
  const result = await run(a, b);
  t.is(result.metrics['compare.a.p99Ms'], 1);
  t.regex(result.failures[0] ?? '', /a\.p99Ms: 100 → 200 .* worse/);
  t.deepEqual((await run(b, a)).failures, []);
  t.is((await run(a, write('c.json', of({b: [1]})))).verdict, 'INVALID');
  await t.throwsAsync(run(a, write('d.json', '{')), {code: 'INVALID_ARGUMENT'} as object);
  await t.throwsAsync(run(a, write('e.json', '{}')), {code: 'INVALID_ARGUMENT'} as object);
  await t.throwsAsync(run(a, join(directory, 'missing.json')), {
    code: 'INVALID_ARGUMENT',
  } as object);
});

test('figures that only one of the two has are named', async t => {
  const directory = mkdtempSync(join(tmpdir(), 'forestay-compare-'));
  t.teardown(() => rmSync(directory, {recursive: true}));
  const write = (name: string, runs: Record<string, number[]>) => {
    writeFileSync(join(directory, name), JSON.stringify(of(runs)));
    return join(directory, name);
  };
  const common = {'a.p99Ms': steady(100)};
  const before = write('before.json', {...common, 'a.old': [1], 'b.old': [1], 'a.askedRate': [1]});
  const after = write('after.json', {...common, 'a.new': [1]});
  const run = (only: string) => compare.run({options: {only}, operands: [before, after]});
  t.deepEqual((await run('')).notes.slice(1), [
    `only in ${before} (2): a.old, b.old`,
    `only in ${after} (1): a.new`,
  ]);
  t.deepEqual((await run('b.')).notes, [`only in ${before} (1): b.old`]);
});

test('the knee is found by a ramp and by halving', async t => {
  const tried: number[] = [];
  const attempt = async (rate: number) => {
    tried.push(rate);
    return {held: rate <= 930};
  };
  const knee = await findKnee(attempt, {from: 100, to: 1e6, factor: 2, bisections: 5});
  t.true(knee > 880 && knee <= 930, `${knee}`);
  t.deepEqual(tried.slice(0, 5), [100, 200, 400, 800, 1600]);
  t.is(
    await findKnee(async () => ({held: false}), {from: 100, to: 1e6, factor: 2, bisections: 3}),
    0,
  );
  t.is(
    await findKnee(async () => ({held: true}), {from: 100, to: 500, factor: 2, bisections: 3}),
    400,
  );
});
