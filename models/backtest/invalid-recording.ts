import {ForestayError} from '../../core/domain/errors.ts';

/** What is at the path cannot be judged by, and why; to be thrown. */
export function invalidRecording(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot use ${path}: ${reason}; check it against the layout in docs/how-to/backtest.md`,
    {details: {path}, cause},
  );
}
