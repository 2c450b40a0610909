import {ForestayError, isSystemError} from '../../core/domain/errors.ts';
import {shortHash} from '../../core/domain/hash.ts';
import type {Files} from '../../core/ports.ts';
import {type AliasChange, type Aliases, type Author, applyChange, noAliases} from './aliases.ts';
import {type AuditRecord, appendAudit, readAudit} from './audit.ts';
import {seal, unseal} from './sealed.ts';

/** The aliases of a family as they are on the disk, and what is the matter with the files. */
export type ReadAliases = {readonly aliases: Aliases; readonly remarks: readonly string[]};

/**
 * Every revision is a file of its own, `aliases/FAMILY/REVISION.json`, that is made once and never
 * changed: of two who make the same revision one wins, whenever either of them dies. There is no
 * lock that somebody dead could hold. What was done is in the file as well, so that an audit log
 * which lacks its line gets it with the next change.
 */
export type AliasStore = {
  read(family: string): ReadAliases;
  /**
   * Changes the aliases if their revision is still `expected`; durable when it returns.
   *
   * @throws {ForestayError} `REGISTRY_CONFLICT`, saying who was first and what they did; those of
   *   {@link applyChange}.
   */
  change(family: string, expected: number, change: AliasChange, author: Author): Aliases;
};

const REVISION = /^(\d{8})\.json$/;

/** @param directory Of the registry, absolute. */
export function openAliasStore(files: Files, directory: string): AliasStore {
  const auditPath = `${directory}/audit.jsonl`;
  const folderOf = (family: string) => `${directory}/aliases/${family}`;
  const pathOf = (family: string, revision: number) =>
    `${folderOf(family)}/${String(revision).padStart(8, '0')}.json`;
  const revisionsOf = (family: string): number[] =>
    files.exists(folderOf(family))
      ? files.list(folderOf(family)).flatMap(name => {
          const digits = REVISION.exec(name)?.[1];
          return digits === undefined ? [] : [Number(digits)];
        })
      : [];
  const recordAt = (family: string, revision: number): AuditRecord | undefined => {
    const path = pathOf(family, revision);
    if (!files.exists(path)) return undefined;
    return unseal<AuditRecord>(Buffer.from(files.read(path)).toString('utf8').trim());
  };
  /** Changes of aliases in the audit log. Lines are only ever added: it is read again when it grew. */
  let known: {readonly size: number; readonly changes: AuditRecord[]} | undefined;
  const told = (family: string): AuditRecord[] => {
    const size = files.exists(auditPath) ? files.size(auditPath) : 0;
    if (known?.size !== size) {
      const {records} = readAudit(files, auditPath);
      known = {size, changes: records.filter(({aliases}) => aliases !== undefined)};
    }
    return known.changes.filter(record => record.family === family);
  };

  const read = (family: string): ReadAliases => {
    const newest = Math.max(0, ...revisionsOf(family));
    const lines = told(family);
    const line = lines.reduce<Aliases | undefined>(
      (last, {aliases}) =>
        aliases !== undefined && aliases.revision >= (last?.revision ?? 0) ? aliases : last,
      undefined,
    );
    const inFile = newest === 0 ? undefined : recordAt(family, newest)?.aliases;
    if (inFile !== undefined && inFile.revision >= (line?.revision ?? 0)) {
      return {aliases: inFile, remarks: []};
    }
    if (newest === 0 && line === undefined) return {aliases: noAliases(family), remarks: []};
    return recover(family, newest, line);
  };

  /** The file is damaged or gone; the audit log says the same, or what was before. */
  const recover = (family: string, newest: number, line: Aliases | undefined): ReadAliases => {
    const path = pathOf(family, Math.max(newest, line?.revision ?? 0));
    let found = line;
    for (let revision = newest; revision > (found?.revision ?? 0); revision--) {
      found = recordAt(family, revision)?.aliases ?? found;
    }
    const remark =
      `${path} is damaged or gone; in force is revision ${found?.revision ?? 0} of the audit log, ` +
      `champion ${shortHash(found?.champion ?? 'none')}`;
    // The number that is taken stays taken: the next change is the one after it.
    const revision = Math.max(newest, found?.revision ?? 0);
    return {aliases: {...(found ?? noAliases(family)), revision}, remarks: [remark]};
  };

  /** Lines that a process owed the audit log when it died. */
  const repairAudit = (family: string): void => {
    const known = new Set(told(family).map(({aliases}) => aliases?.revision));
    const owed = revisionsOf(family)
      .filter(revision => !known.has(revision))
      .sort((a, b) => a - b)
      .map(revision => recordAt(family, revision))
      .filter(record => record !== undefined);
    appendAudit(files, auditPath, owed);
  };

  return {
    read,
    change(family, expected, change, author) {
      const {aliases} = read(family);
      if (aliases.revision !== expected) throw tooLate(family, expected, change, aliases);
      const next = applyChange(aliases, change, author);
      const record = recordOf(aliases, change, next);
      files.makeDirectory(folderOf(family));
      repairAudit(family);
      const bytes = Buffer.from(`${seal(record)}\n`);
      if (!files.create(pathOf(family, next.revision), bytes)) {
        throw tooLate(family, expected, change, read(family).aliases);
      }
      try {
        appendAudit(files, auditPath, [record]);
      } catch (error) {
        // The change is in force. A log that is full or torn gets its line with the next one.
        if (!isSystemError(error)) throw error;
      }
      return next;
    },
  };
}

function recordOf(before: Aliases, {kind}: AliasChange, after: Aliases): AuditRecord {
  const ofChallenger = kind === 'challenge' || kind === 'withdraw' || kind === 'canary';
  const pick = ({champion, challenger}: Aliases) => (ofChallenger ? challenger : champion);
  const {family, changedAtMs: atMs, changedBy: who, why} = after;
  return {atMs, family, what: kind, who, why, from: pick(before), to: pick(after), aliases: after};
}

function tooLate(
  family: string,
  expected: number,
  {kind}: AliasChange,
  {revision, champion, challenger, changedBy, changedAtMs, why}: Aliases,
): ForestayError {
  const named = challenger === null ? '' : `, challenger ${shortHash(challenger)}`;
  return new ForestayError(
    'REGISTRY_CONFLICT',
    `cannot ${kind} ${family} at revision ${expected}: ${changedBy} was first and made revision ` +
      `${revision} at ${new Date(changedAtMs).toISOString()} (champion ` +
      `${champion === null ? 'none' : shortHash(champion)}${named}; why: ${why || 'not said'}); look again, ` +
      'then decide anew',
    {details: {family, expected, revision, changedBy}},
  );
}
