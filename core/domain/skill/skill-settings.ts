/** Times and bounds of the proof of prediction, of one cell. */
export type SkillSettings = {
  /** A host's risks are judged once in such a step. */
  readonly gridMs: number;
  /** How far ahead risks look. */
  readonly horizonMs: number;
  /** What becomes known so long after a horizon still counts for its forecast. */
  readonly graceMs: number;
  /** Without a tick for so long nothing is known of what happened meanwhile. */
  readonly gapMs: number;
  /** Two failures of a host so close, without a return between them, are one. */
  readonly sameFailureMs: number;
  /** An alert that leaves less time than this comes too late for any act. */
  readonly leastLeadMs: number;
  /** Figures are of so long a time. */
  readonly windowMs: number;
  /** What an unplanned loss of its host costs a VM, and what a ghost leaves of it, in downtime. */
  readonly restartMinutes: number;
  readonly takeoverMinutes: number;
  readonly hostsMax: number;
  readonly alertsMax: number;
  readonly actsMax: number;
};

const MINUTE_MS = 60_000;

export const DEFAULT_SKILL_SETTINGS: SkillSettings = {
  gridMs: 5 * MINUTE_MS,
  horizonMs: 30 * MINUTE_MS,
  graceMs: 30 * MINUTE_MS,
  gapMs: 10 * MINUTE_MS,
  sameFailureMs: 2 * MINUTE_MS,
  leastLeadMs: MINUTE_MS,
  windowMs: 60 * 24 * 60 * MINUTE_MS,
  restartMinutes: 1.5,
  takeoverMinutes: 0.3,
  hostsMax: 4096,
  alertsMax: 2048,
  actsMax: 2048,
};

/** What could not be used, or was contradicted; nothing of it is an error. */
export type SkillCounters = {
  /** Not later than what came before. */
  forecastsOutOfOrder: number;
  /** Of a host that is known to be down or away. */
  forecastsWhileAway: number;
  /** Of more hosts than are kept. */
  hostsRefused: number;
  /** Of more models than are kept: the oldest one's figures went. */
  modelsDropped: number;
  /** An outcome or act of a host that nobody forecast. */
  unknownHosts: number;
  /** Told before: counted once. */
  repeated: number;
  /** A loss of a host that is gone, a return of one that is there or of before its loss. */
  contradictions: number;
  /** Known after later ones: alerts and acts are judged anew, settled forecasts are not. */
  lateOutcomes: number;
  /** Of before everything that is still known of that host. */
  tooLateOutcomes: number;
  /** The clock went back; the time stands still until it has caught up. */
  timesBackwards: number;
  /** Times without ticks. */
  gaps: number;
  /** Dropped before their outcome was known, as there were too many. */
  alertsDropped: number;
  actsDropped: number;
};

export function createSkillCounters(): SkillCounters {
  return {
    forecastsOutOfOrder: 0,
    forecastsWhileAway: 0,
    hostsRefused: 0,
    modelsDropped: 0,
    unknownHosts: 0,
    repeated: 0,
    contradictions: 0,
    lateOutcomes: 0,
    tooLateOutcomes: 0,
    timesBackwards: 0,
    gaps: 0,
    alertsDropped: 0,
    actsDropped: 0,
  };
}
