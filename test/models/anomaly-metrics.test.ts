import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {findBuffer, volumeUnderSurface} from '../../models/anomaly-metrics.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

/** As computed by the script that judges, `score_anomaly.py`. */
const judged = JSON.parse(
  readFileSync(join(import.meta.dirname, 'data/anomaly-metrics.json'), 'utf8'),
) as {
  cases: {incidents: [number, number][]; scores: number[]; volumes: [number, number][]}[];
  series: {values: number[]; buffer: number}[];
};

function labelsOf(rows: number, incidents: readonly (readonly [number, number])[]): Uint8Array {
  const labels = new Uint8Array(rows);
  for (const [from, to] of incidents) labels.fill(1, from, to + 1);
  return labels;
}

test('the volume is what the judging script computes, also at the edges and with ties', t => {
  for (const {incidents, scores, volumes} of judged.cases) {
    const labels = labelsOf(scores.length, incidents);
    for (const [buffer, volume] of volumes) {
      const got = volumeUnderSurface(labels, scores, buffer);
      t.true(Math.abs(got - volume) < 1e-9, `buffer ${buffer}: ${got}, not ${volume}`);
    }
  }
});

test('the buffer is what the judging script finds: the period, or 125 without one', t => {
  t.deepEqual(
    judged.series.map(({values}) => findBuffer(values)),
    judged.series.map(({buffer}) => buffer),
  );
  t.is(judged.series[0]?.buffer, 48);
});

test('only the order of the scores counts', t => {
  const random = createUniform(5);
  const scores = Array.from({length: 500}, random);
  const labels = labelsOf(500, [
    [50, 70],
    [300, 302],
  ]);
  const volume = volumeUnderSurface(labels, scores, 10);
  fc.assert(
    fc.property(fc.double({min: 0.1, max: 5, noNaN: true}), power => {
      const bent = scores.map(score => 7 * score ** power);
      return Math.abs(volumeUnderSurface(labels, bent, 10) - volume) < 1e-12;
    }),
    {numRuns: 20},
  );
  t.true(volume > 0 && volume < 0.3);
});

test('a score that marks the incidents is near the most that can be had, and no incident gives NaN', t => {
  const labels = labelsOf(500, [[100, 150]]);
  t.true(volumeUnderSurface(labels, labels, 0) > 0.99);
  t.is(volumeUnderSurface(new Uint8Array(50), new Float64Array(50), 5), Number.NaN);
});
