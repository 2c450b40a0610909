import {accessSync, constants, mkdirSync} from 'node:fs';
import {ForestayError} from '../core/domain/errors.ts';

/**
 * Makes the folder if there is none. `option` named it.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` if nothing can be written there; before the work, not after.
 */
export function requireFolder(folder: string, option: string): void {
  try {
    mkdirSync(folder, {recursive: true});
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(folder, option, error);
  }
}

function unusable(folder: string, option: string, cause: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot use ${folder} as a folder; choose one that can be written with ${option}`,
    {details: {folder}, cause},
  );
}
