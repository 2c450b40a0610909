/** How far a long run is: by time, as nobody knows how long a thousandth of it takes. */

/** So far. */
export type Done = {done: number; failed: number};

export type ProgressOptions = {
  /** One of what is counted: `seed`. */
  unit: string;
  total: number;
  so: () => Done;
  output?: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;
  nowMs?: () => number;
};

export type Progress = {
  /** Says how far it is; otherwise this is said every few seconds. */
  tell(): void;
  /** A line that stays. */
  say(line: string): void;
  /** Says no more, and leaves nothing on the line of a terminal. */
  end(): void;
};

const TERMINAL_EVERY_MS = 2_000;
const LINES_EVERY_MS = 30_000;
const CLEAR_LINE = '\r\u001b[2K';

/** On a terminal one line that is rewritten, elsewhere a line every half a minute. */
export function openProgress(options: ProgressOptions): Progress {
  const {output = process.stderr, nowMs = () => performance.now()} = options;
  const startedMs = nowMs();
  const clear = output.isTTY ? CLEAR_LINE : '';
  const tell = () => {
    const line = progressLine({...options, ...options.so(), elapsedMs: nowMs() - startedMs});
    output.write(output.isTTY ? clear + line.slice(0, (output.columns || 80) - 1) : `${line}\n`);
  };
  const timer = setInterval(tell, output.isTTY ? TERMINAL_EVERY_MS : LINES_EVERY_MS);
  if (output.isTTY) tell();
  return {
    tell,
    say: line => void output.write(`${clear}${line}\n`),
    end: () => {
      clearInterval(timer);
      output.write(clear);
    },
  };
}

/** `12 of 30 seeds, 0 failed, 0.57 a second, 32 s left`; no estimate before the first is done. */
export function progressLine({
  unit,
  total,
  done,
  failed,
  elapsedMs,
}: Pick<ProgressOptions, 'unit' | 'total'> & Done & {elapsedMs: number}): string {
  const soFar = `${formatCount(done)} of ${countOf(total, unit)}, ${formatCount(failed)} failed`;
  if (done === 0 || elapsedMs <= 0) return `${soFar}, ${formatDuration(elapsedMs)} so far`;
  const perSecond = (1000 * done) / elapsedMs;
  const left = formatDuration((1000 * (total - done)) / perSecond);
  const rate = perSecond >= 10 ? formatCount(Math.round(perSecond)) : perSecond.toPrecision(2);
  return `${soFar}, ${rate} a second, ${left} left`;
}

/** `1 seed`, `2,000 seeds`. */
export function countOf(count: number, unit: string): string {
  return `${formatCount(count)} ${unit}${count === 1 ? '' : 's'}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
