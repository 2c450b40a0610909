import assert from 'node:assert/strict';
import test from 'ava';
import {closestWord, editDistance} from '../../core/domain/spelling.ts';
import fc from '../support/fast-check.ts';

test('a change, an addition, a loss and a swap of neighbours each count one', t => {
  t.is(editDistance('tick', 'tock'), 1);
  t.is(editDistance('tick', 'ticks'), 1);
  t.is(editDistance('ticks', 'tick'), 1);
  t.is(editDistance('tick', 'tcik'), 1);
  t.is(editDistance('ca', 'abc'), 3);
  t.is(editDistance('', 'abc'), 3);
});

test('a distance is symmetric, zero only for the same word, and no more than the longer one', t => {
  const word = fc.stringMatching(/^[abc]{0,8}$/);
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(editDistance(b, a), distance);
      assert.equal(distance === 0, a === b);
      assert.ok(distance <= Math.max(a.length, b.length));
      assert.ok(distance >= Math.abs(a.length - b.length));
    }),
  );
  t.pass();
});

test('the nearest word is guessed, the first of equals; far ones are not', t => {
  const words = ['tickMs', 'dataDir', 'topics'];
  t.is(closestWord('tikcMs', words), 'tickMs');
  t.is(closestWord('TICKMS', words), 'tickMs');
  t.is(closestWord('datadri', words), 'dataDir');
  t.is(closestWord('completely', words), undefined);
  t.is(closestWord('ab', ['ax', 'bb']), 'ax');
  t.is(closestWord('x', []), undefined);
});
