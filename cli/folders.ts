import {accessSync, constants, mkdirSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
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

/**
 * Makes the folder that a file is to be written to. `option` named the file.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` as {@link requireFolder}; also if a folder is there.
 */
export function requireFile(path: string, option: string): void {
  requireFolder(dirname(path), option);
  if (statSync(path, {throwIfNoEntry: false})?.isDirectory() !== true) return;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `cannot write ${path}: a folder is there; name a file with ${option}`,
    {details: {path}},
  );
}

function unusable(folder: string, option: string, cause: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot use ${folder} as a folder; choose one that can be written with ${option}`,
    {details: {folder}, cause},
  );
}
