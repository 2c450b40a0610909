/** Who draws from which seeds: nothing is judged on what has taught it. */

/** Training draws from here on, demos from below. */
export const TRAINING_SEED_MIN = 1000;

/** Fleets that judge are drawn from the seed this far above the one that taught. */
export const JUDGING_SEED_OFFSET = 1_000_000;
