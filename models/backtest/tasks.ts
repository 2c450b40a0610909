import type {Backtest} from './backtest.ts';

/** Every task by its name, loaded when it is run. */
export const BACKTESTS: Readonly<
  Record<string, {readonly about: string; load(): Promise<Backtest>}>
> = {};
