import {ForestayError, isForestayError} from '../../core/domain/errors.ts';
import {shortHash} from '../../core/domain/hash.ts';
import type {Files} from '../../core/ports.ts';
import {type AddOptions, addArtefact} from './adding.ts';
import {type AliasStore, openAliasStore, type ReadAliases} from './alias-store.ts';
import {type AliasChange, type Aliases, type Author, namedBy} from './aliases.ts';
import {
  type Audit,
  type AuditRecord,
  appendAudit,
  type KeeperFinding,
  type KeeperMark,
  readAudit,
} from './audit.ts';
import type {Entry} from './entry.ts';
import {type EntryStore, openEntryStore} from './entry-store.ts';
import {familyNamed, MODEL_FAMILIES} from './families.ts';
import {openKeys} from './keys.ts';
import {resolveName} from './names.ts';
import type {Evaluation} from './promotion.ts';
import {chooseRemovable} from './pruning.ts';

/** An entry that cannot be used, and why. */
export type DamagedEntry = {readonly hash: string; readonly error: ForestayError};

export type Listing = {
  /** By family, the newest first. */
  readonly entries: readonly Entry[];
  readonly damaged: readonly DamagedEntry[];
};

/** Models with their history, in a folder that several processes may use at once. */
export type Registry = {
  readonly directory: string;
  /**
   * Takes in an artefact that `forestay train` wrote: copies it, opens it, signs it. One that is
   * there already is given back as it is. A process that dies on the way leaves nothing of a name.
   *
   * @throws {ForestayError} Those of its family's check; `NOT_FOUND` for a family that is none.
   */
  add(folder: string, options: AddOptions): Promise<Entry>;
  /** {@link Registry.add}, and if the family has no champion, this is its first. */
  importArtefact(folder: string, options: AddOptions): Promise<Entry>;
  /** All entries; signatures and hashes are checked, nothing is opened. */
  list(): Listing;
  /** Folder of an entry, for who opens it. */
  folderOf(hash: string): string;
  /**
   * An entry whose signature and hashes hold; nothing is opened.
   *
   * @throws {ForestayError} `NOT_FOUND`, `MODEL_UNREADABLE`, `MODEL_UNTRUSTED`,
   *   `MODEL_HASH_MISMATCH`.
   */
  read(hash: string): Entry;
  /**
   * Everything that is checked before a model serves: signature, hashes, contract, operators, golden
   * risks. Opens the model on this thread; some 100 ms.
   *
   * @throws {ForestayError} `NOT_FOUND`, `MODEL_UNTRUSTED`, `MODEL_HASH_MISMATCH`,
   *   `MODEL_UNREADABLE`, `MODEL_SIGNATURE_MISMATCH`, `SCORER_FAILED`.
   */
  verify(hash: string): Promise<Entry>;
  /**
   * The hash that is meant by a hash, the first digits of one (at least 4), or `FAMILY@ALIAS`.
   *
   * @throws {ForestayError} `NOT_FOUND`, or `INVALID_ARGUMENT` if several are meant.
   */
  resolve(text: string): string;
  aliases(family: string): ReadAliases;
  /**
   * Changes aliases; what gets a name is verified first. `expected` is the revision that the
   * decision was made at, by default the one when this is called.
   *
   * @throws {ForestayError} `REGISTRY_CONFLICT` if somebody was first, or there is nothing to change;
   *   those of {@link Registry.verify}.
   */
  change(family: string, change: AliasChange, author: Author, expected?: number): Promise<Aliases>;
  /**
   * Promotes an entry that the last evaluation against the champion found better; the first champion
   * of a family needs none. `force` does without, and then `author.why` must say why. `expected` as
   * in {@link Registry.change}.
   *
   * @throws {ForestayError} `REGISTRY_CONFLICT` without such an evaluation; those of
   *   {@link Registry.change}.
   */
  promote(
    hash: string,
    author: Author,
    options?: {readonly force?: boolean; readonly expected?: number},
  ): Promise<Aliases>;
  recordEvaluation(family: string, evaluation: Evaluation, author: Author): void;
  /** What the keeper of a family found; `hash` is the model that it is about. */
  recordFinding(
    family: string,
    finding: {what: KeeperFinding; hash: string | null; keeper: KeeperMark},
    author: Author,
  ): void;
  history(): Audit;
  /** Retired entries but the newest `keep` of each family, and damaged ones if asked to. */
  removable(options: {keep: number; damaged: boolean}): string[];
  /** Removes {@link Registry.removable}; what got a name in the same moment stays. */
  prune(options: {keep: number; damaged: boolean; author: Author}): string[];
};

/**
 * Opens a registry; nothing is written before something is added.
 *
 * @param directory Absolute.
 */
