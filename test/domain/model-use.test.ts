import test from 'ava';
import {afterSwitch, canaryFor, modelHashOf} from '../../core/domain/model-use.ts';
import fc from '../support/fast-check.ts';

const percent = fc.integer({min: 1, max: 99});
const HOSTS = Array.from({length: 2000}, (_, index) => `rack-${index % 40}/host-${index}`);

test('about as many hosts try a canary as it has percent, and a growing share keeps those it had', t => {
  const holds = () =>
    fc.assert(
      fc.property(percent, percent, (one, other) => {
        const [few, many] = [Math.min(one, other), Math.max(one, other)];
        const trying = (share: number) => HOSTS.filter(host => canaryFor(host, {percent: share}));
        const [first, second] = [trying(few), new Set(trying(many))];
        return (
          first.every(host => second.has(host)) &&
          Math.abs(first.length / HOSTS.length - few / 100) < 0.05
        );
      }),
    );
  t.notThrows(holds);
});

test('a host is scored by the canary that it tries, else by the champion', t => {
  const use = {champion: 'old', canary: {modelHash: 'new', percent: 50}};
  const found = new Set(HOSTS.map(host => modelHashOf(use, host, 'old')));
  t.deepEqual([...found].sort(), ['new', 'old']);
  t.true(HOSTS.every(host => modelHashOf({champion: 'old'}, host, 'old') === 'old'));
  t.is(modelHashOf(undefined, 'any', 'configured'), 'configured');
});

test('all hosts make a champion, a share of them a canary, and nothing or the champion ends it', t => {
  const trial = {champion: 'a', canary: {modelHash: 'b', percent: 30}};
  for (const [modelHash, share, wanted] of [
    ['b', 100, {champion: 'b'}],
    ['b', 60, {champion: 'a', canary: {modelHash: 'b', percent: 60}}],
    ['c', 10, {champion: 'a', canary: {modelHash: 'c', percent: 10}}],
    ['b', 0, {champion: 'a'}],
    ['a', 5, {champion: 'a'}],
    ['a', 100, {champion: 'a'}],
  ] as const) {
    t.deepEqual(afterSwitch(trial, {modelHash, percent: share}), wanted);
  }
  const refused = {...trial, refused: {modelHash: 'x', because: 'it is damaged'}};
  t.is(afterSwitch(refused, {modelHash: 'b', percent: 100}).refused, undefined);
});
