import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Command} from 'commander';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {ForestayError, isForestayError} from '../core/domain/errors.ts';
import {shortHash} from '../core/domain/hash.ts';
import {PERCENT_ALL} from '../core/domain/model-use.ts';
import type {Aliases, Author} from '../models/registry/aliases.ts';
import type {Entry} from '../models/registry/entry.ts';
import {familyNamed, MODEL_FAMILIES} from '../models/registry/families.ts';
import type {Registry} from '../models/registry/registry.ts';
import {addClientOptions, type ClientOptions} from './client.ts';
import {EXIT} from './exit-codes.ts';
import {registerAdd} from './models-add.ts';
import {registerEvaluate} from './models-evaluate.ts';
import {
  addAuthorOptions,
  addRegistryOptions,
  authorOf,
  type ChangeOptions,
  openRegistryOf,
  type RegistryOptions,
  warn,
} from './models-registry.ts';
import {
  addServingOptions,
  askDisagreements,
  type ServingOptions,
  tellCore,
} from './models-serving.ts';
import {registerShadow} from './models-shadow.ts';
import {
  historyTable,
  type ListedModel,
  listedModel,
  modelLines,
  modelTable,
} from './models-tables.ts';
import {wholeNumber} from './numbers.ts';
import {printValue} from './output.ts';

const percent = wholeNumber(1, PERCENT_ALL);
const NAME = 'first digits of its hash, or FAMILY@champion, @challenger, @previous';

/** `forestay models`: what is in the registry, and who serves. */
export function registerModels(program: Command): void {
  const models = program
    .command('models')
    .description('models with their history: who serves, who challenges, what was before');
  registerReading(models);
  registerAdd(models);
  registerEvaluate(models);
  registerShadow(models, NAME);
  registerChanges(models);
}

function registerReading(models: Command): void {
  addRegistryOptions(
    models.command('list').description('all models, by family, the newest first').action(list),
  );
  addClientOptions(
    addRegistryOptions(
      models
        .command('show')
        .description('all that is known of one, and whether the core that runs here agrees')
        .argument('<model>', NAME)
        .action(show),
    ),
  );
  addRegistryOptions(
    models
      .command('card')
      .description('its card, in Markdown')
      .argument('<model>', NAME)
      .action(card),
  );
  addRegistryOptions(
    models
      .command('verify')
      .description('check signature, hashes, contract and golden risks, as before serving')
      .argument('[model]', `${NAME}; without: all`)
      .action(verify),
  );
  addRegistryOptions(
    models
      .command('history')
      .description('what was done to models, by whom and why, oldest first')
      .argument('[family]', 'only of this one')
      .action(history),
  );
}

function registerChanges(models: Command): void {
  addServingOptions(
    addAuthorOptions(
      models
        .command('promote')
        .description('make a model the champion, if it was evaluated to be better')
        .argument('<model>', NAME)
        .option('--percent <n>', 'let it score a share of the hosts first', percent)
        .option('--force', 'without an evaluation; needs --why')
        .option('--revision <n>', 'only if the aliases are still of this revision', wholeNumber(0))
        .action(promote),
    ),
  );
  addServingOptions(
    addAuthorOptions(
      models
        .command('rollback')
        .description('end a trial; without one, let champion and previous change places')
        .argument('<family>', MODEL_FAMILIES.map(({name}) => name).join(', '))
        .action(rollback),
    ),
  );
  addAuthorOptions(
    models
      .command('prune')
      .description('remove models that have no alias, but the newest')
      .option('--keep <n>', 'of each family', wholeNumber(0), 5)
      .option('--damaged', 'also those that cannot be read')
      .option('--yes', 'do it; without, only say what would be removed')
      .action(prune),
  );
}

