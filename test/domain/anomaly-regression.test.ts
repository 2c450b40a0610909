import test from 'ava';
import {fitRegression} from '../../core/domain/anomaly/regression.ts';
import {createUniform} from '../../models/random.ts';

function drawSeries(seed: number, rows: number): Float64Array {
  const random = createUniform(seed);
  const values = new Float64Array(rows * 2);
  for (let row = 2; row < rows; row++) {
    const at = (lag: number, column: number) => values[(row - lag) * 2 + column] as number;
    values[row * 2] = 0.5 * at(1, 0) - 0.3 * at(2, 1) + 8 * (random() - 0.5);
    values[row * 2 + 1] = 0.8 * at(1, 1) + 0.5 + 8 * (random() - 0.5);
  }
  return values;
}

test('with many rows the weights are those that the series was made with', t => {
  const {weights, deviations} = fitRegression(drawSeries(1, 50_000), 2, 2);
  // The constant is held down most: it is small against the noise.
  const wanted = [0.5, 0, 0, -0.3, 0, 0, 0.8, 0, 0, 0.5];
  for (const [at, value] of wanted.entries()) {
    t.true(Math.abs((weights[at] as number) - value) < 0.05, `${at}: ${weights[at]}`);
  }
  for (const deviation of deviations) t.true(Math.abs(deviation - 8 / Math.sqrt(12)) < 0.05);
});

test('no other weights have a lower sum of squared residuals and 1,000 squared weights', t => {
  const [rows, columns, lags, width] = [drawSeries(2, 300), 2, 2, 5];
  const {weights} = fitRegression(rows, columns, lags);
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < width; i++) {
      let gradient = 1000 * (weights[column * width + i] as number);
      for (let row = lags; row < 300; row++) {
        const before = [1, 2].flatMap(lag => [0, 1].map(c => rows[(row - lag) * 2 + c] as number));
        before.push(1);
        const expected = before.reduce(
          (sum, value, at) => sum + value * (weights[column * width + at] as number),
          0,
        );
        gradient -= (before[i] as number) * ((rows[row * 2 + column] as number) - expected);
      }
      t.true(Math.abs(gradient) < 1e-6, `${column}, ${i}: ${gradient}`);
    }
  }
});