export function openRegistry(directory: string, files: Files): Registry {
  const store = openEntryStore(files, directory, openKeys(directory));
  const aliasStore = openAliasStore(files, directory);
  const auditPath = `${directory}/audit.jsonl`;
  const tell = (record: AuditRecord) => appendAudit(files, auditPath, [record]);
  const change = createChange(store, aliasStore);
  const add: Registry['add'] = async (folder, options) => {
    const {entry, isNew} = await addArtefact(files, store, folder, options);
    const {atMs, who, why} = options.author;
    const {family, hash: to, parent: from} = entry;
    if (isNew) tell({atMs, family, what: 'added', who, why, from, to});
    return entry;
  };
  const list = () => listEntries(store);
  const named = () =>
    new Set(MODEL_FAMILIES.flatMap(({name}) => namedBy(aliasStore.read(name).aliases)));
  const removable = (options: {keep: number; damaged: boolean}) =>
    chooseRemovable(list(), named(), options);
  return {
    directory,
    add,
    async importArtefact(folder, options) {
      const entry = await add(folder, options);
      const {hash, family} = entry;
      const {champion, revision} = aliasStore.read(family).aliases;
      if (champion === null)
        await change(family, {kind: 'promote', hash}, options.author, revision);
      return entry;
    },
    list,
    folderOf: store.folderOf,
    read: store.read,
    verify: hash => verifyEntry(store, hash),
    resolve: text => resolveName(text, store.hashes(), aliasStore.read),
    aliases: family => aliasStore.read(familyNamed(family).name),
    change,
    async promote(hash, author, {force = false, expected} = {}) {
      const {family} = store.read(hash);
      const {champion, revision} = aliasStore.read(family).aliases;
      if (force && author.why === '') throw withoutReason(hash);
      const isProven =
        champion === null ||
        champion === hash ||
        isBetter(readAudit(files, auditPath), champion, hash);
      if (!force && !isProven) throw unproven(hash, champion);
      return change(family, {kind: 'promote', hash}, author, expected ?? revision);
    },
    recordEvaluation(family, evaluation, {atMs, who, why}) {
      const {champion: from, challenger: to} = evaluation;
      tell({atMs, family, what: 'evaluated', who, why, from, to, evaluation});
    },
    recordFinding(family, {what, hash: to, keeper}, {atMs, who, why}) {
      tell({atMs, family, what, who, why, from: null, to, keeper});
    },
    history: () => withoutRepeats(readAudit(files, auditPath)),
    removable: options => removable(options).map(({hash}) => hash),
    prune(options) {
      store.sweep();
      const {atMs, who, why} = options.author;
      return removable(options).flatMap(each => {
        const {hash} = each;
        if (!store.remove(hash, () => named().has(hash))) return [];
        const family = 'family' in each ? each.family : '';
        tell({atMs, family, what: 'removed', who, why, from: hash, to: null});
        return [hash];
      });
    },
  };
}

function createChange(store: EntryStore, aliasStore: AliasStore): Registry['change'] {
  return async (family, wanted, author, expected) => {
    const {aliases} = aliasStore.read(familyNamed(family).name);
    const at = expected ?? aliases.revision;
    const named = nameIn(wanted, aliases);
    if (named !== null) requireFamily(await verifyEntry(store, named), family);
    const next = aliasStore.change(family, at, wanted, author);
    // Whoever removes entries looks at the aliases after taking one away: one of us sees the other.
    if (named === null || store.hashes().includes(named)) return next;
    const why = `${shortHash(named)} was removed in the same moment`;
    const back: AliasChange = {kind: wanted.kind === 'challenge' ? 'withdraw' : 'rollback'};
    aliasStore.change(family, next.revision, back, {...author, why});
    throw new ForestayError('NOT_FOUND', `cannot ${wanted.kind} ${family}: ${why}; add it again`, {
      details: {family, hash: named},
    });
  };
}

/** The entry that a change gives a name to. */
function nameIn(change: AliasChange, {previous}: Aliases): string | null {
  if (change.kind === 'rollback') return previous;
  return 'hash' in change ? change.hash : null;
}

async function verifyEntry(store: EntryStore, hash: string): Promise<Entry> {
  const entry = store.read(hash);
  await familyNamed(entry.family).check(store.folderOf(hash));
  return entry;
}

function listEntries(store: EntryStore): Listing {
  const entries: Entry[] = [];
  const damaged: DamagedEntry[] = [];
  for (const hash of store.hashes()) {
    try {
      entries.push(store.read(hash));
    } catch (error) {
      if (!isForestayError(error)) throw error;
      // Else it was removed in this very moment.
      if (store.hashes().includes(hash)) damaged.push({hash, error});
    }
  }
  entries.sort(
    (a, b) => order(a.family, b.family) || b.addedAtMs - a.addedAtMs || order(a.hash, b.hash),
  );
  return {entries, damaged};
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Of a change that two processes have written down, the first line. */
function withoutRepeats({records, remarks}: Audit): Audit {
  const seen = new Set<string>();
  return {
    remarks,
    records: records.filter(({family, aliases}) => {
      if (aliases === undefined) return true;
      const change = `${family}/${aliases.revision}`;
      if (seen.has(change)) return false;
      seen.add(change);
      return true;
    }),
  };
}

/** Whether the last comparison of the two that came to a verdict was passed. */
function isBetter({records}: Audit, champion: string, challenger: string): boolean {
  const last = records.findLast(
    ({evaluation}) =>
      evaluation?.champion === champion &&
      evaluation.challenger === challenger &&
      evaluation.isOpen !== true,
  );
  return last?.evaluation?.passed ?? false;
}

function requireFamily({family, hash}: Entry, wanted: string): void {
  if (family === wanted) return;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `cannot name ${shortHash(hash)} in ${wanted}: it is a model of ${family}`,
    {details: {hash, family, wanted}},
  );
}

function unproven(hash: string, champion: string): ForestayError {
  return new ForestayError(
    'REGISTRY_CONFLICT',
    `cannot promote ${shortHash(hash)}: the last evaluation against the champion ${shortHash(champion)} ` +
      'did not pass, or there is none; run forestay models evaluate with --against, or give --force ' +
      'and --why',
    {details: {hash, champion}},
  );
}

function withoutReason(hash: string): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot promote ${shortHash(hash)} by force without a reason; give --why`,
    {details: {hash}},
  );
}
