/** How long records of a topic are kept: what is older or more goes, oldest first. */
export type Retention = {
  ageMs: number;
  /** Over all partitions of the topic. */
  bytes: number;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const gibibyte = 2 ** 30;
const unbounded = Number.POSITIVE_INFINITY;

/**
 * The table "Topics" of docs/ARCHITECTURE.md. Journals outlive the checkpoints that they point to. Of
 * both, an embedded log never deletes what a start needs, and of checkpoints it keeps no more.
 */
export const defaultRetention = {
  telemetry: {ageMs: 3 * dayMs, bytes: 16 * gibibyte},
  inbox: {ageMs: 30 * dayMs, bytes: unbounded},
  journal: {ageMs: 30 * dayMs, bytes: 64 * gibibyte},
  scores: {ageMs: dayMs, bytes: unbounded},
  checkpoints: {ageMs: 7 * dayMs, bytes: 16 * gibibyte},
} as const satisfies Record<string, Retention>;
