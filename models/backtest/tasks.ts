import type {Backtest} from './backtest.ts';

/** Every task by its name, loaded when it is run. */
export const BACKTESTS: Readonly<
  Record<string, {readonly about: string; load(): Promise<Backtest>}>
> = {
  anomaly: {
    about: 'how odd each row of a host is, and which metrics make it so (asd, smd)',
    load: async () => (await import('./anomaly.ts')).backtestAnomaly,
  },
  nab: {
    about: 'how surprising each value of a single series is (nab)',
    load: async () => (await import('./nab.ts')).backtestNab,
  },
  failure: {
    about: 'which hosts go down within a week, by component, and within a day (lanl)',
    load: async () => (await import('./failure.ts')).backtestFailure,
  },
  disk: {
    about: 'which drives fail within a week (backblaze)',
    load: async () => (await import('./disk.ts')).backtestDisk,
  },
};
