import {ForestayError, isSystemError} from '../core/domain/errors.ts';

/**
 * What `open` gives, which uses the folder of a spool.
 *
 * Errors: `CONFIG_INVALID` if the system lets nobody use it; what else `open` throws.
 */
export function withSpool<Opened>(folder: string, open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    throw isSystemError(error) ? unusable(folder, error) : error;
  }
}

function unusable(folder: string, cause: Error): ForestayError {
  return new ForestayError(
    'CONFIG_INVALID',
    `cannot use the spool ${folder}: ${cause.message}; choose a folder that can be written with --spool`,
    {details: {folder}, cause},
  );
}
