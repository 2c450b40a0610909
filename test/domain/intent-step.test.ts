import test from 'ava';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {
  createIntentStep,
  INTENT_COLUMNS,
  INTENT_STEP_MS,
  takeIntentSample,
} from '../../core/domain/intent-step.ts';
import {FIRST_HOST_METRICS, HOST_METRICS} from '../../core/domain/metric-sets.ts';
import fc from '../support/fast-check.ts';

type Sample = {atMs: number; value: number};
type Row = {endsMs: number; value: number};

/** All steps that end while these samples of one metric are taken. */
function rowsOf(samples: readonly Sample[]): Row[] {
  const step = createIntentStep(HOST_METRICS.columns);
  const values = new Float32Array(HOST_METRICS.columns.length).fill(Number.NaN);
  const into = new Float32Array(INTENT_COLUMNS);
  const rows: Row[] = [];
  for (const {atMs, value} of samples) {
    values[0] = value;
    const endedMs = step.endsMs;
    const ended = takeIntentSample(step, atMs, values, into);
    for (let at = 0; at < ended; at++) {
      rows.push({
        endsMs: endedMs + at * INTENT_STEP_MS,
        value: at === 0 ? (into[0] as number) : Number.NaN,
      });
    }
  }
  return rows;
}

const samples = fc
  .array(
    fc.record({
      gapMs: fc.oneof(fc.integer({min: 1, max: 25_000}), fc.constantFrom(1000, 2500, 5000)),
      value: fc.oneof(fc.constant(Number.NaN), fc.integer({min: -9, max: 9})),
    }),
    {minLength: 1, maxLength: 60},
  )
  .map(list => {
    let atMs = Date.UTC(2026, 0, 5);
    return list.map(({gapMs, value}) => {
      atMs += gapMs;
      return {atMs, value};
    });
  });

test('a row is the mean of the samples of its ten seconds, NaN if none has a value', t => {
  fc.assert(
    fc.property(samples, all => {
      for (const {endsMs, value} of rowsOf(all)) {
        const own = all.filter(
          ({atMs, value: one}) =>
            atMs >= endsMs - INTENT_STEP_MS && atMs < endsMs && !Number.isNaN(one),
        );
        const mean = own.reduce((sum, one) => sum + one.value, 0) / own.length;
        if (!Object.is(Math.fround(mean), value)) {
          throw new Error(`step to ${endsMs}: ${value}, not ${mean}`);
        }
      }
    }),
  );
  t.pass();
});

test('steps follow each other without a gap, whatever the samples do', t => {
  fc.assert(
    fc.property(samples, all => {
      const ends = rowsOf(all).map(row => row.endsMs);
      return ends.every(
        (endsMs, at) => at === 0 || endsMs - (ends[at - 1] ?? 0) === INTENT_STEP_MS,
      );
    }),
  );
  t.pass();
});

test('rows do not change when what comes after them is cut off', t => {
  fc.assert(
    fc.property(samples, fc.nat(60), (all, cut) => {
      const some = rowsOf(all.slice(0, cut));
      t.deepEqual(rowsOf(all).slice(0, some.length), some);
    }),
  );
});

test('a sample that comes late is left out', t => {
  const rows = rowsOf([
    {atMs: 11_000, value: 1},
    {atMs: 9_000, value: 100},
    {atMs: 12_000, value: 3},
    {atMs: 20_000, value: 50},
  ]);
  t.deepEqual(rows, [{endsMs: 20_000, value: 2}]);
});

test('inputs that a metric set lacks are missing; what the model concludes itself is no input', t => {
  const step = createIntentStep(FIRST_HOST_METRICS.columns);
  const into = new Float32Array(INTENT_COLUMNS);
  const values = new Float32Array(FIRST_HOST_METRICS.columns.length).fill(2);
  takeIntentSample(step, 1000, values, into);
  t.is(takeIntentSample(step, 11_000, values, into), 1);
  const present = INTENT_INPUTS.filter((_, column) => into[column] === 2).map(({name}) => name);
  t.deepEqual(present, [...FIRST_HOST_METRICS.columns]);
  t.false(INTENT_INPUTS.some(({source}) => source === 'intent'));
});
