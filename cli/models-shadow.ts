import type {Command} from 'commander';
import {ForestayError} from '../core/domain/errors.ts';
import {shortHash} from '../core/domain/hash.ts';
import type {Aliases} from '../models/registry/aliases.ts';
import type {Entry} from '../models/registry/entry.ts';
import {addAuthorOptions, authorOf, openRegistryOf} from './models-registry.ts';
import {addServingOptions, type ServingOptions, tellCore} from './models-serving.ts';
import {wholeNumber} from './numbers.ts';
import {printValue} from './output.ts';

type ShadowOptions = ServingOptions & {end?: boolean; revision?: number};

/** The family that keepers of running cores compare. */
const KEPT = 'component-failure';

export function registerShadow(models: Command, names: string): void {
  addServingOptions(
    addAuthorOptions(
      models
        .command('shadow')
        .description('let a model score the rows of the champion beside it, and serve nobody')
        .argument('<model>', names)
        .option('--end', 'it is the challenger no more')
        .option('--revision <n>', 'only if the aliases are still of this revision', wholeNumber(0))
        .action(shadow),
    ),
  );
}

/** Names the challenger. Who compares it is whoever tends the family: cores look at the aliases. */
async function shadow(name: string, options: ShadowOptions): Promise<void> {
  const registry = openRegistryOf(options);
  const hash = registry.resolve(name);
  const {family, featureHash} = registry.read(hash);
  const {aliases: before} = registry.aliases(family);
  const {end = false, revision = before.revision} = options;
  if (!end && before.champion !== null) {
    const champion = registry.read(before.champion);
    if (champion.featureHash !== featureHash) throw otherFeatures(hash, featureHash, champion);
  }
  if (end && before.challenger !== hash) throw notChallenger(before, hash);
  const change = end ? ({kind: 'withdraw'} as const) : ({kind: 'challenge', hash} as const);
  const aliases = await registry.change(family, change, authorOf(options), revision);
  const told = await tell(before, aliases, end, options);
  await printValue(options.output, {...aliases, told} as never, () =>
    [
      end
        ? `${family}: ${shortHash(hash)} is the challenger no more  (revision ${aliases.revision})`
        : `${family}: ${shortHash(hash)} challenges ${shortHash(aliases.champion ?? '')}, and serves nobody  (revision ${aliases.revision})`,
      told,
    ].join('\n'),
  );
}

/** A trial that this ends is one that the core knows of; a shadow is none of its business. */
async function tell(
  before: Aliases,
  after: Aliases,
  end: boolean,
  options: ServingOptions,
): Promise<string> {
  const ended = before.canaryPercent > 0 ? await tellCore(after, options) : undefined;
  if (ended !== undefined) return ended;
  if (after.family !== KEPT) {
    return `nobody compares models of ${after.family} while they serve; forestay models evaluate does`;
  }
  return end
    ? 'cores that share this registry stop comparing it'
    : 'cores that share this registry compare it from now on, unless keeper.mode is off; ' +
        'forestay models history shows what they find';
}

/** Such a model may serve; but nobody scores the champion's rows by it. */
function otherFeatures(hash: string, featureHash: number, champion: Entry): ForestayError {
  return new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot compare ${shortHash(hash)} with the champion ${shortHash(champion.hash)} on the same rows: it reads ` +
      `feature contract ${featureHash}, the champion ${champion.featureHash}; forestay models evaluate gives each its own`,
    {details: {hash, featureHash, champion: champion.hash, served: champion.featureHash}},
  );
}

function notChallenger({family, challenger}: Aliases, hash: string): ForestayError {
  const who = challenger === null ? 'nobody' : shortHash(challenger);
  return new ForestayError(
    'REGISTRY_CONFLICT',
    `cannot end the shadow of ${shortHash(hash)}: ${who} challenges in ${family}; see forestay models list`,
    {details: {family, hash}},
  );
}
