import type {AnomalyReport, MinuteRows} from '../core/domain/anomaly/fleet-watch.ts';

/** What the watching thread is told at its start. */
export type WatchSettings = {
  /** Minutes a day that a healthy host may count as odd. */
  readonly oddMinutesPerHostDay: number;
};

export type WatchRequest = {readonly id: number; readonly rows: MinuteRows};
export type WatchReply = {readonly id: number; readonly report: AnomalyReport};
