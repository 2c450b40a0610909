import test from 'ava';
import {decomposeSymmetric} from '../../core/domain/anomaly/symmetric.ts';
import fc from '../support/fast-check.ts';

const symmetric = fc.integer({min: 1, max: 9}).chain(size =>
  fc
    .array(fc.double({min: -100, max: 100, noNaN: true}), {
      minLength: size * size,
      maxLength: size * size,
    })
    .map(values => ({
      size,
      matrix: Float64Array.from(values, (_, at) => {
        const [i, j] = [Math.floor(at / size), at % size];
        return values[Math.min(i, j) * size + Math.max(i, j)] as number;
      }),
    })),
);

test('the eigenvectors are orthogonal, of length 1, by falling eigenvalues, and make up the matrix', t => {
  fc.assert(
    fc.property(symmetric, ({size, matrix}) => {
      const before = matrix.slice();
      const {values, vectors} = decomposeSymmetric(matrix, size);
      const at = (i: number, j: number) => vectors[i * size + j] as number;
      for (let i = 0; i < size; i++) {
        if (i > 0 && (values[i] as number) > (values[i - 1] as number)) return false;
        for (let j = 0; j < size; j++) {
          let [dot, sum] = [0, 0];
          for (let k = 0; k < size; k++) {
            dot += at(i, k) * at(j, k);
            sum += at(k, i) * (values[k] as number) * at(k, j);
          }
          if (Math.abs(dot - (i === j ? 1 : 0)) > 1e-9) return false;
          if (Math.abs(sum - (matrix[i * size + j] as number)) > 1e-8) return false;
        }
      }
      return matrix.every((value, index) => value === before[index]);
    }),
  );
  t.pass();
});

test('a matrix whose eigenvectors are known', t => {
  const {values, vectors} = decomposeSymmetric(Float64Array.of(2, 1, 1, 2), 2);
  t.deepEqual(
    [...values].map(value => Math.round(value * 1e12) / 1e12),
    [3, 1],
  );
  t.true(Math.abs(Math.abs(vectors[0] as number) - Math.SQRT1_2) < 1e-12);
});

test('a matrix of zeros has eigenvalues of zero', t => {
  t.deepEqual(decomposeSymmetric(new Float64Array(9), 3).values, new Float64Array(3));
});
