import test from 'ava';
import {createMemoryFiles} from '../../../core/adapters/files-memory.ts';
import {seededRandom} from '../../../core/adapters/random-seeded.ts';
import {isForestayError} from '../../../core/domain/errors.ts';
import {openAliasStore} from '../../../models/registry/alias-store.ts';
import {
  type AliasChange,
  type Aliases,
  applyChange,
  namedBy,
  noAliases,
  stateOf,
} from '../../../models/registry/aliases.ts';
import {readAudit} from '../../../models/registry/audit.ts';
import fc from '../../support/fast-check.ts';

const FAMILY = 'component-failure';
const HASHES = ['a', 'b', 'c', 'd'].map(digit => digit.repeat(64));
const AUDIT = '/registry/audit.jsonl';
const fileOf = (revision: number) => `/registry/aliases/${FAMILY}/0000000${revision}.json`;

const by = (who: string, atMs = 0) => ({who, why: `${who} wants it`, atMs});

const hash = fc.constantFrom(...HASHES);
const change: fc.Arbitrary<AliasChange> = fc.oneof(
  fc.record({kind: fc.constant('challenge' as const), hash}),
  fc.record({kind: fc.constant('promote' as const), hash}),
  fc.record({kind: fc.constant('canary' as const), percent: fc.integer({min: -1, max: 101})}),
  fc.constant({kind: 'rollback' as const}),
  fc.constant({kind: 'withdraw' as const}),
);

/** What must hold of every revision. */
function isSound({revision, champion, challenger, previous, canaryPercent}: Aliases): boolean {
  if (revision === 0) return champion === null && challenger === null && previous === null;
  return (
    champion !== null &&
    champion !== challenger &&
    champion !== previous &&
    (canaryPercent === 0 || challenger !== null) &&
    canaryPercent >= 0 &&
    canaryPercent <= 100
  );
}

function openStore() {
  const files = createMemoryFiles();
  files.makeDirectory('/registry');
  return {files, store: openAliasStore(files, '/registry')};
}

test('whatever is asked for in whatever order, there is one champion, and a refused change changes nothing', t => {
  fc.assert(
    fc.property(fc.array(change, {maxLength: 20}), changes => {
      let aliases = noAliases(FAMILY);
      for (const wanted of changes) {
        try {
          const next = applyChange(aliases, wanted, by('ada'));
          t.is(next.revision, aliases.revision + 1);
          aliases = next;
        } catch (error) {
          if (!isForestayError(error)) throw error;
        }
        t.true(isSound(aliases), JSON.stringify(aliases));
        const champions = HASHES.filter(each => stateOf(aliases, each) === 'champion');
        t.is(champions.length, Number(aliases.revision > 0));
        t.is(
          HASHES.filter(each => stateOf(aliases, each) !== 'retired').length,
          new Set(namedBy(aliases)).size,
        );
      }
    }),
  );
});

test('of writers that looked at the same revision one wins, in every interleaving, and all read the same', t => {
  const step = fc.record({writer: fc.integer({min: 0, max: 2}), looks: fc.boolean(), change});
  fc.assert(
    fc.property(fc.array(step, {maxLength: 30}), steps => {
      const {files, store} = openStore();
      const seen = [0, 0, 0];
      const winners = new Map<number, number>();
      for (const {writer, looks, change: wanted} of steps) {
        const before = store.read(FAMILY).aliases;
        if (looks) seen[writer] = before.revision;
        try {
          const {revision} = store.change(FAMILY, seen[writer] as number, wanted, by(`w${writer}`));
          t.false(winners.has(revision));
          winners.set(revision, writer);
          t.is(seen[writer], before.revision, 'a stale decision won');
        } catch (error) {
          if (!isForestayError(error)) throw error;
          t.deepEqual(store.read(FAMILY).aliases, before);
        }
        t.true(isSound(store.read(FAMILY).aliases));
      }
      const {records, remarks} = readAudit(files, AUDIT);
      t.deepEqual(remarks, []);
      t.deepEqual(
        records.map(({aliases, who}) => [aliases?.revision, who]),
        [...winners].map(([revision, writer]) => [revision, `w${writer}`]),
      );
    }),
  );
});

test('who comes second is told who was first, what they did and why', t => {
  const {store} = openStore();
  const [first, second] = HASHES as [string, string];
  store.change(FAMILY, 0, {kind: 'promote', hash: first}, by('ada', 1000));
  const error = t.throws(() =>
    store.change(FAMILY, 0, {kind: 'promote', hash: second}, by('bob', 2000)),
  );
  t.true(isForestayError(error, 'REGISTRY_CONFLICT'));
  t.regex(
    String(error),
    /cannot promote component-failure at revision 0: ada was first and made revision 1 at 1970-01-01T00:00:01\.000Z \(champion aaaaaaaaaaaa; why: ada wants it\)/,
  );
});

