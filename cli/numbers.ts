import {InvalidArgumentError} from 'commander';

/** Reads an option's value as a whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    const isWhole = text.trim() !== '' && Number.isSafeInteger(value);
    if (isWhole && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      most === Number.MAX_SAFE_INTEGER
        ? `Expected a whole number of at least ${least}.`
        : `Expected a whole number from ${least} to ${most}.`,
    );
  };
}

/** Reads `90s`, `45m` or `1h`, in milliseconds. */
export function duration(text: string): number {
  const found = /^(\d+)(s|m|h)$/.exec(text);
  if (found === null) throw new InvalidArgumentError('Expected a time like 90s, 45m or 1h.');
  const unit = {s: 1000, m: 60_000, h: 3_600_000}[found[2] as 's' | 'm' | 'h'];
  return Number(found[1]) * unit;
}
