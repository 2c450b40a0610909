import test from 'ava';
import {failedAssertions, parseAssertion} from '../../bench/assertion.ts';
import {formatResult, runVerb} from '../../bench/main.ts';
import {median, numberOf, resultOf, wordsOf} from '../../bench/result.ts';
import type {BenchVerb} from '../../bench/verb.ts';

const valid = {verdict: 'VALID' as const, metrics: {'a.p99Ms': 5}};

test('an assertion is a metric, a relation and a number', t => {
  for (const [text, holds] of [
    ['a.p99Ms<5', false],
    ['a.p99Ms<=5', true],
    [' a.p99Ms > 4.5 ', true],
    ['a.p99Ms>=6', false],
  ] as const) {
    t.is(failedAssertions([parseAssertion(text)], valid).length, holds ? 0 : 1, text);
  }
});

test('what is not measured, and what an invalid run measured, does not hold', t => {
  t.regex(failedAssertions([parseAssertion('b<1')], valid)[0] ?? '', /not measured/);
  const invalid = {...valid, verdict: 'INVALID' as const};
  t.regex(failedAssertions([parseAssertion('a.p99Ms<9')], invalid)[0] ?? '', /INVALID/);
});

test('anything else is no assertion', t => {
  for (const text of ['', 'a', 'a<', 'a=1', '<1', 'a<b']) {
    t.throws(() => parseAssertion(text), {code: 'INVALID_ARGUMENT'} as object, text);
  }
});

test('the median of runs is the figure; what was not measured makes a result invalid', t => {
  t.is(median([3, 1, 2]), 2);
  t.is(median([4, 1, 2, 3]), 2.5);
  const result = resultOf({runs: {a: [3, 1, 2]}, metrics: {b: Number.NaN}});
  t.deepEqual(result.metrics, {a: 2});
  t.is(result.verdict, 'INVALID');
  t.is(resultOf({metrics: {a: 1}, steal: 0.2}).verdict, 'INVALID');
  t.is(resultOf({metrics: {a: 1}, steal: 0.01}).verdict, 'VALID');
});

test('a table says figures, spread, reasons and failures', async t => {
  const verb: BenchVerb = {
    name: 'fake',
    summary: '',
    options: [],
    run: async () => resultOf({runs: {rate: [1000, 2000, 3000]}, notes: ['as it is']}),
  };
  const args = {options: {}, operands: []};
  const result = await runVerb(verb, args, [parseAssertion('rate>5000')]);
  t.deepEqual(result.failures, ['rate>5000: it is 2000']);
  const text = formatResult('fake', result);
  t.regex(text, /rate +2,000 {2}1,000 to 3,000 in 3 runs/);
  t.regex(
    text,
    /note: as it is\nFAILED: rate>5000: it is 2000\nFAILED \(the figures themselves are VALID\)$/,
  );
});

test('an option that is no number is a wrong use', t => {
  t.is(numberOf('12', 'runs'), 12);
  for (const value of ['x', '', '-1', undefined, true]) {
    t.throws(() => numberOf(value, 'runs'), {code: 'INVALID_ARGUMENT'} as object);
  }
});

test('a word of an option that is not known is refused: a bench of nothing would be valid', t => {
  const kinds = ['segments', 'kafka'] as const;
  t.deepEqual(wordsOf('kafka,segments', 'log', kinds), ['kafka', 'segments']);
  for (const value of ['kafkas', '', 'segments,', undefined]) {
    t.throws(() => wordsOf(value, 'log', kinds), {code: 'INVALID_ARGUMENT'} as object);
  }
});
