/** `npm run simulate`: what the command line asks for, and what is told of it. */
import {parseArgs} from 'node:util';
import {
  EXIT_STOPPED,
  knownWord,
  readCommandLine,
  untilStopped,
  WrongUse,
  wholeNumber,
} from '../support/command-line.ts';
import {countOf, openProgress} from '../support/progress.ts';
import {runCampaign, WORKERS} from './campaign.ts';
import {PLANTS} from './plants.ts';
import {formatResult, resultOf} from './result.ts';
import type {Outcome} from './run.ts';

const USAGE = `usage: npm run simulate -- --seeds N [--from S] | --seed S [options]

  --seeds N      that many seeds
  --from S       beginning with this one (1)
  --seed S       one seed
  -o json        the result as JSON on stdout: {seeds, failed, invariantsChecked, faultsInjected,
                 checks, failures}; of one seed also trace, the hash of all that happened
  --trace        everything that happens, on stderr (one seed)
  --first        begins no more seeds once one has failed; those that run beside it are finished
  --plant NAME   with a planted bug: ${[...PLANTS.keys()].join(', ')}

exit codes: 0 all seeds hold, 1 one does not, 2 usage, 130 stopped by Ctrl-C
`;

type Flags = {
  from: number;
  seeds: number;
  json: boolean;
  trace: boolean;
  plant: string;
  first: boolean;
};

function parse(args: string[]): Flags {
  const {values} = parseArgs({
    args,
    options: {
      seeds: {type: 'string'},
      from: {type: 'string', default: '1'},
      seed: {type: 'string'},
      output: {type: 'string', short: 'o', default: 'text'},
      trace: {type: 'boolean', default: false},
      plant: {type: 'string', default: ''},
      first: {type: 'boolean', default: false},
    },
  });
  const {seed, plant, trace, first} = values;
  const output = knownWord('--output', values.output, ['text', 'json']);
  if (plant !== '') knownWord('--plant', plant, [...PLANTS.keys()]);
  if (seed === undefined && values.seeds === undefined) throw new WrongUse('--seeds or --seed?');
  if (seed !== undefined && values.seeds !== undefined) {
    throw new WrongUse('--seed is one seed, --seeds are many: only one of the two');
  }
  const from =
    seed === undefined ? wholeNumber('--from', values.from) : wholeNumber('--seed', seed);
  const seeds = seed === undefined ? wholeNumber('--seeds', values.seeds) : 1;
  if (trace && seeds > 1) throw new WrongUse('--trace: of one seed only');
  return {from, seeds, json: output === 'json', trace, plant, first};
}

async function runOne({from, trace, plant}: Flags, stop: AbortSignal): Promise<Outcome[]> {
  const planted = PLANTS.get(plant);
  // Usage is told without loading the product.
  const {runSeed} = await import('./run.ts');
  const tell = (line: string) => process.stderr.write(`${line}\n`);
  const outcome = runSeed(from, {
    ...(planted === undefined ? {} : {plant: planted}),
    ...(trace ? {onLine: tell} : {}),
  });
  const stopped = new Promise<undefined>(resolve =>
    stop.addEventListener('abort', () => resolve(undefined)),
  );
  return [await Promise.race([outcome, stopped])].filter(one => one !== undefined);
}

async function runMany(flags: Flags, stop: AbortSignal): Promise<Outcome[]> {
  const so = {done: 0, failed: 0};
  const progress = openProgress({unit: 'seed', total: flags.seeds, so: () => so});
  const onDone = ({seed, violations: [violation]}: Outcome): void => {
    so.done++;
    if (violation === undefined) return;
    so.failed++;
    progress.say(`seed ${seed}: ${violation.invariant}: ${violation.message}`);
  };
  const {seeds, from} = flags;
  progress.say(`${countOf(seeds, 'seed')} from ${from} on, in ${WORKERS} processes`);
  try {
    return await runCampaign({...flags, onDone, stop});
  } finally {
    progress.end();
  }
}

async function main(flags: Flags): Promise<number> {
  const {seeds, json, plant, first} = flags;
  const stop = untilStopped();
  const outcomes = await (seeds === 1 ? runOne : runMany)(flags, stop);
  const result = resultOf(outcomes, plant);
  const asked = {seeds, first, isStopped: stop.aborted};
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : formatResult(result, asked));
  if (stop.aborted) return EXIT_STOPPED;
  return result.failed === 0 ? 0 : 1;
}

const flags = readCommandLine(USAGE, parse);
if (flags !== undefined) {
  const code = await main(flags);
  // A seed that was stopped half way has timers and promises of its own.
  if (code === EXIT_STOPPED) process.exit(code);
  process.exitCode = code;
}
