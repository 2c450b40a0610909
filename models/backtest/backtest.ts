/** Methods on recordings whose outcome is known: what would have been predicted, row by row. */

export type BacktestOptions = {
  /** Folder of the recordings that are predicted. */
  readonly data: string;
  /** Folder that predictions are written to; it exists. */
  readonly out: string;
  /** Folder of other recordings to learn from; undefined: cross-validation within `data`. */
  readonly train: string | undefined;
  readonly seed: number;
  /** False: what others taught stays as it is; nothing is learned of outcomes as they become known. */
  readonly learning?: boolean;
  /** Takes a line of progress. */
  readonly note: (line: string) => void;
};

export type BacktestReport = {
  /** Written, relative to `out`. */
  readonly files: readonly string[];
  /** Predicted. */
  readonly rows: number;
  /** Those of the files that have a header and no row. Absent: none. */
  readonly empty?: readonly string[];
};

/**
 * Equal data, options and seed give equal files.
 *
 * Errors: `TRAINING_DATA_INVALID` for recordings that are not as they must be.
 */
export type Backtest = (options: BacktestOptions) => Promise<BacktestReport>;
