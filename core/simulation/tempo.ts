import {DAY_MS, HOUR_MS, WEEK_MS} from './calendar.ts';

/**
 * How densely things happen. `lapse` is a demonstration's: wear of days runs its course in minutes,
 * rates of years become those of hours. `life` is as hosts live, for what shows days ahead.
 */
export type Tempo = {
  readonly isLapse: boolean;
  /** Runs start in good health. */
  readonly graceMs: number;
  /** What happens is known this far beyond a run's end, so that its last rows can be labelled. */
  readonly labelMs: number;
  /**
   * What leads to a reboot begins at most so long before it: reboots are drawn so far beyond the
   * last label, or a run's last rows would lack what they show of later ones.
   */
  readonly leadMs: number;
  /** Between an upgrade and its reboot, at the median. */
  readonly lagMs: number;
  /** Multiplies how often a change brings a fault: in life there are more changes than failures. */
  readonly regressionFactor: number;
  /** Between a change and the fault that it brings, on average. */
  readonly regressionMs: number;
};

const MINUTE_MS = 60_000;

export const LAPSE: Tempo = {
  isLapse: true,
  graceMs: MINUTE_MS,
  labelMs: 30 * MINUTE_MS,
  leadMs: 3 * HOUR_MS,
  lagMs: 8 * MINUTE_MS,
  regressionFactor: 1,
  regressionMs: 20 * MINUTE_MS,
};

export const LIFE: Tempo = {
  isLapse: false,
  graceMs: HOUR_MS,
  labelMs: WEEK_MS,
  leadMs: 21 * DAY_MS,
  lagMs: 2 * DAY_MS,
  regressionFactor: 0.08,
  regressionMs: 1.5 * DAY_MS,
};
