/**
 * When a host goes down, if it does within the horizon of risks: what can still be finished before
 * that. Parts fail at a time about which nothing more is known; of reboots agents say more.
 */
import {HORIZONS_MINUTES} from './reboot-risks.ts';

/** A risk of going down by a time from now. */
export type RiskPoint = {readonly atMs: number; readonly risk: number};

/**
 * How a host's risk grows from none now to all of it at the horizon: at rising times, even in
 * between. Two points of one time are a step: the risk comes at that very moment.
 */
export type RiskCurve = readonly RiskPoint[];

/** What an agent says of a reboot on purpose. */
export type RebootWord = {
  /** Probability within each of {@link HORIZONS_MINUTES}; NaN: not said. */
  readonly within: readonly number[];
  /** Until the shutdown that is scheduled; NaN: none is. */
  readonly dueInMs: number;
};

/** So long after its time a shutdown may still be about to begin: clocks differ, and it takes a while. */
const OVERDUE_MS = 60_000;

/**
 * The risk that parts fail or that the host is rebooted, taken as independent, by each time.
 *
 * @param failure That a part fails within the horizon: at any time of it, as likely as at any other.
 * @param reboot That it is rebooted within the horizon. Its share by each time is as the agent says;
 *   with a shutdown scheduled, all of it comes when that is due; with neither, at any time.
 */
export function riskCurve(
  failure: number,
  reboot: number,
  {within, dueInMs}: RebootWord,
  horizonMs: number,
): RiskCurve {
  const both = (atMs: number, byThen: number): RiskPoint => ({
    atMs,
    risk: 1 - (1 - failure * (atMs / horizonMs)) * (1 - byThen),
  });
  if (isAnnounced(dueInMs, horizonMs)) {
    const dueMs = Math.max(0, dueInMs);
    return [both(0, 0), both(dueMs, 0), both(dueMs, reboot), both(horizonMs, reboot)];
  }
  const whole = within.at(-1) as number;
  const points = [both(0, 0)];
  let byThen = 0;
  for (const [index, minutes] of HORIZONS_MINUTES.entries()) {
    const atMs = minutes * 60_000;
    const share = (within[index] as number) / whole;
    if (!(atMs < horizonMs) || Number.isNaN(share)) continue;
    byThen = Math.max(byThen, reboot * Math.min(1, share));
    points.push(both(atMs, byThen));
  }
  points.push(both(horizonMs, reboot));
  return points;
}

/** Whether a shutdown is scheduled within the horizon, or should have begun a moment ago. */
export function isAnnounced(dueInMs: number, horizonMs: number): boolean {
  return dueInMs >= -OVERDUE_MS && dueInMs < horizonMs;
}

/** The risk by a time from now; at a step, with what comes there. */
export function riskBy(curve: RiskCurve, ms: number): number {
  const next = curve.findIndex(({atMs}) => atMs > ms);
  if (next === 0) return 0;
  const before = curve.at(next < 0 ? -1 : next - 1);
  const after = curve[next];
  if (before === undefined) return 0;
  if (after === undefined) return before.risk;
  const share = (ms - before.atMs) / (after.atMs - before.atMs);
  return before.risk + share * (after.risk - before.risk);
}

/** The time by which half of the risk has come: the median of when it happens, if it does. */
export function expectedInMs(curve: RiskCurve): number {
  const half = (curve.at(-1)?.risk ?? 0) / 2;
  const next = curve.findIndex(({risk}) => risk >= half);
  const [before, after] = [curve[next - 1], curve[next]];
  if (before === undefined || after === undefined) return 0;
  const share = (half - before.risk) / (after.risk - before.risk);
  return before.atMs + share * (after.atMs - before.atMs);
}
