import {mkdtempSync, rmSync} from 'node:fs';
import {mkdir, readdir, rename, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {ForestayError, isSystemError} from '../core/domain/errors.ts';

/** A folder that is filled now, with the process that does it. */
const INNER = /^\.unfinished-(\d+)-/;

/**
 * Lets `write` fill a folder inside of `folder`, then moves its files to their places: a command that
 * fails or is killed leaves what was there as it was. What a kill leaves of the inner folder is
 * removed by the next. `option` named the folder.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` if the disk is full or refuses; whatever `write` throws.
 */
export async function publish<Result>(
  folder: string,
  option: string,
  write: (inner: string) => Promise<Result>,
): Promise<Result> {
  let inner: string | undefined;
  try {
    for (const left of await readdir(folder)) {
      if (isAbandoned(left)) rmSync(join(folder, left), {recursive: true, force: true});
    }
    inner = mkdtempSync(join(folder, `.unfinished-${process.pid}-`));
    const result = await write(inner);
    for (const file of await filesOf(inner)) {
      await mkdir(dirname(join(folder, file)), {recursive: true});
      await rename(join(inner, file), join(folder, file));
    }
    return result;
  } catch (error) {
    throw isSystemError(error) ? unwritable(folder, option, error) : error;
  } finally {
    if (inner !== undefined) rmSync(inner, {recursive: true, force: true});
  }
}

/** {@link publish} of one file. `option` named it. */
export function publishFile(path: string, option: string, text: string): Promise<void> {
  return publish(dirname(path), option, inner => writeFile(join(inner, basename(path)), text));
}

function isAbandoned(name: string): boolean {
  const [, pid] = INNER.exec(name) ?? [];
  if (pid === undefined) return false;
  try {
    return !process.kill(Number(pid), 0);
  } catch (error) {
    return isSystemError(error) && error.code === 'ESRCH';
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, {recursive: true, withFileTypes: true});
  return entries
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function unwritable(folder: string, option: string, cause: Error): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot write to ${folder}; make room there or choose another place with ${option}`,
    {details: {folder}, cause},
  );
}
