/** `node test/simulator/main.ts --seeds N [--from S] | --seed S [-o json] [--trace] [--plant NAME] [--first]` */
import {parseArgs} from 'node:util';
import {wholeNumber} from '../support/flag-numbers.ts';
import {runCampaign} from './campaign.ts';
import {INVARIANTS} from './oracle.ts';
import {PLANTS} from './plants.ts';
import type {Outcome} from './run.ts';

const USAGE = `usage: npm run simulate -- --seeds N [--from S] | --seed S [options]

  --seeds N      that many seeds
  --from S       beginning with this one (1)
  --seed S       one seed
  -o json        the result as JSON on stdout
  --trace        everything that happens, on stderr (one seed)
  --first        ends with the first seed that fails
  --plant NAME   with a planted bug: ${[...PLANTS.keys()].join(', ')}

exit codes: 0 all seeds hold, 1 one does not, 2 usage
`;

type Flags = {
  from: number;
  seeds: number;
  json: boolean;
  trace: boolean;
  plant: string;
  first: boolean;
};

function parse(args: readonly string[]): Flags | undefined {
  try {
    const {values} = parseArgs({
      args: [...args],
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
    const {seed, plant, trace, output, first} = values;
    const from = wholeNumber(seed ?? values.from);
    const seeds = seed === undefined ? wholeNumber(values.seeds) : 1;
    const isKnown = plant === '' || PLANTS.has(plant);
    const isOne = !trace || seeds === 1;
    const isAmbiguous = seed !== undefined && values.seeds !== undefined;
    if (!isKnown || !isOne || isAmbiguous || !['text', 'json'].includes(output)) return undefined;
    return {from, seeds, json: output === 'json', trace, plant, first};
  } catch {
    return undefined;
  }
}

async function outcomesOf(flags: Flags): Promise<Outcome[]> {
  const {from, seeds, trace, plant} = flags;
  if (seeds > 1) {
    return runCampaign({...flags, onProgress: line => process.stderr.write(line)});
  }
  const planted = PLANTS.get(plant);
  // Usage is told without loading the product.
  const {runSeed} = await import('./run.ts');
  const tell = (line: string) => process.stderr.write(`${line}\n`);
  return [
    await runSeed(from, {
      ...(planted === undefined ? {} : {plant: planted}),
      ...(trace ? {onLine: tell} : {}),
    }),
  ];
}

function report(flags: Flags, outcomes: readonly Outcome[]): number {
  const bad = outcomes.filter(({violations}) => violations.length > 0);
  const failures = bad.map(({seed, violations}) => ({
    seed,
    invariants: [...new Set(violations.map(({invariant}) => invariant))],
    messages: violations.slice(0, 3).map(({invariant, message}) => `${invariant}: ${message}`),
    repeat: repeatOf(seed, flags.plant),
  }));
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const result = {
    seeds: outcomes.length,
    failed: bad.length,
    invariantsChecked: INVARIANTS.length,
    faultsInjected: sum(({faults}) => faults),
    checks: sum(({checks}) => checks),
    failures,
    ...(outcomes.length === 1 ? {trace: outcomes[0]?.trace} : {}),
  };
  if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else tell(result);
  return bad.length === 0 ? 0 : 1;
}

const repeatOf = (seed: number, plant: string): string =>
  `npm run simulate -- --seed ${seed}${plant === '' ? '' : ` --plant ${plant}`} --trace`;

type Result = {
  seeds: number;
  failed: number;
  invariantsChecked: number;
  faultsInjected: number;
  checks: number;
  failures: readonly {seed: number; messages: readonly string[]; repeat: string}[];
};

function tell({seeds, failed, invariantsChecked, faultsInjected, checks, failures}: Result): void {
  for (const {seed, messages, repeat} of failures) {
    process.stdout.write(`seed ${seed} fails\n`);
    for (const message of messages) process.stdout.write(`  ${message}\n`);
    process.stdout.write(`  again: ${repeat}\n`);
  }
  process.stdout.write(
    `${seeds} seeds, ${failed} failed; ${invariantsChecked} invariants, ${checks} checks, ` +
      `${faultsInjected} faults\n`,
  );
}

const flags = parse(process.argv.slice(2));
if (flags === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = report(flags, await outcomesOf(flags));
}
