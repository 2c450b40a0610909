/**
 * The program as its users run it: one process each, known by its pid, heard through its two
 * streams, waited for with a deadline. Whatever still runs when a test ends is killed.
 */
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/forestay', import.meta.url));

export type Exit = {code: number | null; stdout: string; stderr: string};

export type Program = {
  pid: number;
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the first match in what it has written; rejects when it ends without. */
  said(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** Resolves when it has ended and both streams are read. */
  exit(withinMs?: number): Promise<Exit>;
};

/** Where what has to be undone at the end is left: a test, or a program of tests. */
export type Scope = {teardown(undo: () => unknown): void};

export type LaunchOptions = {cwd?: string; env?: Readonly<Record<string, string>>};

/** Generous: a loaded machine is slow, a program that hangs hangs for longer. */
const WITHIN_MS = 45_000;
const LOOK_MS = 50;

/** Starts `forestay ARGS`. */
export function launch(
  t: Scope,
  args: readonly string[],
  {cwd = process.cwd(), env = {}}: LaunchOptions = {},
): Program {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: {...process.env, ...env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = {stdout: '', stderr: ''};
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', text => {
      said[name] += text;
    });
  }
  let ended: Exit | undefined;
  child.once('close', code => {
    ended = {code, ...said};
  });
  const what = `forestay ${args.join(' ')}`;
  const exit = (withinMs = WITHIN_MS) => eventually(`the end of ${what}`, () => ended, withinMs);
  t.teardown(async () => {
    if (ended === undefined) child.kill('SIGKILL');
    await exit();
  });
  return {
    pid: child.pid as number,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    signal: name => void child.kill(name),
    exit,
    said: (pattern, withinMs) =>
      eventually(
        `${pattern} from ${what}`,
        () => {
          const found = pattern.exec(said.stdout) ?? pattern.exec(said.stderr);
          if (found !== null) return found;
          if (ended === undefined) return undefined;
          throw new Error(`${what} ended with ${ended.code} before ${pattern}: ${said.stderr}`);
        },
        withinMs,
      ),
  };
}

/** Runs `forestay ARGS` to its end. */
export function forestay(
  t: Scope,
  args: readonly string[],
  options: LaunchOptions & {withinMs?: number} = {},
): Promise<Exit> {
  return launch(t, args, options).exit(options.withinMs);
}

/** Looks until there is something other than undefined or false, and gives it. */
export async function eventually<Found>(
  what: string,
  look: () => Found | undefined | false | Promise<Found | undefined | false>,
  withinMs = WITHIN_MS,
): Promise<Found> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadlineMs) throw new Error(`waited ${withinMs} ms for ${what}`);
    await new Promise(resolve => setTimeout(resolve, LOOK_MS));
  }
}

/** A folder of the test's own, removed after it. */
export function temporaryFolder(t: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-e2e-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}
