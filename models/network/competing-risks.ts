/**
 * What the reboot-intent model tells: in which interval the host goes down, and why. Each interval
 * is split among the causes, which compete: whichever comes first ends the host's run.
 *
 * @see J. D. Kalbfleisch, R. L. Prentice, "The statistical analysis of failure time data", 2002,
 *   chapter 8; discrete time as in M. Tutz, M. Schmid, "Modeling discrete time-to-event data", 2016.
 */

import {CAUSES, type Cause, HORIZONS_MINUTES, STATES} from '../../core/domain/reboot-risks.ts';

const NONE = HORIZONS_MINUTES.length * CAUSES.length;
/** An interval and a cause each, then none within 30 minutes. */
export const RISK_CLASSES = NONE + 1;

/**
 * The class of a sample whose host goes down so many minutes later for this cause; undefined: it
 * did not within 30 minutes. Only for samples whose next 30 minutes are known.
 */
export function riskClass(down: {minutes: number; cause: Cause} | undefined): number {
  if (down === undefined) return NONE;
  const interval = HORIZONS_MINUTES.findIndex(end => down.minutes <= end);
  return interval < 0 ? NONE : interval * CAUSES.length + CAUSES.indexOf(down.cause);
}

/**
 * The constant that turns probabilities of the classes into the outputs, classes × outputs: sums of
 * disjoint classes, so that a horizon's outputs add up to 1 and a cause never becomes less likely
 * with a longer horizon, but for rounding.
 */
export const RISK_SUMS: readonly (readonly number[])[] = Array.from(
  {length: RISK_CLASSES},
  (_, index) =>
    HORIZONS_MINUTES.flatMap((_minutes, horizon) => {
      const isWithin = Math.floor(index / CAUSES.length) <= horizon;
      const cause = isWithin ? CAUSES[index % CAUSES.length] : undefined;
      return STATES.map(state => Number(state === (cause ?? 'normal')));
    }),
);
