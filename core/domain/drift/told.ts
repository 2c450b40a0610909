/** Numbers as people read them. */
import type {ValueRange} from './snapshot.ts';

export function tellRange([low, high]: ValueRange): string {
  return tellNumber(low) === tellNumber(high)
    ? tellNumber(low)
    : `${tellNumber(low)} to ${tellNumber(high)}`;
}

/** Three digits, no exponents. */
export function tellNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  if (size < 1e-6) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return String(Number(value.toFixed(Math.min(digits, 9))));
}
