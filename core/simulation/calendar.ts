/** What people's clocks say at a moment of the world. The datacenter's time zone is UTC. */
export type Moment = {
  readonly nowMs: number;
  /** 0 to 23. */
  readonly hour: number;
  /** 0 is Monday. */
  readonly weekday: number;
  readonly sine: number;
  readonly cosine: number;
  /** 1 on Saturday and Sunday. */
  readonly weekend: number;
};

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;
/** The epoch began on a Thursday. */
const EPOCH_WEEKDAY = 3;

export function hourOf(atMs: number): number {
  return Math.floor((((atMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS);
}

/** 0 is Monday. */
export function weekdayOf(atMs: number): number {
  return (((Math.floor(atMs / DAY_MS) + EPOCH_WEEKDAY) % 7) + 7) % 7;
}

export function momentOf(nowMs: number): Moment {
  const angle = (2 * Math.PI * (nowMs % DAY_MS)) / DAY_MS;
  const weekday = weekdayOf(nowMs);
  return {
    nowMs,
    hour: hourOf(nowMs),
    weekday,
    sine: Math.sin(angle),
    cosine: Math.cos(angle),
    weekend: Number(weekday >= 5),
  };
}
