import {randomUUID} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import {dirname} from 'node:path';
import type {AppendFile, Files} from '../ports.ts';

/** Buffers that one system call takes (IOV_MAX on Linux). */
const vectorsMax = 1024;

/**
 * The machine's own file system. Errors are Node's (`ENOENT`, `ENOSPC`, …): what they mean is known
 * only to the caller.
 */
export const nodeFiles: Files = {
  makeDirectory,
  list: path => readdirSync(path).sort(),
  exists: path => existsSync(path),
  size: path => statSync(path).size,
  read: path => readFileSync(path),
  readRange,
  replace(path, bytes) {
    const temporary = `${path}.new`;
    writeDurably(temporary, 'w', bytes);
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  },
  create(path, bytes) {
    if (existsSync(path)) return false;
    // Nobody sees a part of it: the name is given to a file that is whole, if it is still free.
    const temporary = `${path}.${randomUUID()}.new`;
    writeDurably(temporary, 'wx', bytes);
    try {
      linkSync(temporary, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      unlinkSync(temporary);
    }
    syncDirectory(dirname(path));
    return true;
  },
  remove: path => unlinkSync(path),
  truncate(path, length) {
    const file = openSync(path, 'r+');
    try {
      ftruncateSync(file, length);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  openAppend,
};

/** Node's own recursive way never returns where the system lets nobody make a folder (`/proc`). */
function makeDirectory(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    const isParentMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isParentMissing || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (!isThere || !statSync(path).isDirectory()) throw error;
  }
}

/** All of it or nothing: a full disk keeps no half-written file. */
function writeDurably(path: string, flags: 'w' | 'wx', bytes: Uint8Array): void {
  const file = openSync(path, flags);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
}

function readRange(path: string, offset: number, length: number): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(file, bytes, filled, length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

function openAppend(path: string): AppendFile {
  // A new file's name is durable only once its directory is; needed once, and only by a sync.
  let named = existsSync(path);
  const file = openSync(path, 'a');
  const nameDurably = (): void => {
    if (named) return;
    syncDirectory(dirname(path));
    named = true;
  };
  return {
    write: chunks => writeAll(file, chunks),
    sync: () =>
      new Promise((resolve, reject) => {
        fdatasync(file, error => {
          if (error) {
            reject(error);
            return;
          }
          try {
            nameDurably();
            resolve();
          } catch (failure) {
            reject(failure);
          }
        });
      }),
    syncNow() {
      fdatasyncSync(file);
      nameDurably();
    },
    close: () => closeSync(file),
  };
}

function writeAll(file: number, chunks: readonly Uint8Array[]): void {
  let first = 0;
  let skip = 0;
  while (first < chunks.length) {
    const batch = chunks.slice(first, first + vectorsMax);
    if (skip > 0) batch[0] = (batch[0] as Uint8Array).subarray(skip);
    // A short write is legal: go on from the byte that it ended at.
    skip += writevSync(file, batch);
    while (first < chunks.length && skip >= (chunks[first] as Uint8Array).length) {
      skip -= (chunks[first] as Uint8Array).length;
      first++;
    }
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
