import type {Command} from 'commander';
import {ForestayError, isForestayError} from '../core/domain/errors.ts';
import {shortHash} from '../core/domain/hash.ts';
import type {Aliases} from '../models/registry/aliases.ts';
import type {Registry} from '../models/registry/registry.ts';
import type {PartitionStatus} from '../proto/gen/forestay/v1/control_pb.ts';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {openControl} from './control.ts';
import {disagreements} from './models-agreement.ts';
import type {ChangeOptions} from './models-registry.ts';

export type ServingOptions = ChangeOptions & ClientOptions & {core: boolean};

/** The family that a running core can be told to switch. */
const SWITCHED = 'component-failure';

/** Adds which core is told of the change; none has to run. */
export function addServingOptions(command: Command): Command {
  return addClientOptions(
    command.option('--no-core', 'change the registry alone; a core sees it when it starts'),
  );
}

/**
 * Tells the core that runs here what the aliases say now, in words for people. A core that is not
 * there serves it from its next start; one that does not trust the model says so in `status`.
 */
export async function tellCore(
  {family, champion, challenger, canaryPercent}: Aliases,
  options: ServingOptions,
): Promise<string> {
  if (!options.core) return 'no core was told';
  if (family !== SWITCHED) return 'cores take it when they start';
  const canary = challenger !== null && canaryPercent > 0;
  const asked = canary
    ? {modelHash: challenger, percent: canaryPercent}
    : {modelHash: champion ?? '', percent: 100};
  const share = canary ? `${canaryPercent} % of the hosts` : 'all hosts';
  try {
    return await withCore(options, async core => {
      const control = await openControl(core);
      const {author, why: comment} = options;
      const request = {requestId: '', author, comment, ...asked};
      const {requestId} = await core.call(control, control.switchModel, request);
      return `the core at ${core.server()} scores ${share} by ${shortHash(asked.modelHash)} (request ${requestId}); forestay status says if it refuses`;
    });
  } catch (error) {
    if (!isForestayError(error, 'SERVER_UNREACHABLE')) throw afterwards(error);
    return `no core answers at ${options.server.join(' or ')}: one serves it from its next start`;
  }
}

/**
 * Where partitions score by other models than the registry here says, and which of those that it names
 * no core could open again, in words for people; nothing if no registry is here.
 */
export async function disagreementsOf(
  registry: Registry,
  partitions: readonly PartitionStatus[],
): Promise<string[]> {
  const {aliases} = registry.aliases(SWITCHED);
  const {champion, challenger} = aliases;
  return [
    ...disagreements(aliases, partitions, registry.directory),
    ...(await damageOf(registry, 'champion', champion)),
    ...(await damageOf(registry, 'challenger', challenger)),
  ];
}

async function damageOf(registry: Registry, name: string, hash: string | null): Promise<string[]> {
  if (hash === null) return [];
  try {
    await registry.verify(hash);
    return [];
  } catch (error) {
    if (!isForestayError(error)) throw error;
    const {code, message} = error;
    return [
      `no core can open the ${name} of the registry in ${registry.directory} again: [${code}] ${message}; ` +
        'forestay models add, with the same model, makes it whole',
    ];
  }
}

/** The same, of the core that is asked; undefined: none answers, or it is of a family that cores take when they start. */
export async function askDisagreements(
  family: string,
  registry: Registry,
  options: ClientOptions,
): Promise<string[] | undefined> {
  if (family !== SWITCHED) return undefined;
  try {
    return await withCore(options, async core => {
      const control = await openControl(core);
      const {partitions} = await core.call(control, control.getStatus, {});
      return await disagreementsOf(registry, partitions);
    });
  } catch (error) {
    if (!isForestayError(error, 'SERVER_UNREACHABLE')) throw error;
    return undefined;
  }
}

/** The aliases are changed already: whoever reads the error must know. */
function afterwards(error: unknown): unknown {
  if (!isForestayError(error)) return error;
  const {code, message, details, retryable} = error;
  return new ForestayError(
    code,
    `the registry is changed, and the core was not told: ${message}; give the command again`,
    {details, retryable, cause: error},
  );
}
