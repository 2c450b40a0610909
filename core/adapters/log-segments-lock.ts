import {randomInt, randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {ForestayError} from '../domain/errors.ts';
import type {Files} from '../ports.ts';

/** Who holds a folder. A pid alone will not do: after a restart it may be somebody else's. */
type LockHolder = {pid: number; host: string; startedAt: string; token: string};

/** Says whether a holder still runs. */
export type IsAlive = (holder: LockHolder) => boolean;

export type DirectoryLock = {
  /**
   * Whether the lock is still ours. Somebody may have removed it, by hand or with the folder; then
   * others may have used the folder since, even if nobody does now. Reads one small file.
   */
  isHeld(): boolean;
  release(): void;
};

const attemptsMax = 10;
/** Two that want the same at the same time wait for a while of their own, up to this, then doubled. */
const pauseMsMax = 2;

/**
 * Makes this process the only one that uses `directory`; gives what ends that. A lock whose process
 * is gone is taken over. A holder on another host cannot be checked, so it counts as alive.
 *
 * @param option What names the folder on the command line, for the error.
 * @throws {ForestayError} `DATA_DIR_LOCKED`, naming the process.
 */
export function lockDirectory(
  files: Files,
  directory: string,
  isAlive?: IsAlive,
  option?: string,
): () => void {
  return holdDirectory(files, directory, isAlive, option).release;
}

/**
 * {@link lockDirectory}, for who asks later whether it still holds. The file `lock` is made whole or
 * not at all, so it never has two makers. Taking a stale one over is two steps, removing and making:
 * whoever does that says so first in a file `lock.TOKEN` of its own, and goes on only if nobody who
 * is alive has said the same. Of two at least one sees the other; both may, and then both try again.
 */
export function holdDirectory(
  files: Files,
  directory: string,
  isAlive: IsAlive = isProcessAlive,
  option = '--data',
): DirectoryLock {
  const path = `${directory}/lock`;
  const token = randomUUID();
  const self: LockHolder = {pid: process.pid, host: hostname(), startedAt: startOf('self'), token};
  const bytes = Buffer.from(JSON.stringify(self));
  const isHeld = (): boolean => readHolder(files, path)?.token === token;
  const release = (): void => {
    if (isHeld()) remove(files, path);
  };
  const requireStale = (): void => {
    const holder = readHolder(files, path);
    if (holder !== undefined && isAlive(holder)) throw locked(directory, path, holder, option);
  };
  const takeOver = (): boolean => {
    requireStale();
    const claim = `${path}.${token}`;
    files.create(claim, bytes);
    try {
      if (hasRival(files, directory, token, isAlive)) return false;
      // What a rival did before it was gone counts.
      requireStale();
      remove(files, path);
      return files.create(path, bytes);
    } finally {
      remove(files, claim);
    }
  };
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (attempt > 0) pause(1 + randomInt(pauseMsMax * 2 ** attempt));
    if (files.create(path, bytes) || takeOver()) return {isHeld, release};
  }
  throw new ForestayError(
    'DATA_DIR_LOCKED',
    `lock ${directory}: other processes keep taking it; start only one on a folder, ` +
      `or remove ${path}.* if nobody is`,
  );
}

const claimPattern = /^lock\.([0-9a-f-]{36})$/;

/** Whether anybody else is about to take the lock over; forgets those who died over it. */
function hasRival(files: Files, directory: string, token: string, isAlive: IsAlive): boolean {
  for (const name of files.list(directory)) {
    const other = claimPattern.exec(name)?.[1];
    if (other === undefined || other === token) continue;
    const path = `${directory}/${name}`;
    const rival = readHolder(files, path);
    if (rival !== undefined && isAlive(rival)) return true;
    remove(files, path);
  }
  return false;
}

/** What to say when the lock turns out to be ours no more; what was refused is not in the log. */
export function lockLost(directory: string): ForestayError {
  return new ForestayError(
    'DATA_DIR_LOCKED',
    `the lock of ${directory} was removed or taken while it was in use; nothing more is written there: ` +
      'see that no other process uses the folder, then start again',
    {details: {directory}},
  );
}

function locked(
  directory: string,
  path: string,
  holder: LockHolder,
  option: string,
): ForestayError {
  return new ForestayError(
    'DATA_DIR_LOCKED',
    `lock ${directory}: process ${holder.pid} on ${holder.host} uses it; ` +
      `stop that one, choose another ${option} folder, or remove ${path} if it is gone`,
    {details: {directory, pid: holder.pid, host: holder.host}},
  );
}

/** Nobody: there is no such file, or it is none of ours; ours are made whole. */
function readHolder(files: Files, path: string): LockHolder | undefined {
  const bytes = unlessGone(() => files.read(path));
  if (bytes === undefined) return undefined;
  try {
    const holder = JSON.parse(Buffer.from(bytes).toString()) as LockHolder;
    return typeof holder.host === 'string' && Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function remove(files: Files, path: string): void {
  unlessGone(() => files.remove(path));
}

/** A file may be gone in the very moment that one looks at it. */
function unlessGone<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Nothing else runs in a process that does not have its folder yet. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isProcessAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(holder.pid) === holder.startedAt;
}

/** When a process started, in the kernel's own units; empty where there is no /proc. */
function startOf(pid: number | 'self'): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets; field 22 counts from after it.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot} ${ticks}`;
  } catch {
    return '';
  }
}
