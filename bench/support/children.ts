/** A process of its own that answers requests over its channel. */
import {type ChildProcess, fork} from 'node:child_process';

export type Child = {
  /** Asks and waits for the answer; rejects if the process ends before, or after the deadline. */
  ask<Answer>(request: unknown, deadlineMs?: number): Promise<Answer>;
  /** Ends the process at once and waits until it is gone. */
  kill(): Promise<void>;
  /** Ends the process and waits for it. */
  stop(): Promise<void>;
};

type Reply = {answer?: unknown; error?: string};

export function startChild(
  module: URL,
  args: readonly string[] = [],
  execArgv: readonly string[] = [],
): Child {
  const child = fork(module, [...args], {
    execArgv: ['--disable-warning=ExperimentalWarning', ...execArgv],
    serialization: 'advanced',
  });
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()));
  return {
    ask: (request, deadlineMs = 120_000) => ask(child, request, deadlineMs),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // Losing its parent, it ends by itself and writes the profile it may have been asked for.
      if (child.connected) child.disconnect();
      const hard = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(hard);
    },
  };
}

function ask<Answer>(child: ChildProcess, request: unknown, deadlineMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (step: () => void) => {
      clearTimeout(timer);
      child.off('message', answered);
      child.off('exit', ended);
      step();
    };
    const answered = ({answer, error}: Reply) =>
      settle(() => (error === undefined ? resolve(answer as Answer) : reject(new Error(error))));
    const ended = (code: number | null, signal: string | null) =>
      settle(() => reject(new Error(`the process ended (${signal ?? code})`)));
    const timer = setTimeout(
      () => settle(() => reject(new Error(`no answer within ${deadlineMs} ms`))),
      deadlineMs,
    );
    child.once('message', answered);
    child.once('exit', ended);
    child.send(request as object);
  });
}

/** The other side: answers requests one after another until the process is ended. */
export function serveParent(handle: (request: never) => Promise<unknown>): void {
  process.on('message', request => {
    handle(request as never).then(
      answer => process.send?.({answer}),
      (error: unknown) =>
        process.send?.({error: error instanceof Error ? error.stack : String(error)}),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
