import {type Command, InvalidArgumentError, Option, type OutputConfiguration} from 'commander';
import {refuseCrowding} from './crowding.ts';
import {parseServer, parseServers} from './servers.ts';
import {firstSignal} from './signals.ts';

type Flags = {
  core: readonly string[];
  seed: number;
  hosts: number;
  vms?: number;
  cells: number;
  cellPrefix: string;
  speed: number;
  faultRate: number;
  actuatorListen: string;
  actuatorAdvertise?: string;
  state?: string;
  oracle?: string;
  intentModel?: string;
};

/** The demo's density. */
const VMS_A_HOST = 7.5;

/** `forestay datacenter`: simulated hosts that any core can watch and act on. */
export function registerDatacenter(program: Command): void {
  program
    .command('datacenter')
    .description('run simulated hosts, with real agents, for cores that run elsewhere')
    .addOption(
      new Option('--core <host:port,...>', 'cores to stream to')
        .argParser(parseServers)
        .default(['127.0.0.1:7443'], '127.0.0.1:7443'),
    )
    .option('--seed <n>', 'which datacenter and which faults', wholeNumber, 1)
    .option('--hosts <n>', 'hosts, at least one a cell', wholeNumber, 24)
    .option('--vms <n>', 'VMs on them (default: 7.5 a host)', wholeNumber)
    .option('--cells <n>', 'cells, each in a partition of its own, up to 64', cellCount, 2)
    .option('--cell-prefix <text>', 'what names of cells begin with', cellPrefix, 'dc-')
    .option('--speed <x>', 'virtual seconds a second', positive, 1)
    .option('--fault-rate <x>', 'how much more often parts fail', positive, 1)
    .option(
      '--actuator-listen <host:port>',
      'where all agents take effects',
      parseServer,
      '127.0.0.1:0',
    )
    .option(
      '--actuator-advertise <host:port>',
      'what hosts say of it (default: the same)',
      parseServer,
    )
    .option('--state <dir>', 'keep acts, effects and spools: a killed datacenter goes on')
    .option('--oracle <file>', 'append what really happens, one JSON object a line')
    .addOption(new Option('--intent-model <dir>', 'reboot-intent model of the edges').hideHelp())
    .addHelpText(
      'after',
      `
Every host has a real edge agent: a spool, a stream to one of the cores and to the next one when
that is away, and an actuator with a table of effects. Parts fail for a week of virtual time.

  forestay core                                   in one terminal
  forestay datacenter --state /tmp/dc --speed 10  in another
  forestay mode auto                              let it act`,
    )
    .action(run);
}

async function run(flags: Flags, command: Command): Promise<void> {
  const {writeErr} = command.configureOutput() as Required<OutputConfiguration>;
  if (flags.hosts < flags.cells) {
    command.error(`error: ${flags.hosts} hosts cannot fill ${flags.cells} cells`);
  }
  const vms = flags.vms ?? Math.floor(flags.hosts * VMS_A_HOST);
  refuseCrowding(command, flags.hosts, vms);
  const stopping = firstSignal();
  const {runDatacenter} = await import('./datacenter-run.ts');
  await runDatacenter(
    {
      ...flags,
      cores: flags.core,
      vms,
      actuatorAdvertise: flags.actuatorAdvertise,
      state: flags.state,
      oracle: flags.oracle,
      intentModel: flags.intentModel,
      version: command.parent?.version() ?? '',
      note: line => writeErr(`${line}\n`),
    },
    stopping,
  );
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

/** Letters follow. */
function cellPrefix(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 32 letters, digits, dots, dashes, underscores.');
}

/** Each cell has a partition of its own. */
function cellCount(text: string): number {
  const value = wholeNumber(text);
  if (value <= 64) return value;
  throw new InvalidArgumentError('Expected 1 to 64: there are so many partitions.');
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}
