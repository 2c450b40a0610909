import test from 'ava';
import {fitAnomalyModel} from '../../core/domain/anomaly/host-fit.ts';
import {learnUsual} from '../../core/domain/anomaly/learn-usual.ts';
import {spansOf} from '../../core/domain/anomaly/metric-spans.ts';
import {drawRows, ROW_COLUMNS} from './anomaly-rows.ts';

const WIDTH = ROW_COLUMNS.length;
const SPANS = {spans: [1, 1, 1, 1]};

/** Stretches of an hour of hosts that are alike but for their load. */
function stretches(hosts: number, rowsEach: number): Float64Array {
  const rows = Array.from({length: hosts}, (_, host) =>
    drawRows(100 + host, rowsEach).map((value, at) =>
      at % WIDTH === 2 ? value : value + 0.3 * (host % 2),
    ),
  );
  return Float64Array.from(rows.flatMap(of => [...of]));
}

const startsOf = (hosts: number, rowsEach: number) =>
  Array.from({length: hosts}, (_, host) => host * rowsEach);

test('one stretch is what there is without any', t => {
  const rows = drawRows(11, 1500);
  t.deepEqual(
    fitAnomalyModel(rows, ROW_COLUMNS, {...SPANS, starts: [0]}),
    fitAnomalyModel(rows, ROW_COLUMNS, SPANS),
  );
});

test('where another host begins is no break of what is usual', t => {
  const rows = stretches(40, 30);
  const apart = fitAnomalyModel(rows, ROW_COLUMNS, {...SPANS, starts: startsOf(40, 30)});
  const joined = fitAnomalyModel(rows, ROW_COLUMNS, SPANS);
  // A jump between two hosts would be the rarest hundredth that all is measured by.
  t.true((apart.usualLevels[0] as number) < (joined.usualLevels[0] as number) / 2);
  t.true((apart.usualLevels[1] as number) < (joined.usualLevels[1] as number) / 3);
  for (const [at, scale] of apart.residualScales.entries()) {
    t.true(scale <= (joined.residualScales[at] as number));
  }
});

test('the threshold is passed by about the share that is wanted of rows that are not learned from', t => {
  const [hosts, each] = [60, 60];
  const values = stretches(hosts, each);
  const atMs = Float64Array.from({length: hosts * each}, (_, row) => (row % each) * 60_000);
  const starts = startsOf(hosts, each);
  const low = learnUsual(ROW_COLUMNS, {values, atMs, starts}, 0.1);
  const high = learnUsual(ROW_COLUMNS, {values, atMs, starts}, 0.001);
  t.is(low.rows, hosts * each);
  t.deepEqual(low.model, high.model);
  t.true(low.threshold > 1 && low.threshold < high.threshold && high.threshold < 20);
});

test('ratios span 1 unless more is known of them, and what has no bound spans what was seen', t => {
  t.deepEqual(
    spansOf([
      'cpu_utilisation_ratio',
      'voltage_deviation_ratio',
      'temperature_celsius',
      'disk_read_bytes_per_second',
      'unheard_of',
    ]),
    [1, 0.1, 50, undefined, undefined],
  );
});
