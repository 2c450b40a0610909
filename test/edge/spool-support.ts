import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import {type Position, START} from '../../edge/frame.ts';
import {Spool, type SpoolEntry, type SpoolLimits} from '../../edge/spool.ts';
import {type ManualClock, manualClock} from './manual-clock.ts';

export const folder = '/spool';

/** A body that tells which batch it is, of a length that depends on it. */
export function bodyOf({incarnation, seq}: Position, bytes = 20): Uint8Array {
  return Buffer.from(`${incarnation}/${seq}`.padEnd(bytes, '.'));
}

export function openSpool(
  files: MemoryFiles = createMemoryFiles(),
  limits: Partial<SpoolLimits> = {},
  clock: ManualClock = manualClock(),
) {
  const notes: string[] = [];
  const spool = new Spool({files, clock, folder, limits, note: line => notes.push(line)});
  return {
    spool,
    files,
    clock,
    notes,
    /** Appends so many batches. */
    fill(count: number, bytes = 20) {
      for (let index = 0; index < count; index++) {
        const {incarnation, nextSeq: seq} = spool;
        spool.append(bodyOf({incarnation, seq}, bytes));
      }
    },
  };
}

/** Everything that is still to be sent, as `1/3` and `gap 1/4-6 reason`. */
export function pending(spool: Spool, from: Position = spool.acked): string[] {
  const shown: string[] = [];
  for (let at: Position = from; ; ) {
    const entry = spool.after(at);
    if (entry === undefined) return shown;
    shown.push(show(entry));
    at = entry.position;
  }
}

export function show(entry: SpoolEntry): string {
  if (entry.kind === 'batch') return Buffer.from(entry.body).toString().replace(/\.+$/, '');
  const {incarnation, fromSeq, toSeq, reason} = entry.gap;
  return `gap ${incarnation}/${fromSeq}-${toSeq} ${reason}`;
}

/** `1/1`, `1/2`, … */
export function batches(incarnation: number, fromSeq: number, toSeq: number): string[] {
  return Array.from({length: toSeq - fromSeq + 1}, (_, at) => `${incarnation}/${fromSeq + at}`);
}

export {START};
