/**
 * Which metrics speak for a reboot, as an agent sends it beside the probability: in the place where
 * sensors name the worst of several devices. `shutdown_scheduled_ratio +0.41, sessions_open +0.08`
 */

/** What one metric adds to the probability. */
export type RebootSign = {readonly metric: string; readonly part: number};

const SIGNS_MAX = 5;

/** The largest first; parts that round to nothing are left out. */
export function formatSigns(signs: readonly RebootSign[]): string {
  return signs
    .filter(({part}) => Math.abs(part) >= 0.005)
    .toSorted((a, b) => Math.abs(b.part) - Math.abs(a.part))
    .slice(0, SIGNS_MAX)
    .map(({metric, part}) => `${metric} ${part < 0 ? '' : '+'}${part.toFixed(2)}`)
    .join(', ');
}

/** What {@link formatSigns} said; whatever else stands there is passed over. */
export function parseSigns(text: string): RebootSign[] {
  return [...text.matchAll(/(?:^|, )([a-z0-9_]{1,64}) ([+-]\d\.\d\d)(?=,|$)/g)].map(
    ([, metric, part]) => ({metric: metric as string, part: Number(part)}),
  );
}
