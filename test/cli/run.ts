import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/forestay', import.meta.url));

export type Ran = {code: number | null; stdout: string; stderr: string};

export type Running = {
  /** Resolves once stdout or stderr holds the text. */
  until(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  closeStdout(): void;
  /** So far. */
  stderr(): string;
  done: Promise<Ran>;
};

/** Starts bin/forestay as a user would. */
export function start(
  args: readonly string[],
  options: {cwd?: string; env?: Record<string, string>} = {},
): Running {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd ?? process.cwd(),
    env: {...process.env, ...options.env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting: {text: string; resolve(): void}[] = [];
  const told = () => {
    for (const {text, resolve} of waiting) if ((stdout + stderr).includes(text)) resolve();
  };
  child.stdout.on('data', chunk => {
    stdout += chunk;
    told();
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
    told();
  });
  const done = new Promise<Ran>(resolve => {
    child.on('close', code => resolve({code, stdout, stderr}));
  });
  return {
    until: text =>
      new Promise((resolve, reject) => {
        waiting.push({text, resolve});
        told();
        void done.then(() => reject(new Error(`it ended before "${text}": ${stdout}${stderr}`)));
      }),
    signal: name => void child.kill(name),
    closeStdout: () => child.stdout.destroy(),
    stderr: () => stderr,
    done,
  };
}

export function forestay(args: readonly string[], options: Parameters<typeof start>[1] = {}) {
  return start(args, options).done;
}