async function list(options: RegistryOptions): Promise<void> {
  const registry = openRegistryOf(options);
  const {entries, damaged} = registry.list();
  const families = MODEL_FAMILIES.map(({name}) => registry.aliases(name));
  const models = entries.map(entry => describeEntry(registry, entry));
  const remarks = [
    ...families.flatMap(family => family.remarks),
    ...damaged.map(
      ({hash, error}) => `${shortHash(hash)} is refused: [${error.code}] ${error.message}`,
    ),
    ...families.flatMap(({aliases}) => missingNames(aliases, registry, entries)),
  ];
  warn(remarks);
  const value = {
    registry: registry.directory,
    models: models.map(toRecord),
    damaged: damaged.map(({hash, error: {code, message}}) => ({hash, code, message})),
    remarks,
  };
  await printValue(options.output, value as never, () =>
    models.length === 0
      ? `no models in ${registry.directory}; forestay models add takes one in`
      : modelTable(models, Date.now()),
  );
}

/** Aliases that name an entry which is not there; damaged ones are told already. */
function missingNames(aliases: Aliases, registry: Registry, entries: readonly Entry[]): string[] {
  const {family, champion} = aliases;
  const isThere = champion === null || entries.some(({hash}) => hash === champion);
  return isThere
    ? []
    : [
        `the champion of ${family}, ${shortHash(champion)}, is not in ${registry.directory} or refused`,
      ];
}

function describeEntry(registry: Registry, entry: Entry): ListedModel {
  const folder = registry.folderOf(entry.hash);
  const graphs = Object.keys(entry.files).filter(name => name.endsWith('.onnx'));
  const bytes = graphs.reduce((sum, name) => sum + nodeFiles.size(join(folder, name)), 0);
  return listedModel(entry, registry.aliases(entry.family).aliases, bytes);
}

function toRecord({entry, alias, bytes}: ListedModel) {
  const {addedAtMs, ...rest} = entry;
  return {...rest, alias, bytes, addedAt: new Date(addedAtMs).toISOString()};
}

async function show(name: string, options: RegistryOptions & ClientOptions): Promise<void> {
  const registry = openRegistryOf(options);
  const model = describeEntry(registry, requireEntry(registry, name));
  const disagreements =
    model.alias === 'retired'
      ? undefined
      : await askDisagreements(model.entry.family, registry, options);
  const record = {...toRecord(model), ...(disagreements && {disagreements})};
  await printValue(options.output, record as never, () =>
    [modelLines(model), ...(disagreements ?? [])].join('\n'),
  );
}

async function card(name: string, options: RegistryOptions): Promise<void> {
  const registry = openRegistryOf(options);
  const {hash} = requireEntry(registry, name);
  const text = readFileSync(join(registry.folderOf(hash), 'README.md'), 'utf8');
  await printValue(options.output, {hash, card: text}, () => text);
}

/** The entry; its signature and hashes hold. */
function requireEntry(registry: Registry, name: string): Entry {
  const hash = registry.resolve(name);
  const {entries, damaged} = registry.list();
  const found = entries.find(entry => entry.hash === hash);
  if (found !== undefined) return found;
  throw (
    damaged.find(entry => entry.hash === hash)?.error ??
    new ForestayError(
      'NOT_FOUND',
      `no model ${shortHash(hash)} is in ${registry.directory}; see forestay models list`,
    )
  );
}

async function verify(name: string | undefined, options: RegistryOptions): Promise<void> {
  const registry = openRegistryOf(options);
  const {entries, damaged} = registry.list();
  const all = [...entries, ...damaged].map(({hash}) => hash);
  const results: ({hash: string} & Verified)[] = [];
  for (const hash of name === undefined ? all : [registry.resolve(name)]) {
    results.push({hash, ...(await verifyOne(registry, hash))});
  }
  if (results.some(({sound}) => !sound)) process.exitCode = EXIT.no;
  await printValue(options.output, {models: results} as never, () =>
    results.map(({hash, says}) => `${shortHash(hash)}  ${says}`).join('\n'),
  );
}

type Verified = {sound: boolean; code?: string; says: string};

async function verifyOne(registry: Registry, hash: string): Promise<Verified> {
  try {
    const {family} = await registry.verify(hash);
    return {sound: true, says: `sound  ${family}`};
  } catch (error) {
    if (!isForestayError(error)) throw error;
    return {sound: false, code: error.code, says: `refused  [${error.code}] ${error.message}`};
  }
}

