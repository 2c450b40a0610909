import {randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {ForestayError} from '../domain/errors.ts';
import type {Files} from '../ports.ts';

/** Who holds a folder. A pid alone will not do: after a restart it may be somebody else's. */
type LockHolder = {pid: number; host: string; startedAt: string; token: string};

/** Says whether a holder still runs. */
export type IsAlive = (holder: LockHolder) => boolean;

const attemptsMax = 5;

/**
 * Makes this process the only one that uses `directory`; gives what ends that. A lock whose process
 * is gone is taken over. A holder on another host cannot be checked, so it counts as alive.
 *
 * @throws {ForestayError} `DATA_DIR_LOCKED`, naming the process.
 */
export function lockDirectory(
  files: Files,
  directory: string,
  isAlive: IsAlive = isProcessAlive,
): () => void {
  const path = `${directory}/lock`;
  const token = randomUUID();
  const self: LockHolder = {pid: process.pid, host: hostname(), startedAt: startOf('self'), token};
  const release = (): void => {
    if (readHolder(files, path)?.token === token) files.remove(path);
  };
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (files.create(path, Buffer.from(JSON.stringify(self)))) return release;
    const holder = readHolder(files, path);
    if (holder !== undefined && isAlive(holder)) throw locked(directory, path, holder);
    if (files.exists(path)) files.remove(path);
  }
  throw new ForestayError(
    'DATA_DIR_LOCKED',
    `lock ${directory}: other processes keep taking it; start only one core on a folder`,
  );
}

function locked(directory: string, path: string, holder: LockHolder): ForestayError {
  return new ForestayError(
    'DATA_DIR_LOCKED',
    `lock ${directory}: process ${holder.pid} on ${holder.host} uses it; ` +
      `stop that one, choose another --data folder, or remove ${path} if it is gone`,
    {details: {directory, pid: holder.pid, host: holder.host}},
  );
}

/** A lock that cannot be read was being written when its process died. */
function readHolder(files: Files, path: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(Buffer.from(files.read(path)).toString()) as LockHolder;
    return typeof holder.host === 'string' && Number.isInteger(holder.pid) ? holder : undefined;
  } catch {
    return undefined;
  }
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
