import {hostname} from 'node:os';
import {setFlagsFromString} from 'node:v8';
import {type Command, InvalidArgumentError, Option, type OutputConfiguration} from 'commander';
import type {EdgeOptions} from '../edge/main.ts';
import {addIntentOptions, type IntentFlagOptions, toIntentUse} from './edge-intent.ts';
import {addProbeOptions, type ProbeOptions, toProbes} from './edge-probes.ts';
import {parseServer, parseServers} from './servers.ts';
import {firstSignal} from './signals.ts';

type Options = ProbeOptions &
  IntentFlagOptions & {
    core: string;
    cell: string;
    host: string;
    rack: string;
    root: string;
    interval: number;
    falseAlarms: number;
    spool: string;
    actuatorListen?: string;
    http?: string;
    insecure: boolean;
    print: boolean;
    count: number;
    output: 'table' | 'ndjson';
  };

/** `forestay edge`: measures this host and its VMs, and streams to a core. */
export function registerEdge(program: Command): void {
  const command = program
    .command('edge')
    .description('measure this host and its VMs, and stream to a core')
    .option(
      '--core <host:port,...>',
      'cores, one to stream to',
      text => parseServers(text).join(),
      '127.0.0.1:7443',
    )
    .option('--cell <name>', 'group of hosts among which VMs may move', 'default')
    .option('--host <name>', 'name of this host', name, hostname().split('.')[0])
    .option('--rack <name>', 'failure domain of this host', '')
    .option('--root <dir>', 'where proc and sys are found', '/')
    .addOption(
      new Option('--interval <time>', 'between two samples, from 100ms to 60s')
        .argParser(duration)
        .default(1000, '1s'),
    )
    .option(
      '--false-alarms <n>',
      'how often a day a metric of a healthy host or VM may count as odd, from 0.1 to 80',
      alarms,
      1,
    )
    .option('--spool <dir>', 'keeps batches until the core has them', '.forestay/edge')
    .option('--actuator-listen <host:port>', 'serve ActuatorService for this host', parseServer)
    .option('--http <host:port>', 'serve /livez and /metrics', parseServer)
    .option('--insecure', 'allow others than this machine to connect', false)
    .option('--print', 'print live samples, send nothing', false)
    .option('--count <n>', 'with --print: stop after so many samples', count, Infinity)
    .addOption(
      new Option('-o, --output <format>', 'how to print')
        .choices(['table', 'ndjson'])
        .default('table'),
    )
    .action(run);
  addIntentOptions(addProbeOptions(command));
}

async function run(options: Options, command: Command): Promise<void> {
  // A guest on somebody else's host: a small heap is worth more here than the last bit of speed.
  setFlagsFromString('--optimize-for-size');
  const {writeOut, writeErr} = command.configureOutput() as Required<OutputConfiguration>;
  const signal = firstSignal();
  const note = (line: string): void => writeErr(`${line}\n`);
  const [{systemClock}, {printSamples, runEdge}] = await Promise.all([
    import('../core/adapters/clock-system.ts'),
    import('../edge/main.ts'),
  ]);
  const {host, root, interval: intervalMs, falseAlarms: falseAlarmsPerDay} = options;
  const probes = toProbes(options, command);
  // What is printed needs no word about a model that is not there.
  const intent = toIntentUse(options, options.print ? () => {} : note);
  const {nodeFiles} = await import('../core/adapters/files-node.ts');
  const shared = {
    host,
    root,
    probes,
    intervalMs,
    falseAlarmsPerDay,
    intent,
    clock: systemClock,
    files: nodeFiles,
    random: {next: Math.random},
    note,
  };
  if (options.print) {
    const write = (line: string): void => writeOut(`${line}\n`);
    const printed = {...shared, intent: intent && {...intent, flags: undefined}};
    await printSamples(printed, options.output, options.count, write, signal);
    return;
  }
  const [{lockDirectory}, {withSpool}] = await Promise.all([
    import('../core/adapters/log-segments-lock.ts'),
    import('../edge/spool-folder.ts'),
  ]);
  const unlock = withSpool(options.spool, () => {
    nodeFiles.makeDirectory(options.spool);
    return lockDirectory(nodeFiles, options.spool, undefined, '--spool');
  });
  const edge: EdgeOptions = {
    ...options,
    ...shared,
    actuatorListen: options.actuatorListen,
    http: options.http,
    version: command.parent?.version() ?? '',
  };
  try {
    await runEdge(edge, signal);
  } finally {
    unlock();
  }
}

/** Resource names are made of it. */
function name(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 63 letters, digits, dots, dashes, underscores.');
}

function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text);
  const ms = Number(match?.[1]) * (match?.[2] === 's' ? 1000 : 1);
  if (ms >= 100 && ms <= 60_000) return ms;
  throw new InvalidArgumentError('Expected a time from 100ms to 60s, for instance 1s.');
}

/** Rates that a tail can be known for. */
function alarms(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0.1 && value <= 80) return value;
  throw new InvalidArgumentError('Expected a number from 0.1 to 80.');
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}
