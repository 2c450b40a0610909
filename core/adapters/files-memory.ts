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
  /** The disk holds so many bytes: what goes beyond is not written, and `ENOSPC` is thrown. */
  limitTo(bytes: number): void;
  /** Inverts the bits of `mask` in one byte, on the disk and for readers. */
  damage(path: string, offset: number, mask?: number): void;
  /** Calls so far that change something; a bound for {@link MemoryFiles.failAfter}. */
  readonly changes: number;
};

/**
 * A small real implementation of {@link Files} for tests and simulations. Replacing, truncating and
 * removing are durable at once; appended bytes are durable after a sync. Missing paths throw
 * `ENOENT` as Node does.
 */
export function createMemoryFiles(): MemoryFiles {
  const contents = new Map<string, Content>();
  const directories = new Set<string>(['/']);
  const fate = {changes: 0, failAt: Number.POSITIVE_INFINITY, life: 0};
  let bytesMax = Number.POSITIVE_INFINITY;

  const change = (): void => {
    if (fate.changes >= fate.failAt) throw failure('EIO', 'input/output error');
    fate.changes++;
  };
  const free = (): number => {
    if (bytesMax === Number.POSITIVE_INFINITY) return bytesMax;
    let used = 0;
    for (const {length} of contents.values()) used += length;
    return Math.max(0, bytesMax - used);
  };
  const find = (path: string): Content => {
    const content = contents.get(path);
    if (content === undefined) throw failure('ENOENT', `no such file: ${path}`);
    return content;
  };

  return {
    makeDirectory(path) {
      for (let at = path; at !== '/'; at = dirname(at)) directories.add(at);
    },
    list(path) {
      if (!directories.has(path)) throw failure('ENOENT', `no such directory: ${path}`);
      return [...contents.keys(), ...directories]
        .filter(at => at !== '/' && dirname(at) === path)
        .map(at => at.slice(path === '/' ? 1 : path.length + 1))
        .sort();
    },
    exists: path => contents.has(path) || directories.has(path),
    size: path => find(path).length,
    read: path => find(path).slice(0),
    readRange: (path, offset, length) => find(path).slice(offset, offset + length),
    replace(path, bytes) {
      change();
      // The old bytes stay until the new ones are there.
      if (bytes.length > free()) throw failure('ENOSPC', 'no space left on device');
      const content = new Content();
      content.append(bytes);
      content.durable = content.length;
      contents.set(path, content);
    },
    create(path, bytes) {
      if (contents.has(path)) return false;
      this.replace(path, bytes);
      return true;
    },
    remove(path) {
      find(path);
      change();
      contents.delete(path);
    },
    truncate(path, length) {
      const content = find(path);
      change();
      content.cut(length);
    },
    openAppend(path) {
      change();
      if (!directories.has(dirname(path))) throw failure('ENOENT', `no such directory: ${path}`);
      const content = contents.get(path) ?? new Content();
      contents.set(path, content);
      return openContent(content, fate, change, free);
    },
    crash(random) {
      fate.life++;
      fate.failAt = Number.POSITIVE_INFINITY;
      for (const content of contents.values()) content.crash(random);
    },
    failAfter(calls) {
      fate.failAt = fate.changes + calls;
    },
    limitTo(bytes) {
      bytesMax = bytes;
    },
    damage: (path, offset, mask = 0xff) => find(path).damage(offset, mask),
    get changes() {
      return fate.changes;
    },
  };
}

function openContent(
  content: Content,
  fate: {life: number},
  change: () => void,
  free: () => number,
): AppendFile {
  const openedIn = fate.life;
  let open = true;
  const use = (): void => {
    if (!open || openedIn !== fate.life) throw failure('EBADF', 'file is closed');
    change();
  };
  return {
    write(chunks) {
      use();
      for (const chunk of chunks) {
        // A full disk takes a part of a write.
        const part = chunk.subarray(0, free());
        content.append(part);
        if (part.length < chunk.length) throw failure('ENOSPC', 'no space left on device');
      }
    },
    syncNow() {
      use();
      content.durable = content.length;
    },
    async sync() {
      use();
      // What is written while the sync is under way is not covered by it.
      const covered = content.length;
      await Promise.resolve();
      if (openedIn === fate.life) content.durable = Math.max(content.durable, covered);
    },
    close() {
      open = false;
    },
  };
}

/** The bytes of one file; the first `durable` of them survive a crash. */
class Content {
  #bytes = new Uint8Array(256);
  length = 0;
  durable = 0;

  slice(start: number, end = this.length): Uint8Array {
    return this.#bytes.slice(start, Math.min(end, this.length));
  }

  append(bytes: Uint8Array): void {
    const needed = this.length + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = needed;
  }

  cut(length: number): void {
    this.length = Math.min(this.length, length);
    this.durable = Math.min(this.durable, length);
  }

  damage(offset: number, mask: number): void {
    this.#bytes[offset] = (this.#bytes[offset] as number) ^ mask;
  }

  crash(random: Random | undefined): void {
    const pending = this.length - this.durable;
    const kept = random === undefined ? 0 : Math.floor(random.next() * (pending + 1));
    this.length = this.durable + kept;
    if (random !== undefined && kept > 0 && random.next() < 0.5) this.damage(this.length - 1, 0x55);
    this.durable = this.length;
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), {code});
}
