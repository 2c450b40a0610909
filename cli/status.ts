import {timestampMs} from '@bufbuild/protobuf/wkt';
import type {Command} from 'commander';
import {isForestayError} from '../core/domain/errors.ts';
import {shortHash} from '../core/domain/hash.ts';
import type {
  GetStatusResponse,
  PartitionStatus,
  Restrained,
} from '../proto/gen/forestay/v1/control_pb.ts';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {openControl} from './control.ts';
import {ranges} from './models-agreement.ts';
import {countModes, modeLine} from './modes.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';
import {harmlessName} from './terminal.ts';

export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .description('whether the core is well, what it may do, and how much it has done')
    .option('--registry <dir>', 'folder of the models (models in the data folder)')
    .action((options: ClientOptions & {output: Format; registry?: string}) =>
      withCore(options, async core => {
        const {GetStatusResponseSchema} = await import('../proto/gen/forestay/v1/control_pb.ts');
        const control = await openControl(core);
        const status = await core.call(control, control.getStatus, {});
        const disagreements = await registryDisagreements(options.registry, status.partitions);
        const record = {...(toRecord(GetStatusResponseSchema, status) as object), disagreements};
        await printValue(options.output, record as never, () =>
          [...statusLines(status), ...disagreements].join('\n'),
        );
      }),
    );
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

function statusLines(status: GetStatusResponse): string[] {
  const {version, ready, checks, partitions, actors, cells, restraints} = status;
  return [
    `forestay ${version}  ${ready ? 'ready' : 'not ready'}`,
    ...checks.map(({name, ok, message}) => `  ${ok ? '+' : '-'} ${name} ${message}`.trimEnd()),
    ...countModes(partitions).map(modeLine),
    ...modelLines(partitions),
    ...restraints.map(restraintLine),
    ...ownerLines(partitions),
    ...actors.map(({kind, state, count}) => `  ${kind} ${state.padEnd(12)} ${count}`),
    ...cells.map(
      ({cell, ingestedSamples, storedSamples, scoredRows, transitions}) =>
        `cell ${cell}  ingested ${ingestedSamples}  stored ${storedSamples}  scored ${scoredRows}  transitions ${transitions}`,
    ),
  ];
}

/** Where the registry here says otherwise; nothing without one, or if no configuration can be read. */
async function registryDisagreements(
  registry: string | undefined,
  partitions: readonly PartitionStatus[],
): Promise<string[]> {
  const [{disagreementsOf}, {openRegistryOf}] = await Promise.all([
    import('./models-serving.ts'),
    import('./models-registry.ts'),
  ]);
  try {
    return await disagreementsOf(
      openRegistryOf({...(registry === undefined ? {} : {registry}), config: []}),
      partitions,
    );
  } catch (error) {
    if (isForestayError(error, 'CONFIG_INVALID')) return [];
    throw error;
  }
}

/** One line for each way in which partitions use models; the usual one, a champion alone, has none. */
function modelLines(partitions: readonly PartitionStatus[]): string[] {
  const uses = partitions.flatMap(use => [
    ...(use.canaryHash === ''
      ? []
      : [`canary ${shortHash(use.canaryHash)} scores ${use.canaryPercent} % of the hosts`]),
    ...(use.refusedHash === ''
      ? []
      : [`model ${shortHash(use.refusedHash)} refused: ${use.refusedBecause}`]),
  ]);
  return [...new Set(uses)];
}

function restraintLine({cell, modelHash, sinceTime, because}: Restrained): string {
  const since = sinceTime ? ` since ${new Date(timestampMs(sinceTime)).toISOString()}` : '';
  return `${harmlessName(cell)}: ${shortHash(modelHash)} only advises${since}: ${harmlessName(because)}; forestay skill says more, lift-restraint ends it`;
}

/** One line a core: how many partitions it owns, and which. */
function ownerLines(partitions: readonly PartitionStatus[]): string[] {
  const owned = new Map<string, number[]>();
  for (const {owner, address, partition} of partitions) {
    const core = owner === '' ? 'owner unknown' : coreName(owner, address);
    owned.set(core, [...(owned.get(core) ?? []), partition]);
  }
  return [...owned].map(
    ([core, numbers]) =>
      `${core}  ${numbers.length} partition${numbers.length === 1 ? '' : 's'}: ${ranges(numbers)}`,
  );
}

/** Port 0 was asked for, and nobody was told which one came of it. */
function coreName(owner: string, address: string): string {
  return address.endsWith(':0') ? `core ${owner}` : `core ${owner} at ${address}`;
}
