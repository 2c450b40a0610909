import test from 'ava';
import {
  createPaneKernel,
  KINDS,
  layoutOf,
  RUN_MAX,
  STEP_WORDS,
  SUMS,
} from '../../core/domain/pane-kernel.ts';
import {createMemory, growMemory} from '../../core/domain/wasm-assembler.ts';
import fc from '../support/fast-check.ts';

const shape = fc.record({
  metrics: fc.integer({min: 1, max: 9}),
  stride: fc.integer({min: 2, max: 6}),
  panes: fc.integer({min: 1, max: 4}),
});

test('every part of a row begins at a whole vector, and none overlaps the next', t => {
  fc.assert(
    fc.property(shape, given => {
      const {line, features, steps, samples, wanted, rows, row, newer, closed} = layoutOf(given);
      const places = [line, features, steps, samples, wanted, rows, row, newer, closed];
      for (const place of places) t.is(place % 16, 0);
      t.true(line >= 4 * given.metrics);
      t.is(features, SUMS * line);
      t.is(steps, features + KINDS * line);
      t.is(samples, steps + 4 * STEP_WORDS * RUN_MAX);
      t.is(wanted, samples + 4 * given.metrics * RUN_MAX);
      t.true(rows >= wanted + 4 * KINDS * given.metrics * RUN_MAX);
      t.is(newer, given.stride * line);
      t.is(closed, newer + SUMS * line);
      t.is(row, closed + given.panes * SUMS * line);
    }),
  );
});

test('a window of one pane has the features of its samples, metric by metric', t => {
  const sample = fc.float({min: -100, max: 100, noNaN: true});
  const given = fc
    .record({metrics: fc.integer({min: 1, max: 9}), stride: fc.integer({min: 2, max: 6})})
    .chain(({metrics, stride}) =>
      fc.tuple(
        fc.constant({metrics, stride, panes: 1}),
        fc.array(fc.array(sample, {minLength: metrics, maxLength: metrics}), {
          minLength: stride,
          maxLength: stride,
        }),
      ),
    );
  fc.assert(
    fc.property(given, ([of, samples]) => {
      const layout = layoutOf(of);
      const memory = createMemory();
      growMemory(memory, layout.rows + layout.row);
      const kernel = createPaneKernel(of, memory);
      const cells = new Float32Array(memory.buffer);
      samples.forEach((values, slot) => {
        cells.set(values, (layout.rows + slot * layout.line) / 4);
      });
      kernel.close(layout.rows, 0);
      kernel.features(layout.rows, 0, layout.features);
      for (let metric = 0; metric < of.metrics; metric++) {
        const column = samples.map(values => values[metric] as number);
        const from = layout.features / 4 + metric * KINDS;
        const [last, mean, deviation, minimum, maximum] = cells.subarray(from, from + KINDS);
        const average = column.reduce((sum, x) => sum + x, 0) / column.length;
        const spread = Math.sqrt(
          column.reduce((sum, x) => sum + (x - average) ** 2, 0) / column.length,
        );
        t.is(last, column.at(-1));
        t.true(Math.abs((mean as number) - average) < 1e-3, `${mean} ${average}`);
        // Of numbers that are alike what is left of their squares is rounding: a variance, not its root.
        const variance = (deviation as number) ** 2;
        t.true(Math.abs(variance - spread ** 2) < 2e-2, `${deviation} ${spread}`);
        // Of two zeros any may be the smaller one.
        t.is((minimum as number) + 0, Math.min(...column) + 0);
        t.is((maximum as number) + 0, Math.max(...column) + 0);
      }
    }),
  );
});
