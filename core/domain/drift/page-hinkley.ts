/**
 * A fast alarm for a mean that rises: what a stream is above its own mean so far, less an allowance,
 * is added up; an alarm is a sum that has risen far above its lowest.
 *
 * P1. Values are averaged in lots first, so that rare large losses come nearer to a normal
 *     distribution, for which the rate of false alarms is set; a heavier tail gives more of them.
 * P2. Nothing is said before {@link LOTS_MIN} lots: mean and spread are not known before.
 * P3. A value that is not finite is not taken. State is plain numbers, and depends on the values
 *     alone.
 *
 * @see E. S. Page, "Continuous Inspection Schemes", Biometrika 41, 1954; D. V. Hinkley, "Inference
 *   about the change-point from cumulative sum tests", Biometrika 58(3), 1971; D. Siegmund,
 *   "Sequential Analysis", 1985: how long it takes to the first false alarm.
 */

/** Rises by less than twice this, in standard deviations of a lot, are allowed for a while. */
const ALLOWANCE = 0.5;
const LOTS_MIN = 50;
/** Siegmund's correction for looking now and then instead of always. */
const OVERSHOOT = 1.166;

export type PageHinkley = {
  readonly lotSize: number;
  /** In standard deviations of a lot. */
  readonly limit: number;
  /** Values of the lot under way. */
  inLot: number;
  lotSum: number;
  /** Lots so far, their mean and sum of squared deviations. */
  lots: number;
  mean: number;
  squares: number;
  /** What was above the mean, less the allowance, and the lowest that it was. */
  risen: number;
  lowest: number;
  /** Sum over the lots since the lowest, and their number: the mean after the change. */
  recentSum: number;
  recentLots: number;
};

/** A mean that has risen. */
export type MeanRise = {
  readonly before: number;
  readonly after: number;
  /** Values since the rise began, as far as can be told. */
  readonly since: number;
};

/**
 * @param lotsPerFalseAlarm Lots from one false alarm to the next on average, at least 50.
 * @param lotSize Values in a lot.
 */
export function createPageHinkley(lotsPerFalseAlarm = 10_000, lotSize = 32): PageHinkley {
  return {
    lotSize,
    limit: limitFor(lotsPerFalseAlarm),
    inLot: 0,
    lotSum: 0,
    lots: 0,
    mean: 0,
    squares: 0,
    risen: 0,
    lowest: 0,
    recentSum: 0,
    recentLots: 0,
  };
}

/** Takes a value. O(1). After an alarm it begins anew. */
export function observePageHinkley(state: PageHinkley, value: number): MeanRise | undefined {
  if (!Number.isFinite(value)) return undefined;
  state.lotSum += value;
  if (++state.inLot < state.lotSize) return undefined;
  const lot = state.lotSum / state.lotSize;
  state.inLot = 0;
  state.lotSum = 0;
  const rise = takeLot(state, lot);
  const apart = lot - state.mean;
  state.lots++;
  state.mean += apart / state.lots;
  state.squares += apart * (lot - state.mean);
  if (rise !== undefined) reset(state);
  return rise;
}

function takeLot(state: PageHinkley, lot: number): MeanRise | undefined {
  if (state.lots < LOTS_MIN) return undefined;
  const deviation = Math.sqrt(state.squares / (state.lots - 1));
  // A stream that never varied: any rise at all is one.
  const above = (lot - state.mean) / Math.max(deviation, 1e-12);
  state.risen += above - ALLOWANCE;
  state.recentSum += lot;
  state.recentLots++;
  if (state.risen <= state.lowest) {
    state.lowest = state.risen;
    state.recentSum = 0;
    state.recentLots = 0;
  }
  if (state.risen - state.lowest <= state.limit) return undefined;
  return {
    before:
      (state.mean * state.lots - (state.recentSum - lot)) / (state.lots - state.recentLots + 1),
    after: state.recentSum / state.recentLots,
    since: state.recentLots * state.lotSize,
  };
}

function reset(state: PageHinkley): void {
  Object.assign(state, {lots: 0, mean: 0, squares: 0});
  Object.assign(state, {risen: 0, lowest: 0, recentSum: 0, recentLots: 0});
}

/** The limit that is passed once in so many lots without a change. */
function limitFor(lots: number): number {
  let low = 0;
  let high = 100;
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (runLength(middle) < lots) low = middle;
    else high = middle;
  }
  return high;
}

function runLength(limit: number): number {
  const scaled = 2 * ALLOWANCE * (limit + OVERSHOOT);
  return (Math.exp(scaled) - scaled - 1) / (2 * ALLOWANCE * ALLOWANCE);
}
