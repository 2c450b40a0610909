/**
 * When two models are compared, and with how much doubt. A comparison that is repeated until it
 * passes always passes: a bound that is made for one look holds for none of many. So looks are few,
 * each after twice the failures of the one before, and share the doubt: the k-th gets a part of
 * 1 ÷ (k (k + 1)), which add up to 1. Whenever one stops, the chance that any of the bounds was too
 * high is at most the doubt of all, by the union bound; each by itself is that of the bootstrap,
 * which is good for large samples only.
 *
 * Failures are counted, not rows: of rows in which nothing happens any number says next to nothing.
 *
 * @see S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric,
 *   nonasymptotic confidence sequences", Annals of Statistics 49(2), 2021, section 3: epochs of
 *   geometrically growing length that share the doubt by 1 ÷ k (k + 1).
 */

/** Failures that must be behind the next look, after so many looks. */
export function failuresForLook(looks: number, first: number): number {
  return first * 2 ** looks;
}

/** The doubt of the k-th look, the first being 1. */
export function doubtOfLook(look: number, doubt: number): number {
  return doubt / (look * (look + 1));
}
