import {appendFileSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {halve} from '../../models/training/halving.ts';
import {openResults} from '../../models/training/results.ts';
import {drawTrials, type Space} from '../../models/training/space.ts';
import fc from '../support/fast-check.ts';

const space = {
  rate: {from: 0.01, to: 1, scale: 'log'},
  leaves: {from: 4, to: 64, scale: 'whole'},
  share: {from: 0.2, to: 0.9, scale: 'linear'},
} satisfies Space<'rate' | 'leaves' | 'share'>;
const defaults = {rate: 0.1, leaves: 16, share: 0.5, rounds: 100};

test('trials begin with the defaults, stay within their ranges, and are the same for a seed', t => {
  fc.assert(
    fc.property(fc.integer({min: 0, max: 1e6}), seed => {
      const trials = drawTrials(space, defaults, 12, seed);
      const same = JSON.stringify(trials) === JSON.stringify(drawTrials(space, defaults, 12, seed));
      const within = trials.every(
        trial =>
          trial.rounds === 100 &&
          Object.entries(space).every(([name, {from, to, scale}]) => {
            const value = trial[name as keyof typeof space];
            return value >= from && value <= to && (scale !== 'whole' || Number.isInteger(value));
          }),
      );
      return same && within && trials[0] === defaults;
    }),
  );
  const few = drawTrials(space, defaults, 3, 7);
  t.deepEqual(drawTrials(space, defaults, 9, 7).slice(0, 3), few);
});

test('a logarithmic range is drawn evenly in the logarithm', t => {
  const drawn = drawTrials(space, defaults, 2000, 3).slice(1);
  const below = drawn.filter(({rate}) => rate < 0.1).length / drawn.length;
  t.true(Math.abs(below - 0.5) < 0.04, `${below} below the geometric middle`);
});

const always = () => true;
const shares = [1 / 9, 1 / 3, 1];

test('the best trial wins though it is told apart only with all the data', async t => {
  const seen: string[] = [];
  // With little data trial 4 looks second best; with all of it, best.
  const found = await halve(9, {
    shares,
    keptShare: 1 / 3,
    atOnce: 2,
    hasTime: always,
    evaluate: async (trial, share) => {
      seen.push(`${trial} at ${share.toFixed(2)}`);
      return Math.abs(trial - 4) + (trial === 4 ? 1.2 * (1 - share) : 0);
    },
  });
  t.is(found.winner, 4);
  t.deepEqual(
    found.rungs.map(({losses}) => losses.filter(Number.isFinite).length),
    [9, 3, 1],
  );
  t.is(seen.length, 13);
});

test('when time is up the best of the last whole rung wins, and of none the defaults', async t => {
  for (const [allowed, winner] of [
    [0, 0],
    [5, 0],
    [9, 6],
    [10, 6],
    [13, 7],
  ] as const) {
    let begun = 0;
    const found = await halve(9, {
      shares,
      keptShare: 1 / 3,
      atOnce: 1,
      hasTime: () => begun++ < allowed,
      evaluate: async (trial, share) => Math.abs(trial - (share === 1 || share > 0.3 ? 7 : 6)),
    });
    t.is(found.winner, winner, `${allowed} evaluations`);
  }
});

test('a trial that fails to converge is dropped', async t => {
  const found = await halve(3, {
    shares: [0.5, 1],
    keptShare: 0.4,
    atOnce: 3,
    hasTime: always,
    evaluate: async trial => (trial === 1 ? 0.3 : Number.NaN),
  });
  t.is(found.winner, 1);
  t.true(Number.isNaN(found.rungs[1]?.losses[0]));
});

test('a training that was killed goes on behind its last whole result', t => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const first = openResults(folder, {seed: 1});
  first.put('a', 0.25);
  first.put('b', {loss: 1});
  appendFileSync(join(folder, 'results.ndjson'), '{"key":"c","val');
  const again = openResults(folder, {seed: 1});
  t.deepEqual(
    [again.known, again.get('a'), again.get('b'), again.get('c')],
    [2, 0.25, {loss: 1}, undefined],
  );
  again.put('c', 3);
  t.is(openResults(folder, {seed: 1}).get('c'), 3);
  t.is(readFileSync(join(folder, 'results.ndjson'), 'utf8').split('\n').length, 5);
  t.throws(() => openResults(folder, {seed: 2}), {message: /begun with other options/});
});

test('a training that was killed before it had written who it is begins anew', t => {
  for (const left of ['', '{"head":"8c', '{"head":"8c\u{1f6d1}']) {
    const folder = mkdtempSync(join(tmpdir(), 'results-'));
    t.teardown(() => rmSync(folder, {recursive: true}));
    appendFileSync(join(folder, 'results.ndjson'), left);
    openResults(folder, {seed: 1}).put('a', 1);
    t.is(openResults(folder, {seed: 1}).get('a'), 1);
  }
});

test('results that are damaged are refused, with what to do', t => {
  for (const text of ['no JSON\n', 'null\n', '"head"\n']) {
    for (const isFirst of [true, false]) {
      const folder = mkdtempSync(join(tmpdir(), 'results-'));
      t.teardown(() => rmSync(folder, {recursive: true}));
      if (!isFirst) openResults(folder, {seed: 1}).put('a', 1);
      appendFileSync(join(folder, 'results.ndjson'), text);
      const error = t.throws(() => openResults(folder, {seed: 1}));
      t.like(error, {code: 'INVALID_ARGUMENT'}, text);
      t.regex(error?.message ?? '', /remove the folder to begin anew/);
    }
  }
});