function threeRevisions() {
  const opened = openStore();
  const [a, b, c] = HASHES as [string, string, string];
  for (const [revision, hashOfIt] of [a, b, c].entries()) {
    opened.store.change(FAMILY, revision, {kind: 'promote', hash: hashOfIt}, by('ada', revision));
  }
  return {...opened, a, b, c};
}

test('looking again and again reads the audit log once, and again when somebody wrote to it', t => {
  const {files, a, b} = threeRevisions();
  let reads = 0;
  const read = (path: string) => {
    if (path === AUDIT) reads++;
    return files.read(path);
  };
  const store = openAliasStore({...files, read}, '/registry');
  for (let look = 0; look < 5; look++) t.is(store.read(FAMILY).aliases.revision, 3);
  t.is(reads, 1);
  const other = openAliasStore(files, '/registry');
  other.change(FAMILY, 3, {kind: 'promote', hash: a}, by('bob'));
  files.remove(fileOf(4));
  t.is(store.read(FAMILY).aliases.champion, a);
  t.is(reads, 2);
  other.change(FAMILY, 4, {kind: 'promote', hash: b}, by('bob'));
  t.is(store.read(FAMILY).aliases.champion, b);
});

test('a damaged file of aliases is told, and the audit log says what was in it', t => {
  const {files, store, c, a} = threeRevisions();
  const before = store.read(FAMILY).aliases;
  files.damage(fileOf(3), 40);
  const {aliases, remarks} = store.read(FAMILY);
  t.deepEqual(aliases, before);
  t.is(remarks.length, 1);
  t.regex(
    remarks[0] as string,
    /00000003\.json is damaged or gone; in force is revision 3 of the audit/,
  );
  t.like(store.change(FAMILY, 3, {kind: 'promote', hash: a}, by('bob')), {
    revision: 4,
    champion: a,
    previous: c,
  });
  t.deepEqual(store.read(FAMILY).remarks, []);
});

test('files of aliases that are gone are told as well', t => {
  const {files, store, c} = threeRevisions();
  for (const revision of [1, 2, 3]) files.remove(fileOf(revision));
  const {aliases, remarks} = store.read(FAMILY);
  t.like(aliases, {revision: 3, champion: c});
  t.is(remarks.length, 1);
});

test('with file and audit line both damaged the revision before is in force, and its number is not given again', t => {
  const {files, store, a, b} = threeRevisions();
  files.damage(fileOf(3), 40);
  const size = files.size(AUDIT);
  files.truncate(AUDIT, size - 10);
  const {aliases} = store.read(FAMILY);
  t.like(aliases, {revision: 3, champion: b, previous: a});
  const {records, remarks} = readAudit(files, AUDIT);
  t.is(records.length, 2);
  t.regex(remarks.join(), /the last line of .* was cut off/);
  t.like(store.change(FAMILY, 3, {kind: 'rollback'}, by('bob')), {revision: 4, champion: a});
  // The torn line stays alone; what follows is whole.
  const after = readAudit(files, AUDIT);
  t.is(after.records.at(-1)?.aliases?.revision, 4);
  t.regex(after.remarks.join(), /line 3 of .* is damaged and was passed over/);
});

test('whenever a process dies in a change, it happened whole or not at all, and the log is made good', t => {
  const [first, second, third] = HASHES as [string, string, string];
  for (let calls = 0; calls < 6; calls++) {
    const {files, store} = openStore();
    store.change(FAMILY, 0, {kind: 'promote', hash: first}, by('ada'));
    files.failAfter(calls);
    try {
      store.change(FAMILY, 1, {kind: 'promote', hash: second}, by('ada'));
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'EIO');
    }
    files.crash(seededRandom(calls));
    const {aliases} = store.read(FAMILY);
    t.true(aliases.revision === 1 ? aliases.champion === first : aliases.champion === second);
    store.change(FAMILY, aliases.revision, {kind: 'promote', hash: third}, by('bob'));
    const told = readAudit(files, AUDIT).records.map(record => record.aliases?.revision);
    t.deepEqual(
      told,
      Array.from({length: aliases.revision + 1}, (_, at) => at + 1),
      `after ${calls} calls`,
    );
  }
});

test('on a full disk a change happens with its file or not at all, and the log gets its line later', t => {
  const [first, second] = HASHES as [string, string];
  let [refused, silent] = [0, 0];
  for (let bytes = 0; bytes < 2500; bytes += 100) {
    const {files, store} = openStore();
    files.limitTo(bytes);
    try {
      store.change(FAMILY, 0, {kind: 'promote', hash: first}, by('ada'));
      t.is(store.read(FAMILY).aliases.champion, first);
      if (readAudit(files, AUDIT).records.length === 0) silent++;
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'ENOSPC');
      t.is(store.read(FAMILY).aliases.revision, 0);
      refused++;
    }
    files.limitTo(Number.POSITIVE_INFINITY);
    const {revision} = store.read(FAMILY).aliases;
    store.change(FAMILY, revision, {kind: 'promote', hash: second}, by('bob'));
    t.is(readAudit(files, AUDIT).records.length, revision + 1);
  }
  t.true(refused > 0 && silent > 0);
});
