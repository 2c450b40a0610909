import {closeSync, fstatSync, openSync, readSync, statSync} from 'node:fs';

const bytesMax = 256 * 1024;
/** Further behind than that, the middle is left out: what is counted is what happens now. */
const backlogMax = 4 * bytesMax;
const lineMax = 16 * 1024;
/** One for all logs: reads are synchronous, so no two are under way. */
const buffer = Buffer.allocUnsafe(bytesMax);

/** Follows a text log from its end at the first call on. */
export type TextLog = {
  /**
   * Gives the lines that were added since the last call, at most 256 KiB; false if there is no such
   * file. A file that was rotated is read to its end before the new one. Errors: of the system.
   */
  read(onLine: (line: string) => void): boolean;
  close(): void;
};

export function createTextLog(path: string): TextLog {
  let open: {file: number; inode: number; offset: number} | undefined;
  let isFirst = true;
  let rest = '';

  const take = (onLine: (line: string) => void): void => {
    if (open === undefined) return;
    const {size} = fstatSync(open.file);
    // Emptied in place.
    if (size < open.offset) open.offset = 0;
    if (size - open.offset > backlogMax) {
      open.offset = size - bytesMax;
      rest = '';
    }
    const count = readSync(open.file, buffer, 0, bytesMax, open.offset);
    open.offset += count;
    const lines = (rest + buffer.toString('utf8', 0, count)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineMax) rest = '';
    for (const line of lines) if (line !== '') onLine(line);
  };
  const close = (): void => {
    if (open !== undefined) closeSync(open.file);
    open = undefined;
    rest = '';
  };

  return {
    read(onLine) {
      const stat = statSync(path, {throwIfNoEntry: false});
      take(onLine);
      if (open !== undefined && open.inode !== stat?.ino) close();
      if (stat !== undefined && open === undefined) {
        open = {file: openSync(path, 'r'), inode: stat.ino, offset: isFirst ? stat.size : 0};
        take(onLine);
      }
      isFirst = false;
      return stat !== undefined;
    },
    close,
  };
}
