import type {Command} from 'commander';
import {shortHash} from '../core/domain/hash.ts';
import type {GetStatusResponse, PartitionStatus} from '../proto/gen/forestay/v1/control_pb.ts';
import {addClientOptions, type ClientOptions, withCore} from './client.ts';
import {openControl} from './control.ts';
import {countModes, modeLine} from './modes.ts';
import {addOutputOption, type Format, printValue, toRecord} from './output.ts';

export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .description('whether the core is well, what it may do, and how much it has done')
    .action((options: ClientOptions & {output: Format}) =>
      withCore(options, async core => {
        const {GetStatusResponseSchema} = await import('../proto/gen/forestay/v1/control_pb.ts');
        const control = await openControl(core);
        const status = await core.call(control, control.getStatus, {});
        const record = toRecord(GetStatusResponseSchema, status);
        await printValue(options.output, record, () => statusLines(status).join('\n'));
      }),
    );
  addClientOptions(addOutputOption(command, ['table', 'json', 'ndjson', 'yaml']));
}

function statusLines(status: GetStatusResponse): string[] {
  const {version, ready, checks, partitions, actors, cells} = status;
  return [
    `forestay ${version}  ${ready ? 'ready' : 'not ready'}`,
    ...checks.map(({name, ok, message}) => `  ${ok ? '+' : '-'} ${name} ${message}`.trimEnd()),
    ...countModes(partitions).map(modeLine),
    ...modelLines(partitions),
    ...ownerLines(partitions),
    ...actors.map(({kind, state, count}) => `  ${kind} ${state.padEnd(12)} ${count}`),
    ...cells.map(
      ({cell, ingestedSamples, storedSamples, scoredRows, transitions}) =>
        `cell ${cell}  ingested ${ingestedSamples}  stored ${storedSamples}  scored ${scoredRows}  transitions ${transitions}`,
    ),
  ];
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

/** `0-31, 40` */
function ranges(numbers: readonly number[]): string {
  const found: {from: number; to: number}[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.to === number - 1) last.to = number;
    else found.push({from: number, to: number});
  }
  return found.map(({from, to}) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
