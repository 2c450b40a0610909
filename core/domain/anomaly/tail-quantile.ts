/** Values beyond it are enough to read the quantile off the sorted ones. */
const BEYOND_MIN = 20;
const PEAK_SHARE = 0.1;
const SHAPE_MIN = -0.2;
const SHAPE_MAX = 0.5;

/**
 * The value that a share of all such values reaches or passes. Where too few of these do, a
 * generalised Pareto distribution fitted to the largest tenth says what lies beyond them.
 *
 * @param values At least ten, finite; they are sorted in place.
 * @param share Above 0, below 1.
 * @see J. R. M. Hosking, J. R. Wallis, "Parameter and Quantile Estimation for the Generalized Pareto
 *   Distribution", Technometrics 29(3), 1987.
 */
export function tailQuantile(values: Float64Array, share: number): number {
  values.sort();
  const count = values.length;
  if (share >= PEAK_SHARE || count * share >= BEYOND_MIN) {
    return values[Math.min(count - 1, Math.ceil(count * (1 - share)))] as number;
  }
  const peaks = Math.max(Math.floor(count * PEAK_SHARE), 5);
  const threshold = values[count - peaks - 1] as number;
  let mean = 0;
  let weighted = 0;
  for (let index = 0; index < peaks; index++) {
    const excess = (values[count - peaks + index] as number) - threshold;
    mean += excess;
    weighted += excess * (1 - (index + 0.65) / peaks);
  }
  mean /= peaks;
  weighted /= peaks;
  const spread = mean - 2 * weighted;
  const own = spread > 1e-12 * mean ? 2 - mean / spread : SHAPE_MIN;
  const shape = Math.min(Math.max(own, SHAPE_MIN), SHAPE_MAX);
  const ratio = peaks / count / share;
  const reach = Math.abs(shape) < 1e-6 ? Math.log(ratio) : (ratio ** shape - 1) / shape;
  return threshold + mean * (1 - shape) * reach;
}
