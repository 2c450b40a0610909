import type {Files} from '../../core/ports.ts';
import type {Aliases} from './aliases.ts';
import type {Evaluation} from './promotion.ts';
import {seal, unseal} from './sealed.ts';

/** One thing that happened to a model; lines are only ever added. */
export type AuditRecord = {
  readonly atMs: number;
  readonly family: string;
  readonly what:
    | 'added'
    | 'evaluated'
    | 'challenge'
    | 'canary'
    | 'promote'
    | 'rollback'
    | 'withdraw'
    | 'removed'
    | KeeperFinding;
  readonly who: string;
  readonly why: string;
  /** Hashes of what it was and of what it became; of an evaluation, what was compared. */
  readonly from: string | null;
  readonly to: string | null;
  /** As they are after a change of aliases. */
  readonly aliases?: Aliases;
  readonly evaluation?: Evaluation;
  readonly keeper?: KeeperMark;
};

/**
 * What the keeper of a family found or began, beside its changes of aliases. `drift`: the champion is
 * not what it was; `kept`: what was promoted has proven itself; `refused`: it is not to be served.
 */
export type KeeperFinding = 'drift' | 'training-began' | 'training-failed' | 'kept' | 'refused';

/** What a keeper must know after a restart, in the time of the rows that it judges by. */
export type KeeperMark = {
  readonly atMs: number;
  /** Challengers in a row that were not good enough. */
  readonly refusals: number;
  /** Nothing is trained before; null: nothing was. */
  readonly coolDownUntilMs: number | null;
};

/** What can be read, oldest first, and what to say about what cannot. */
export type Audit = {readonly records: readonly AuditRecord[]; readonly remarks: readonly string[]};

const LINE_FEED = 10;

/** Adds lines, durable when this returns. A line that a dead writer left half stays alone. */
export function appendAudit(files: Files, path: string, records: readonly AuditRecord[]): void {
  if (records.length === 0) return;
  const torn = files.exists(path) && files.read(path).at(-1) !== LINE_FEED;
  const text = records.map(record => `${seal(record)}\n`).join('');
  const file = files.openAppend(path);
  try {
    // One write: of several processes each line stays whole.
    file.write([Buffer.from(torn && files.size(path) > 0 ? `\n${text}` : text)]);
    file.syncNow();
  } finally {
    file.close();
  }
}

/** Cost: the whole file, a few hundred bytes a line. */
export function readAudit(files: Files, path: string): Audit {
  if (!files.exists(path)) return {records: [], remarks: []};
  const records: AuditRecord[] = [];
  const remarks: string[] = [];
  const lines = Buffer.from(files.read(path)).toString('utf8').split('\n');
  for (const [at, line] of lines.entries()) {
    if (line === '') continue;
    const record = unseal<AuditRecord>(line);
    if (record !== undefined) records.push(record);
    else if (at === lines.length - 1) remarks.push(`the last line of ${path} was cut off`);
    else remarks.push(`line ${at + 1} of ${path} is damaged and was passed over`);
  }
  return {records, remarks};
}
