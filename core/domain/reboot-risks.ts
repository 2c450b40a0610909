/** What the reboot-intent model tells of a host: who computes it and who reads it share the names. */

/** Ends of the intervals in which a host may go down, in minutes; each begins where the one before ends. */
export const HORIZONS_MINUTES = [1, 5, 15, 30] as const;

export const CAUSES = ['intentional', 'crash'] as const;
export type Cause = (typeof CAUSES)[number];

/** Told for each horizon, horizon after horizon. */
export const STATES = ['normal', ...CAUSES] as const;

/** Names of the outputs: `normal-1m`, `intentional-1m`, `crash-1m`, `normal-5m` and so on. */
export const RISK_OUTPUTS: readonly string[] = HORIZONS_MINUTES.flatMap(minutes =>
  STATES.map(state => `${state}-${minutes}m`),
);

/** The column of {@link RISK_OUTPUTS} that tells of this cause within this horizon. */
export function riskColumn(cause: Cause, minutes: (typeof HORIZONS_MINUTES)[number]): number {
  return RISK_OUTPUTS.indexOf(`${cause}-${minutes}m`);
}
