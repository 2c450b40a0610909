/** How long records of a topic are kept: what is older or more goes, oldest first. */
export type Retention = {
  ageMs: number;
  /** Over all partitions of the topic. */
  bytes: number;
};

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const unbounded = Number.POSITIVE_INFINITY;

/** The table "Topics" of docs/ARCHITECTURE.md. Journals outlive the checkpoints that they point to. */
export const defaultRetention = {
  telemetry: {ageMs: 3 * dayMs, bytes: 16 * 2 ** 30},
  inbox: {ageMs: 30 * dayMs, bytes: unbounded},
  journal: {ageMs: 30 * dayMs, bytes: unbounded},
  scores: {ageMs: dayMs, bytes: unbounded},
  checkpoints: {ageMs: 7 * dayMs, bytes: unbounded},
} as const satisfies Record<string, Retention>;