async function history(family: string | undefined, options: RegistryOptions): Promise<void> {
  const wanted = family === undefined ? undefined : familyNamed(family).name;
  const {records, remarks} = openRegistryOf(options).history();
  warn(remarks);
  const shown = records.filter(record => wanted === undefined || record.family === wanted);
  await printValue(options.output, {records: shown, remarks} as never, () =>
    shown.length === 0 ? 'nothing was done yet' : historyTable(shown, Date.now()),
  );
}

async function promote(
  name: string,
  options: ServingOptions & {percent?: number; force?: boolean; revision?: number},
): Promise<void> {
  const registry = openRegistryOf(options);
  const hash = registry.resolve(name);
  const author = authorOf(options);
  const {percent: share = PERCENT_ALL, force = false, revision} = options;
  const at = revision === undefined ? {} : {expected: revision};
  const {aliases: now} = registry.aliases(registry.read(hash).family);
  // Nothing to change, and cores that do not serve it are told once more.
  const serves =
    share === PERCENT_ALL &&
    now.champion === hash &&
    now.canaryPercent === 0 &&
    (revision === undefined || revision === now.revision);
  const change = () =>
    share < PERCENT_ALL
      ? tryOut(registry, hash, share, author)
      : registry.promote(hash, author, {force, ...at});
  const aliases = serves ? now : await change();
  await printAliases(aliases, options, serves);
}

/** A trial needs no evaluation: it is how one comes about, and it ends with one command. */
async function tryOut(
  registry: Registry,
  hash: string,
  share: number,
  author: Author,
): Promise<Aliases> {
  const {family} = registry.read(hash);
  const {challenger} = registry.aliases(family).aliases;
  if (challenger !== hash) await registry.change(family, {kind: 'challenge', hash}, author);
  return registry.change(family, {kind: 'canary', percent: share}, author);
}

async function rollback(family: string, options: ServingOptions): Promise<void> {
  const registry = openRegistryOf(options);
  const {canaryPercent} = registry.aliases(family).aliases;
  const kind = canaryPercent > 0 ? 'withdraw' : 'rollback';
  await printAliases(await registry.change(family, {kind}, authorOf(options)), options);
}

async function printAliases(
  aliases: Aliases,
  options: ServingOptions,
  isSame = false,
): Promise<void> {
  const {family, champion, challenger, previous, revision, canaryPercent} = aliases;
  const before = previous === null ? 'there was none before' : `before ${shortHash(previous)}`;
  const and = isSame ? 'as it was' : before;
  const trial =
    canaryPercent > 0
      ? `, ${shortHash(challenger ?? '')} tried by ${canaryPercent} % of the hosts`
      : '';
  const told = await tellCore(aliases, options);
  await printValue(options.output, {...aliases, told} as never, () =>
    [
      `${family}: champion ${shortHash(champion ?? '')}, ${and}${trial}  (revision ${revision})`,
      told,
    ].join('\n'),
  );
}

async function prune(
  options: ChangeOptions & {keep: number; damaged?: boolean; yes?: boolean},
): Promise<void> {
  const registry = openRegistryOf(options);
  const {keep, damaged = false, yes = false} = options;
  const chosen = yes
    ? registry.prune({keep, damaged, author: authorOf(options)})
    : registry.removable({keep, damaged});
  const verb = yes ? 'removed' : 'would remove';
  const kept = registry.list().damaged.filter(({hash}) => !chosen.includes(hash));
  warn(
    kept.map(({hash}) =>
      damaged
        ? `${shortHash(hash)} is damaged and stays, as an alias names it: forestay models add makes it whole`
        : `${shortHash(hash)} is damaged and stays: --damaged is for such ones`,
    ),
  );
  await printValue(options.output, {removed: yes, hashes: chosen} as never, () =>
    chosen.length === 0
      ? 'nothing to remove'
      : `${verb} ${chosen.map(shortHash).join(', ')}${yes ? '' : '; give --yes to do it'}`,
  );
}
