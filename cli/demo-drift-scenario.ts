/**
 * What `forestay demo --drift` plays. Sizes are found by measurement: enough failures for each step
 * to be proven, in as little time of the machine as that takes.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const DRIFT_SCENARIO = {
  hosts: 80,
  /** How many of them are of the generation that arrives. */
  arrivingHosts: 50,
  /**
   * So many on the hosts of the beginning that their load is what models have learned: of 40, 15 of
   * their inputs would be seen to have moved after an hour, of these 4.
   */
  vms: 150,
  arrivesAfterMs: 2 * HOUR_MS,
  /**
   * A sample of every host, and a tick, each. By so few some inputs scatter more than where models
   * learned: these 4. Of a sample each 2 seconds it would be 1, by a hair, in twelve times the time.
   */
  stepMs: 30_000,
  scoreEveryMs: MINUTE_MS,
  /** Staff knows what broke so long after a host has failed. */
  knownAfterMs: 3 * MINUTE_MS,
  /** A bad model is put beside the one that was promoted so long after its promotion. */
  badModelAfterMs: 30 * MINUTE_MS,
  /** The new model is watched at least so long after its promotion. */
  afterMs: 150 * MINUTE_MS,
  /** Over at last, whatever has happened until then. */
  durationMsMax: 14 * HOUR_MS,
  /** What a risk is of: forecasts of the last so many minutes are not judged. */
  horizonMs: 30 * MINUTE_MS,
  /**
   * Failures are counted as in life; times are shorter, as failures are more frequent. More of them
   * than a keeper asks for before it trains: half are of the hosts that were there before.
   */
  keeper: {
    trainingLeastFailures: 70,
    canaryMs: 45 * MINUTE_MS,
    canaryMsMax: 3 * HOUR_MS,
    probationMs: HOUR_MS,
    coolDownMs: HOUR_MS,
    coolDownMsMax: 6 * HOUR_MS,
  },
  keeperLimits: {skillWindowMs: 3 * HOUR_MS},
};
