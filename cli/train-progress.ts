/** Where progress is written: stderr, or what a test gives. */
export type ProgressOutput = {
  /** Whether a line can be drawn over. */
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
};

export type Progress = {
  /** A line that stays. */
  note(line: string): void;
  /** How much of a task is done, 0 to 1: drawn over itself on a terminal, nothing elsewhere. */
  show(task: string, share: number): void;
};

const BAR = 30;
const CLEAR = '\r\u001b[2K';

/** Lines for a log; on a terminal, one line more that is redrawn. */
export function createProgress({isTerminal, write}: ProgressOutput): Progress {
  let drawn = '';
  return {
    note(line) {
      write(`${drawn === '' ? '' : CLEAR}train: ${line}\n`);
      drawn = '';
    },
    show(task, share) {
      if (!isTerminal) return;
      const full = Math.round(BAR * Math.min(Math.max(share, 0), 1));
      const percent = String(Math.floor(100 * share)).padStart(3);
      const line = `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${percent} % ${task}`;
      if (line === drawn) return;
      write(`${CLEAR}${line}`);
      drawn = line;
    },
  };
}
