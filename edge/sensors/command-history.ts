import {COMMAND_CLASSES, type CommandClass} from './command-classes.ts';
import {keptNumbers} from './history.ts';

const recentMs = 600_000;
const followedMs = 1_800_000;
/** Of each class, and boots. */
const timesMax = 64;
/** As if so many more times no boot had followed. */
const doubts = 2;
/** Times of boot are computed from a clock that is set later. */
const sameBootMs = 60_000;

type Kept = {boots?: unknown; commands?: Record<string, unknown>};

/** Which commands were followed by boots on this host. Only classes and times are in it. */
export type CommandHistory = {
  /** Says whether it began a new spell (ten minutes without one of its class before it). */
  add(kind: CommandClass, atMs: number): boolean;
  /** Says whether the boot is new. */
  addBoot(bootMs: number): boolean;
  /**
   * Of the earlier spells of a class that was seen in the last ten minutes, the share that was
   * followed by a boot within 30 minutes, with two more that were not; the largest of all those
   * classes. 0 if none was seen. Spells whose 30 minutes are not over are not counted.
   */
  rebootAffinity(nowMs: number): number;
  toKeep(): Kept;
};

/** `kept` is what `toKeep` gave, unchecked. */
export function createCommandHistory(kept?: unknown): CommandHistory {
  const {boots: keptBoots, commands = {}} = (kept ?? {}) as Kept;
  let boots = keptNumbers(keptBoots, timesMax);
  const spells = new Map(
    COMMAND_CLASSES.map(kind => [kind, keptNumbers(commands[kind], timesMax)]),
  );
  const lastSeen = new Map<CommandClass, number>();
  const affinityOf = (kind: CommandClass, nowMs: number): number => {
    let followed = 0;
    let counted = 0;
    for (const atMs of spells.get(kind) as number[]) {
      const isFollowed = boots.some(bootMs => bootMs >= atMs && bootMs - atMs <= followedMs);
      if (!isFollowed && nowMs - atMs <= followedMs) continue;
      counted++;
      if (isFollowed) followed++;
    }
    return followed / (counted + doubts);
  };
  return {
    add(kind, atMs) {
      const isNew = !(Math.abs(atMs - (lastSeen.get(kind) ?? Number.NaN)) <= recentMs);
      lastSeen.set(kind, atMs);
      if (isNew) spells.set(kind, [...(spells.get(kind) as number[]), atMs].slice(-timesMax));
      return isNew;
    },
    addBoot(bootMs) {
      if (boots.some(known => Math.abs(known - bootMs) <= sameBootMs)) return false;
      boots = [...boots, bootMs].slice(-timesMax);
      return true;
    },
    rebootAffinity(nowMs) {
      let largest = 0;
      for (const [kind, atMs] of lastSeen)
        if (Math.abs(nowMs - atMs) <= recentMs)
          largest = Math.max(largest, affinityOf(kind, nowMs));
      return largest;
    },
    toKeep: () => ({boots, commands: Object.fromEntries(spells)}),
  };
}
