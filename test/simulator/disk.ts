import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import type {Clock, Files, Random} from '../../core/ports.ts';
import type {SimProcess} from './process.ts';

export type DiskFaults = {
  /** Every change fails with ENOSPC. */
  full: boolean;
  /** How long a sync may take; 0: none. */
  slowMsMax: number;
  /** Share of the calls that fail once, with EIO. */
  fail: number;
  /** Share of the calls at which the process dies. */
  crash: number;
};

export const SOUND_DISK: DiskFaults = {full: false, slowMsMax: 0, fail: 0, crash: 0};

/** A disk that outlives the processes that use it. */
export class SimDisk {
  readonly memory: MemoryFiles = createMemoryFiles();
  readonly #random: Random;
  readonly #onFault: (what: string) => void;
  faults: DiskFaults = SOUND_DISK;
  /** Planted bug: a sync that does nothing. */
  liesAboutSync = false;
  onCrash: (process: SimProcess) => void = () => {};

  constructor(random: Random, onFault: (what: string) => void) {
    this.#random = random;
    this.#onFault = onFault;
  }

  /** What was not synced is gone, or torn. */
  losePower(torn: boolean): void {
    this.memory.crash(torn ? this.#random : undefined);
  }

  /** Inverts a bit somewhere in a file; false if it is empty. */
  flip(path: string): boolean {
    const size = this.memory.size(path);
    if (size === 0) return false;
    const at = Math.floor(this.#random.next() * size);
    this.memory.damage(path, at, 1 << Math.floor(this.#random.next() * 8));
    return true;
  }

  /** The files as the present life of a process sees them. */
  files(process: SimProcess, clock: Clock): Files {
    const {memory} = this;
    const life = process.life;
    const live = (): void => {
      if (!process.lives(life)) throw ioError('EBADF', 'the process is gone');
    };
    const change = (path: string): void => {
      live();
      const {full, fail, crash} = this.faults;
      if (crash > 0 && this.#random.next() < crash) {
        this.onCrash(process);
        throw ioError('EBADF', 'the process died here');
      }
      if (full) throw ioError('ENOSPC', `no space left on device: ${path}`);
      if (fail > 0 && this.#random.next() < fail) {
        this.#onFault(`EIO at ${path}`);
        throw ioError('EIO', `input/output error: ${path}`);
      }
    };
    const changing =
      <Rest extends unknown[], Result>(act: (path: string, ...rest: Rest) => Result) =>
      (path: string, ...rest: Rest): Result => {
        change(path);
        return act(path, ...rest);
      };
    return {
      makeDirectory: path => memory.makeDirectory(path),
      list: path => memory.list(path),
      exists: path => memory.exists(path),
      size: path => memory.size(path),
      read: path => memory.read(path),
      readRange: (path, offset, length) => memory.readRange(path, offset, length),
      replace: changing((path, bytes) => memory.replace(path, bytes)),
      create: changing((path, bytes) => memory.create(path, bytes)),
      // Freeing space works on a full disk.
      remove(path) {
        live();
        memory.remove(path);
      },
      truncate(path, length) {
        live();
        memory.truncate(path, length);
      },
      openAppend: changing(path => this.#open(path, clock, {change: () => change(path), live})),
    };
  }

  #open(
    path: string,
    clock: Clock,
    {change, live}: {change: () => void; live: () => void},
  ): ReturnType<Files['openAppend']> {
    const file = this.memory.openAppend(path);
    return {
      write(chunks) {
        change();
        file.write(chunks);
      },
      sync: async () => {
        change();
        const {slowMsMax} = this.faults;
        if (slowMsMax > 0) await clock.sleep(this.#random.next() * slowMsMax);
        if (!this.liesAboutSync) await file.sync();
        // Nobody is left to hear that it is done.
        live();
      },
      syncNow: () => {
        change();
        if (!this.liesAboutSync) file.syncNow();
      },
      close: () => file.close(),
    };
  }
}

function ioError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), {code});
}
