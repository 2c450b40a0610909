import {type Command, InvalidArgumentError, Option} from 'commander';
import {refuseCrowding} from './crowding.ts';
import {duration, wholeNumber} from './numbers.ts';

const count = wholeNumber(1);

type Flags = {
  seed: number;
  seeds?: number;
  speed?: number;
  fault: readonly string[];
  hosts: number;
  vms: number;
  duration: number;
  headless?: boolean;
  until: 'done' | 'interrupted';
  json?: boolean;
  /** Folder of the component-failure model; absent: the shipped one. */
  model?: string;
  /** Folder of the agents' reboot-intent model, or `off`; absent: the shipped one. */
  intentModel?: string;
  thisMachine: boolean;
  learning: boolean;
  drift?: boolean;
  intents: 'none' | 'usual';
};

/** Chosen because it shows most of what there is to see; `--seeds` shows the others. */
export const DEFAULT_SEED = 6;
/** The scenario has a seed of its own that shows every step. */
export const DEFAULT_DRIFT_SEED = 3;

const FAULTS = ['dimm', 'disk', 'psu', 'nic', 'overheat', 'hang', 'leak', 'all', 'none'];

/** `forestay demo`: a simulated datacenter through the whole real path. */
export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('watch a simulated datacenter: failures seen coming, acted on, or left alone')
    .option('--seed <n>', 'which datacenter and which faults', count, DEFAULT_SEED)
    .option('--seeds <n>', 'run the seeds 1 to n and print the distribution', count)
    .option('--speed <n|max>', 'virtual seconds a second (default 60; max with --headless)', speed)
    .addOption(
      new Option('--fault <kind...>', 'only these kinds of faults')
        .choices(FAULTS)
        .default(['all'], 'all'),
    )
    .option('--hosts <n>', 'hosts in two cells, so at least 2', hostCount, 24)
    .option('--vms <n>', 'VMs on them', count, 180)
    .addOption(
      new Option('--duration <time>', 'virtual time, like 90s, 45m or 1h')
        .argParser(duration)
        .default(3_600_000, '1h'),
    )
    .option('--headless', 'no colours, no pacing: plain lines as fast as they come')
    .addOption(
      new Option('--until <when>', 'end after the run, or keep serving until interrupted')
        .choices(['done', 'interrupted'])
        .default('done'),
    )
    .option('--json', 'one JSON object on stdout, everything else on stderr')
    .option('--model <dir>', 'component-failure model to score with, instead of the shipped one')
    .option(
      '--intent-model <dir>',
      'reboot-intent model of the agents, instead of the shipped one; off: none',
    )
    .addOption(
      new Option('--intents <which>', 'whether people reboot hosts on purpose')
        .choices(['none', 'usual'])
        .default('usual'),
    )
    .addOption(
      new Option(
        '--drift',
        'instead: hours of a fleet whose model meets new hardware, is replaced by itself, and is kept from a bad one; about a minute',
      ).conflicts(NOT_OF_DRIFT),
    )
    .option('--no-learning', 'do not let cells learn of their own hosts')
    .option('--no-this-machine', 'leave the machine it runs on out')
    .addHelpText(
      'after',
      `
The seeds of the demo are not those that the model was trained on. The default seed is a well
chosen one; --seeds 20 tells how it goes in general. The same seed gives the same journal.

  forestay demo                      an hour of a datacenter in a minute
  forestay demo --seed 3 --speed 20  another one, slower
  forestay demo --seeds 20           the distribution over seeds, worst case included
  forestay demo --fault dimm psu     only failing memory and power supplies
  forestay demo --intents none       nobody reboots a host; what fails, fails by itself
  forestay demo --drift              a model that meets new hardware (exit 10: it was not replaced)`,
    )
    .action(async (flags: Flags, command: Command) => {
      if (flags.drift) return playDrift(flags, command);
      refuseCrowding(command, flags.hosts, flags.vms);
      const {demo} = await import('./demo-command.ts');
      await demo(flags);
    });
}

export type {Flags as DemoFlags};

/** A scenario has sizes, faults and settings of its own. */
const NOT_OF_DRIFT = [
  'speed',
  'fault',
  'hosts',
  'vms',
  'duration',
  'until',
  'intentModel',
  'intents',
  'learning',
];

async function playDrift(flags: Flags, command: Command): Promise<void> {
  const {demoDrift} = await import('./demo-drift.ts');
  const isSeedChosen = command.getOptionValueSource('seed') !== 'default';
  await demoDrift({...flags, seed: isSeedChosen ? flags.seed : DEFAULT_DRIFT_SEED});
}

function hostCount(text: string): number {
  const value = count(text);
  if (value < 2) throw new InvalidArgumentError('expected at least 2: there are two cells');
  return value;
}

function speed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('expected a number above 0, or max');
  return value;
}
