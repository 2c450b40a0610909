/** Turns readings of a counter into a rate; see {@link createRate}. */
export type Rate = (total: number, nowMs: number) => number;

/**
 * A counter's growth per second since the previous reading. NaN at the first reading, when time
 * stood still or went back, and when the counter went back: a reset or a wrap is not a rate.
 */
export function createRate(): Rate {
  let lastTotal = Number.NaN;
  let lastMs = Number.NaN;
  return (total, nowMs) => {
    const growth = total - lastTotal;
    const seconds = (nowMs - lastMs) / 1000;
    lastTotal = total;
    lastMs = nowMs;
    return growth >= 0 && seconds > 0 ? growth / seconds : Number.NaN;
  };
}

/** Rates of counters that come and go, by name. */
export type Rates = {
  of(name: string): Rate;
  /** Forgets those that were not asked for since the last call. */
  sweep(): void;
};

export function createRates(): Rates {
  let last = new Map<string, Rate>();
  let current = new Map<string, Rate>();
  return {
    of(name) {
      const rate = current.get(name) ?? last.get(name) ?? createRate();
      current.set(name, rate);
      return rate;
    },
    sweep() {
      last = current;
      current = new Map();
    },
  };
}
