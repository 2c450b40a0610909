/** The short gate: ratios alone, which mean the same on every machine, and that stalls are seen. */
import {readFileSync} from 'node:fs';
import test from 'ava';
import {judge} from '../../bench/compare.ts';
import {predict} from '../../bench/predict.ts';
import {self} from '../../bench/self.ts';
import type {BenchResult} from '../../bench/verb.ts';

/** What the pool must reach of the raw loop; below it, falling behind the baseline is a regression. */
const GOAL = 0.85;

const baseline = JSON.parse(
  readFileSync(new URL('../../bench/baseline.json', import.meta.url), 'utf8'),
) as BenchResult;

test.serial('the pool is as near to the raw loop as it was', async t => {
  t.timeout(60_000);
  const options = Object.fromEntries(
    predict.options.map(({flags, default: preset}) => [/--(\w+)/.exec(flags)?.[1] ?? '', preset]),
  );
  const short = {...options, rounds: '5', millis: '250'};
  for (const [models, batches] of [
    ['forest', '256'],
    ['lstm', '64'],
  ] as const) {
    const result = await predict.run({options: {...short, models, batches}, operands: []});
    for (const {metric, before, after, verdict} of judge(baseline, result)) {
      if (!metric.includes('.ratio.')) continue;
      t.log(`${metric}: ${before} → ${after}, ${verdict}`);
      t.false(verdict === 'worse' && after < GOAL, `${metric} fell from ${before} to ${after}`);
    }
  }
});

test.serial('the bench finds a stall of the sender and one of the core', async t => {
  t.timeout(60_000);
  const {failures, metrics} = await self.run({options: {}, operands: []});
  t.log(JSON.stringify(metrics));
  t.deepEqual(failures, []);
});
