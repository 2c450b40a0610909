import type {Note} from './ports.ts';

/** Says a line unless one of the same key was said a short while ago. */
export type LimitedNote = (key: string, nowMs: number, line: string) => void;

/** More keys are not remembered: the one that was said longest ago is forgotten. */
const keysMax = 1_000;

/** One line a minute and key; the next one tells how many were left out. */
export function limitNotes(note: Note, everyMs = 60_000): LimitedNote {
  const said = new Map<string, {atMs: number; hidden: number}>();
  return (key, nowMs, line) => {
    const last = said.get(key);
    if (last !== undefined && Math.abs(nowMs - last.atMs) < everyMs) {
      last.hidden++;
      return;
    }
    const hidden = last?.hidden ? ` (${last.hidden} more since the last such line)` : '';
    said.delete(key);
    said.set(key, {atMs: nowMs, hidden: 0});
    if (said.size > keysMax) said.delete(said.keys().next().value as string);
    note(`${line}${hidden}`);
  };
}
