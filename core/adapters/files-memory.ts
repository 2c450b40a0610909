import {dirname} from 'node:path/posix';
import type {AppendFile, Files, Random} from '../ports.ts';

/** Files in memory, with the accidents that real ones have. */
export type MemoryFiles = Files & {
  /**
   * The power fails: what was not synced is gone and open files are dead. With `random`, a part of
   * the bytes that were not synced survives, its end possibly garbled: a torn write.
   */
  crash(random?: Random): void;
  /**
   * The call that changes something after `calls` more of them throws `EIO`. It and all later ones
   * do nothing until {@link MemoryFiles.crash}: the process is as good as dead.
   */
  failAfter(calls: number): void;
  /** Inverts the bits of `mask` in one byte, on the disk and for readers. */
  damage(path: string, offset: number, mask?: number): void;
  /** Calls so far that change something; a bound for {@link MemoryFiles.failAfter}. */
  readonly changes: number;
};

/** One file: `bytes` is what a reader sees, the first `durable` of them survive a crash. */
type MemoryFile = {bytes: Uint8Array; durable: number};

/**
 * A small real implementation of {@link Files} for tests and simulations. Replacing, truncating and
 * removing are durable at once; appended bytes are durable after a sync. Missing paths throw
 * `ENOENT` as Node does.
 */
export function createMemoryFiles(): MemoryFiles {
  const files = new Map<string, MemoryFile>();
  const directories = new Set<string>(['/']);
  let changes = 0;
  let failAt = Number.POSITIVE_INFINITY;
  let life = 0;

  const change = (): void => {
    if (changes >= failAt) throw failure('EIO', 'input/output error');
    changes++;
  };
  const find = (path: string): MemoryFile => {
    const file = files.get(path);
    if (file === undefined) throw failure('ENOENT', `no such file: ${path}`);
    return file;
  };

  const openAppend = (path: string): AppendFile => {
    change();
    if (!directories.has(dirname(path))) throw failure('ENOENT', `no such directory: ${path}`);
    const file = files.get(path) ?? {bytes: new Uint8Array(0), durable: 0};
    files.set(path, file);
    const openedIn = life;
    let open = true;
    const use = (): void => {
      if (!open || openedIn !== life) throw failure('EBADF', `file is closed: ${path}`);
      change();
    };
    const syncNow = (): void => {
      use();
      file.durable = file.bytes.length;
    };
    return {
      write(chunks) {
        use();
        file.bytes = Buffer.concat([file.bytes, ...chunks]);
      },
      syncNow,
      async sync() {
        // What is written while the sync is under way is not covered by it.
        const length = file.bytes.length;
        use();
        await new Promise(resolve => setImmediate(resolve));
        if (openedIn === life) file.durable = Math.max(file.durable, length);
      },
      close() {
        open = false;
      },
    };
  };

  return {
    makeDirectory(path) {
      for (let at = path; at !== '/'; at = dirname(at)) directories.add(at);
    },
    list(path) {
      if (!directories.has(path)) throw failure('ENOENT', `no such directory: ${path}`);
      const names = [...files.keys(), ...directories]
        .filter(at => at !== '/' && dirname(at) === path)
        .map(at => at.slice(path === '/' ? 1 : path.length + 1));
      return names.sort();
    },
    exists: path => files.has(path) || directories.has(path),
    size: path => find(path).bytes.length,
    read: path => Uint8Array.from(find(path).bytes),
    readRange: (path, offset, length) =>
      Uint8Array.from(find(path).bytes.subarray(offset, offset + length)),
    replace(path, bytes) {
      change();
      files.set(path, {bytes: Uint8Array.from(bytes), durable: bytes.length});
    },
    remove(path) {
      find(path);
      change();
      files.delete(path);
    },
    truncate(path, length) {
      const file = find(path);
      change();
      file.bytes = file.bytes.slice(0, length);
      file.durable = Math.min(file.durable, length);
    },
    openAppend,
    crash(random) {
      life++;
      failAt = Number.POSITIVE_INFINITY;
      for (const file of files.values()) file.bytes = survivors(file, random);
    },
    failAfter(calls) {
      failAt = changes + calls;
    },
    damage(path, offset, mask = 0xff) {
      const {bytes} = find(path);
      bytes[offset] = (bytes[offset] as number) ^ mask;
    },
    get changes() {
      return changes;
    },
  };
}

function survivors(file: MemoryFile, random: Random | undefined): Uint8Array {
  const pending = file.bytes.length - file.durable;
  const kept = random === undefined ? 0 : Math.floor(random.next() * (pending + 1));
  const bytes = file.bytes.slice(0, file.durable + kept);
  if (random !== undefined && kept > 0 && random.next() < 0.5)
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 0x55;
  file.durable = bytes.length;
  return bytes;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), {code});
}
