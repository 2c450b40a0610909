import test from 'ava';
import {SortedNames} from '../../core/engine/sorted-names.ts';
import fc from '../support/fast-check.ts';

const name = fc.stringMatching(/^[a-c]{1,3}$/);
const step = fc.oneof(
  fc.record({what: fc.constant('toggle' as const), name}),
  fc.record({what: fc.constant('read' as const), name: fc.option(name)}),
);

test('names come in order after any name, whatever was added and deleted before', t => {
  fc.assert(
    fc.property(fc.array(step, {maxLength: 60}), steps => {
      const names = new SortedNames();
      const known = new Set<string>();
      for (const {what, name} of steps) {
        if (what === 'read') {
          const expected = [...known].filter(one => name === null || one > name).sort();
          t.deepEqual([...names.after(name ?? undefined)], expected);
        } else if (known.delete(name)) names.delete(name);
        else {
          known.add(name);
          names.add(name);
        }
      }
    }),
  );
});

test('a page that is being read is not disturbed by what is added meanwhile', t => {
  const names = new SortedNames();
  for (const one of ['a', 'b', 'd']) names.add(one);
  const page = names.after(undefined);
  t.is(page.next().value, 'a');
  names.add('c');
  t.deepEqual([...names.after('b')], ['c', 'd']);
  t.deepEqual([...page], ['b', 'd']);
});
