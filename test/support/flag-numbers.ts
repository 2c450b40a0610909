/** Numbers of a command line. What is none is an error: a run of NaN cases finds nothing wrong. */

/** Errors: `RangeError` for what is not a whole number of at least `least`. */
export function wholeNumber(text: string | undefined, least = 1): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new RangeError(`expected a whole number of at least ${least}, got ${text}`);
}

/** Errors: `RangeError` for what is not a number above 0. */
export function positiveNumber(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new RangeError(`expected a number above 0, got ${text}`);
}
