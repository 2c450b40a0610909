import {createHistogram, type RecordableHistogram} from 'node:perf_hooks';

/** Durations of one kind; recorded in microseconds. */
export type Distribution = {
  record(ms: number): void;
  reset(): void;
  figures(): Figures;
};

/** In milliseconds; all 0 when nothing was recorded. */
export type Figures = {count: number; p50: number; p99: number; p999: number; max: number};

export function createDistribution(): Distribution {
  const histogram: RecordableHistogram = createHistogram({highest: 3_600_000_000, figures: 3});
  return {
    record: ms => histogram.record(Math.max(1, Math.round(ms * 1000))),
    reset: () => histogram.reset(),
    figures() {
      const {count} = histogram;
      if (count === 0) return {count: 0, p50: 0, p99: 0, p999: 0, max: 0};
      const at = (percentile: number) => histogram.percentile(percentile) / 1000;
      return {count, p50: at(50), p99: at(99), p999: at(99.9), max: histogram.max / 1000};
    },
  };
}
