import assert from 'node:assert/strict';
import test from 'ava';
import {createMarks} from '../../core/engine/marks.ts';
import fc from '../support/fast-check.ts';

test('each batch is taken once and in order, however often the edge sends it again', t => {
  // An edge that resumes at any sequence it has not seen acknowledged: never beyond what it sent.
  const resumes = fc.array(fc.record({back: fc.nat(8), count: fc.integer({min: 1, max: 8})}));
  fc.assert(
    fc.property(resumes, streams => {
      const marks = createMarks();
      const taken: number[] = [];
      let sent = 0;
      for (const {back, count} of streams) {
        const from = Math.max(1, sent - back + 1);
        for (let seq = from; seq < from + count; seq++) {
          if (marks.take('e', 'c', 1, seq) === 'next') taken.push(seq);
          sent = Math.max(sent, seq);
        }
      }
      assert.deepEqual(
        taken,
        Array.from({length: sent}, (_, index) => index + 1),
      );
    }),
  );
  t.pass();
});

test('marks that were written and read back give the same verdicts', t => {
  const batch = fc.record({
    edge: fc.constantFrom('e1', 'e2'),
    cell: fc.constantFrom('c1', 'c2'),
    incarnation: fc.integer({min: 1, max: 3}),
    seq: fc.integer({min: 1, max: 6}),
  });
  fc.assert(
    fc.property(fc.array(batch), fc.array(batch), (before, after) => {
      const marks = createMarks();
      for (const b of before) marks.take(b.edge, b.cell, b.incarnation, b.seq);
      const copy = createMarks(JSON.parse(JSON.stringify(marks.entries())));
      for (const b of after) {
        assert.equal(
          copy.take(b.edge, b.cell, b.incarnation, b.seq),
          marks.take(b.edge, b.cell, b.incarnation, b.seq),
        );
      }
      assert.deepEqual(copy.entries(), marks.entries());
    }),
  );
  t.pass();
});

test('an unknown edge is taken from the first sequence seen, then without holes', t => {
  const marks = createMarks();
  t.is(marks.take('e', 'c', 1, 40), 'next');
  t.is(marks.take('e', 'c', 1, 40), 'repeated');
  t.is(marks.take('e', 'c', 1, 42), 'gapped');
  t.is(marks.take('e', 'c', 1, 41), 'next');
  t.is(marks.take('e', 'c', 1, 42), 'next');
});

test('a gap record moves the mark over what will never come', t => {
  const marks = createMarks();
  marks.take('e', 'c', 1, 4);
  t.is(marks.skip('e', 'c', 1, 7, 8), 'gapped');
  t.is(marks.skip('e', 'c', 1, 3, 6), 'next');
  t.is(marks.skip('e', 'c', 1, 3, 6), 'repeated');
  t.is(marks.take('e', 'c', 1, 7), 'next');
});

test('once an edge has begun a new incarnation the old one is a repeat', t => {
  const marks = createMarks();
  marks.take('e', 'c', 1, 9);
  t.is(marks.take('e', 'c', 2, 1), 'next');
  t.is(marks.take('e', 'c', 1, 10), 'repeated');
  t.is(marks.take('e', 'other', 1, 1), 'next');
});

test('entries come in one order, whatever order the edges appeared in', t => {
  const [a, b] = [createMarks(), createMarks()];
  for (const edge of ['x', 'y', 'z']) a.take(edge, 'c', 1, 1);
  for (const edge of ['z', 'x', 'y']) b.take(edge, 'c', 1, 1);
  t.deepEqual(a.entries(), b.entries());
});

test('where records are missing, whatever comes next and is newer is taken, once', t => {
  const marks = createMarks();
  for (const edge of ['a', 'b']) marks.take(edge, 'c', 1, 4);
  marks.loosen();
  t.is(marks.take('a', 'c', 1, 4), 'repeated', 'what was taken before stays taken');
  t.is(marks.take('a', 'c', 1, 7), 'next');
  t.is(marks.take('a', 'c', 1, 9), 'gapped', 'only the first one');
  const copy = createMarks(JSON.parse(JSON.stringify(marks.entries())));
  t.is(copy.skip('b', 'c', 1, 6, 8), 'next');
  t.is(copy.take('b', 'c', 1, 9), 'next');
});
