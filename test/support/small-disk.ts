import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';

/**
 * A file system in memory of so many bytes, mounted on a folder of its own until the test ends;
 * undefined where this process may not mount one. What is tested on it is also tested on files
 * with a quota, which need nobody's leave.
 */
export function smallDisk(t: ExecutionContext, bytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-disk-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder);
  } catch {
    return undefined;
  }
  t.teardown(() => run('umount', '--lazy', folder));
  return folder;
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, {stdio: 'pipe'});
}
