import type {ChildProcess} from 'node:child_process';
import {ForestayError} from '../../core/domain/errors.ts';
import {killTool, startTool} from '../probe-tool.ts';
import {listNames} from './procfs.ts';

export type JournalEntry = {
  /** The program that said it; `kernel` for the kernel. */
  tag: string;
  message: string;
  /** 0 emergency to 7 debug. */
  priority: number;
};

/** The journal of the host from now on, through `journalctl --follow`. */
export type Journal = {
  onEntry(listener: (entry: JournalEntry) => void): void;
  /** Whether entries come in: else their absence says nothing. */
  readonly isOpen: boolean;
  /** Starts it when it does not run; throws what failed since the last call. */
  poll(nowMs: number): void;
  close(): void;
};

const lineMax = 64 * 1024;
/** In a storm the rest is not looked at: it would say the same. */
const linesPerPollMax = 5_000;
const restartMs = 60_000;

/** Only what somebody counts: kernel, service manager, privileged commands, and whatever is an error. */
const filters = [
  '_TRANSPORT=kernel',
  '_PID=1',
  'SYSLOG_IDENTIFIER=sudo',
  'SYSLOG_IDENTIFIER=su',
  'SYSLOG_IDENTIFIER=doas',
  ...[0, 1, 2, 3].map(priority => `PRIORITY=${priority}`),
];
const args = [
  '--follow',
  '--lines=0',
  '--quiet',
  '--output=json',
  '--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_TRANSPORT,_PID',
  // Names of one field are alternatives already, those of several need to be said to be.
  ...filters.flatMap((filter, index) => (index === 0 ? [filter] : ['+', filter])),
];

/** Whether there is a journal below a root, kept or volatile. */
export function hasJournal(root: string): boolean {
  return ['run/log/journal', 'var/log/journal'].some(
    folder => listNames(`${root}/${folder}`, /^[0-9a-f]{32}/).length > 0,
  );
}

/** `path` is that of journalctl. */
export function createJournal(path: string): Journal {
  const listeners: ((entry: JournalEntry) => void)[] = [];
  let child: ChildProcess | undefined;
  let failure: ForestayError | undefined;
  let startedMs = Number.NEGATIVE_INFINITY;
  let linesLeft = linesPerPollMax;

  const take = (line: string): void => {
    if (linesLeft-- <= 0) return;
    const entry = parseJournalEntry(line);
    if (entry === undefined) failure ??= broken(`${path} printed what is no entry`);
    else for (const listener of listeners) listener(entry);
  };
  const start = (): void => {
    const started = startTool(path, args);
    child = started;
    const over = (error: ForestayError): void => {
      if (child !== started) return;
      child = undefined;
      failure ??= error;
    };
    let rest = '';
    started.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (child !== started) return;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > lineMax) rest = '';
      for (const line of lines) take(line);
    });
    started.on('error', cause => over(broken(`cannot run ${path}`, cause)));
    started.on('close', code => over(broken(`${path} ended with exit code ${code}`)));
  };

  return {
    get isOpen() {
      return child !== undefined;
    },
    onEntry: listener => void listeners.push(listener),
    poll(nowMs) {
      linesLeft = linesPerPollMax;
      if (child === undefined && !(Math.abs(nowMs - startedMs) < restartMs)) {
        startedMs = nowMs;
        start();
      }
      const thrown = failure;
      failure = undefined;
      if (thrown !== undefined) throw thrown;
    },
    close() {
      const running = child;
      child = undefined;
      startedMs = Number.POSITIVE_INFINITY;
      if (running === undefined) return;
      running.stdout?.destroy();
      killTool(running);
    },
  };
}

/** Undefined if it is no entry; one whose message is no text has an empty one. */
export function parseJournalEntry(line: string): JournalEntry | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const text = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '');
  return {
    tag:
      text('_TRANSPORT') === 'kernel'
        ? 'kernel'
        : text('_PID') === '1'
          ? 'systemd'
          : text('SYSLOG_IDENTIFIER'),
    message: text('MESSAGE'),
    priority: Number(text('PRIORITY') || 6),
  };
}

/** Says nothing of what was printed: entries hold what people typed. */
function broken(message: string, cause?: unknown): ForestayError {
  return new ForestayError('SENSOR_FAILED', message, {retryable: true, cause});
}
