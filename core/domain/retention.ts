/** How long records of a topic, or rows of a store, are kept: what is older or more goes, oldest first. */
export type Retention = {
  ageMs: number;
  /** Over all partitions of the topic, or all tables of the store. */
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

/**
 * Rows take as much as the journal may, from which decisions and explanations are read. Their age is
 * that of the samples, not of their writing: a bound that is near would take a recording as fast as it
 * is played back beside a live fleet.
 */
export const defaultStoreRetention: Retention = {
  ageMs: 3_650 * dayMs,
  bytes: defaultRetention.journal.bytes,
};

/** A table with rows, and the times of its first and its last one. */
export type Extent = {table: string; oldestMs: number; newestMs: number};

/** The rows of a table that are to go: those before a time. */
export type Cut = {table: string; beforeMs: number};

/** Tables are cut in turns, by no more than this: all of them then begin at about one time. */
export const cutMsMax = 10_000;

/**
 * The next rows that a store deletes, or undefined while it is within its retention. Pure; linear in
 * the tables. A row's age is counted from its table's newest row where the clock is ahead of that:
 * recorded telemetry that is played back is not deleted for being old, nor is everything else for a
 * time that lies in the future. Of what is too much the oldest goes, in whatever table it is.
 */
export function nextCut(
  extents: readonly Extent[],
  usedBytes: number,
  {ageMs, bytes}: Retention,
  nowMs: number,
): Cut | undefined {
  let oldest: Extent | undefined;
  for (const extent of extents) {
    const {table, oldestMs, newestMs} = extent;
    const beforeMs = Math.min(nowMs, newestMs) - ageMs;
    if (oldestMs < beforeMs) return {table, beforeMs};
    if (oldest === undefined || oldestMs < oldest.oldestMs) oldest = extent;
  }
  if (usedBytes <= bytes || oldest === undefined) return undefined;
  return {table: oldest.table, beforeMs: oldest.oldestMs + cutMsMax};
}
