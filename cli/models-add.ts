import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {Command} from 'commander';
import {buildInfo} from '../core/build-info.ts';
import type {DriftSnapshot} from '../core/domain/drift/snapshot.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {shortHash} from '../core/domain/hash.ts';
import {hashOf} from '../models/artefact-files.ts';
import {COMPONENT_FAILURE, COMPONENT_OUTLOOK} from '../models/failure/family.ts';
import {readOwnRows} from '../models/failure/own-rows.ts';
import {snapshotOf} from '../models/failure/snapshot.ts';
import {parseManifest} from '../models/manifest.ts';
import {
  addAuthorOptions,
  authorOf,
  type ChangeOptions,
  openRegistryOf,
  progress,
} from './models-registry.ts';
import {wholeNumber} from './numbers.ts';
import {printValue} from './output.ts';

type AddFlags = ChangeOptions & {parent?: string; data?: string; fleets: number};

export function registerAdd(models: Command): void {
  addAuthorOptions(
    models
      .command('add')
      .description('take in a model that forestay train wrote; it serves once it is promoted')
      .argument('<folder>', 'artefact')
      .option('--parent <model>', 'the model that it was trained to replace')
      .option(
        '--data <file>',
        'rows of your own that it learned from: their hash is kept, and their spread',
      )
      .option(
        '--fleets <n>',
        'keep the spread of so many simulated fleets of its seed, if drift.json is not there',
        wholeNumber(0),
        0,
      )
      .action(add),
  );
}

async function add(folder: string, options: AddFlags): Promise<void> {
  const registry = openRegistryOf(options);
  const parent = options.parent === undefined ? null : registry.resolve(options.parent);
  const artefact = resolve(folder);
  const entry = await registry.add(artefact, {
    author: authorOf(options),
    codeVersion: buildInfo().version,
    parent,
    ...(await spreadOf(artefact, options)),
  });
  const {hash, family} = entry;
  await printValue(
    options.output,
    {hash, family, registry: registry.directory},
    () => `${family} ${shortHash(hash)} is in ${registry.directory}`,
  );
}

/** How the rows that it learned from were spread, if somebody says which they were. */
async function spreadOf(
  artefact: string,
  {data, fleets}: AddFlags,
): Promise<{drift?: DriftSnapshot; dataHash?: string}> {
  if (data === undefined && fleets === 0) return {};
  const path = join(artefact, 'manifest.json');
  const {name, seed} = parseManifest(readFileSync(path, 'utf8'), path);
  const family = [COMPONENT_FAILURE, COMPONENT_OUTLOOK].find(each => each.name === name);
  if (family === undefined) throw withoutRows(name);
  if (data !== undefined) {
    const dataHash = hashOf(readFileSync(data));
    return {dataHash, drift: snapshotOf((await readOwnRows(data, family)).data)};
  }
  const {openFailureSource} = await import('./train-failure-data.ts');
  const flags = {seed, fleets, unseenFleets: 1, hosts: 24, days: 28};
  const source = await openFailureSource(family, flags, progress);
  return {drift: snapshotOf(source.learned, source)};
}

function withoutRows(name: string): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot keep the spread of rows for a model of ${name}: it does not learn from rows of features; ` +
      'leave out --data and --fleets',
    {details: {name}},
  );
}
