/** How far apart two distributions over the same bins are, and how far chance alone moves them. */

/** From here on an input is worth a look, and worth acting on. */
export const STABILITY_WARN = 0.1;
export const STABILITY_ACT = 0.25;

/** Rarer bins count as this: one host in a bin that had nobody is no revolution. */
const SHARE_MIN = 0.005;

/**
 * Population stability index: Σ (now − usual) × ln(now ÷ usual). 0: alike; symmetric.
 *
 * @param usual Shares that add up to 1.
 * @param now The same bins.
 * @see S. Kullback, R. A. Leibler, "On information and sufficiency", 1951: their divergence J.
 */
export function stabilityIndex(usual: ArrayLike<number>, now: ArrayLike<number>): number {
  let sum = 0;
  for (let bin = 0; bin < usual.length; bin++) {
    const before = Math.max(usual[bin] as number, SHARE_MIN);
    const after = Math.max(now[bin] as number, SHARE_MIN);
    sum += (after - before) * Math.log(after / before);
  }
  return sum;
}

/**
 * The index that samples of one and the same distribution pass with this chance at most, about.
 *
 * @param usualRows Independent rows behind the usual shares; rows that are alike count less.
 * @param nowRows The same, of what is compared.
 * @param bins That either has anything in.
 * @see B. Yurdakul, "Statistical Properties of Population Stability Index", 2018: it is χ² with
 *   bins − 1 degrees of freedom, × (1/n + 1/m).
 */
export function chanceIndex(
  usualRows: number,
  nowRows: number,
  bins: number,
  chance: number,
): number {
  if (bins < 2) return 0;
  return (1 / usualRows + 1 / nowRows) * chiSquareQuantile(bins - 1, chance);
}

/**
 * The value that χ² passes with this chance.
 *
 * @see E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17, 1931.
 */
function chiSquareQuantile(freedom: number, chance: number): number {
  const spread = 2 / (9 * freedom);
  return freedom * Math.max(0, 1 - spread + normalQuantile(chance) * Math.sqrt(spread)) ** 3;
}

/**
 * The value that a standard normal passes with this chance, to 4.5e-4.
 *
 * @see M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 1964: 26.2.23.
 */
function normalQuantile(chance: number): number {
  if (chance > 0.5) return -normalQuantile(1 - chance);
  const t = Math.sqrt(-2 * Math.log(chance));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  return t - above / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}
