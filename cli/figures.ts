/** Measured values as people read them, in one place. */

/**
 * A microsecond, a millionth, once in twelve days: averages over minutes say nothing smaller, and
 * what is left in them of an event weeks ago is nothing.
 */
const RESOLUTION = 1e-6;

/**
 * `0.0577 per second`, `12,345`: three digits, thousands whole, 0 for what is too small to have been
 * measured. A ratio says so in its name. NaN is `not measured`.
 */
export function formatFigure(value: number, unit = ''): string {
  if (Number.isNaN(value)) return 'not measured';
  const shown = shorten(value);
  return unit === '' || unit === 'ratio' ? shown : `${shown} ${unit}`;
}

/** `12 %`, and below a tenth `3.4 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function shorten(value: number): string {
  const size = Math.abs(value);
  if (size < RESOLUTION) return '0';
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
