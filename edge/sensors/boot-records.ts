import type {LoginRecord} from './login-records.ts';

/** A start of the host. */
export type Boot = {
  atMs: number;
  /** When the life before it ended, as far as that is known; NaN if nothing is. */
  downMs: number;
  /** Whether that life ended by a shutdown; undefined: it is not recorded. */
  isClean: boolean | undefined;
};

export type Boots = {
  boots: readonly Boot[];
  /** Boots since then are complete. */
  sinceMs: number;
};

/** Boots of wtmp, oldest first. One without a shutdown before it was a crash. */
export function bootsOfRecords(records: readonly LoginRecord[]): Boots {
  const boots: Boot[] = [];
  let lastMs = Number.NaN;
  let shutdownMs = Number.NaN;
  for (const {kind, user, atMs} of records) {
    if (kind === 'boot') {
      const isClean = Number.isNaN(lastMs) ? undefined : !Number.isNaN(shutdownMs);
      // Sessions are recorded seldom: of a crash the last one is the best that is known.
      boots.push({atMs, downMs: isClean ? shutdownMs : lastMs, isClean});
      shutdownMs = Number.NaN;
    } else if (kind === 'run-level' && user === 'shutdown') shutdownMs = atMs;
    if (atMs > 0) lastMs = atMs;
  }
  return {boots, sinceMs: records[0]?.atMs ?? Number.NaN};
}

/** A life of the host in the journal, from `journalctl --list-boots -o json`. */
export type JournalLife = {id: string; firstMs: number; lastMs: number};

/** The journal's own last word comes that close to the end of a life that was shut down. */
const farewellMs = 60_000;

/**
 * The same from the journal, where stops are the times at which it was told to stop, by life. Its
 * oldest life has no known start.
 */
export function bootsOfLives(
  lives: readonly JournalLife[],
  stops: readonly {id: string; atMs: number}[],
): Boots {
  const boots = lives.slice(1).map((life, index): Boot => {
    const before = lives[index] as JournalLife;
    const isClean = stops.some(
      ({id, atMs}) => id === before.id && Math.abs(before.lastMs - atMs) <= farewellMs,
    );
    return {atMs: life.firstMs, downMs: before.lastMs, isClean};
  });
  return {boots, sinceMs: lives[0]?.firstMs ?? Number.NaN};
}
