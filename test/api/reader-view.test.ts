import test from 'ava';
import {ReaderView} from '../../core/api/reader-view.ts';
import fc from '../support/fast-check.ts';

const names = ['a', 'b', 'c', 'd'];
const changes = fc.array(
  fc.record({
    name: fc.constantFrom(...names),
    state: fc.constantFrom('shown' as const, 'hidden' as const, 'gone' as const),
  }),
);

test('a reader has what it is shown, whatever it knew before its token', t => {
  fc.assert(
    fc.property(fc.subarray(names), fc.boolean(), changes, (before, isComplete, steps) => {
      const kept = new Set(isComplete ? [] : before);
      const states = new Map<string, string>();
      const view = new ReaderView(isComplete);
      for (const {name, state} of steps) {
        states.set(name, state);
        if (state === 'shown') {
          view.show(name);
          kept.add(name);
        } else if (view.hide(name, state === 'gone')) kept.delete(name);
        for (const [one, is] of states) t.is(kept.has(one), is === 'shown', one);
        const present = [...states.values()].filter(is => is !== 'gone').length;
        t.true(view.size <= 2 * present);
      }
    }),
  );
});

test('what comes and goes leaves no mark', t => {
  const view = new ReaderView(false);
  for (let n = 0; n < 1000; n++) {
    view.show(`v${n}`);
    t.true(view.hide(`v${n}`, true));
  }
  t.is(view.size, 0);
});

test('a reader is told once of what it must not have, and of nothing that it cannot have', t => {
  const resumed = new ReaderView(false);
  t.deepEqual([resumed.hide('a', false), resumed.hide('a', false)], [true, false]);
  const complete = new ReaderView(true);
  t.false(complete.hide('a', false));
});
