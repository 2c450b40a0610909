/** `npm run fuzz`: mutated bytes for every decoder that takes bytes from outside. */
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
import {allTargets, type Failure, shareOf} from './run.ts';
import {commandOf, formatSummary, summaryOf} from './summary.ts';
import {watch} from './watch.ts';

const targets = await allTargets();
const USAGE = `usage: npm run fuzz -- [options]

  --cases N      so many, shared out among the targets (100000)
  --seed S       any text; a case depends on seed, target and its number alone (drawn)
  --target NAME  one of ${targets.map(({name}) => name).join(', ')}
  --case N       this one alone, from 0 on
  -o json        the result as JSON on stdout: {seed, cases, taken, seconds, slowestCaseMs,
                 residentMebibytes, failed, died?, failures, targets}

Bytes are taken as valid, or refused with an error of ours; anything else is a failure, and so is a
case that does not end or takes too much memory.

exit codes: 0 no case fails, 1 one does, 2 usage, 130 stopped by Ctrl-C
`;

function parse(args: string[]) {
  const {values} = parseArgs({
    args,
    options: {
      cases: {type: 'string', default: '100000'},
      seed: {type: 'string', default: String(Math.floor(Math.random() * 1e9))},
      target: {type: 'string'},
      case: {type: 'string'},
      output: {type: 'string', short: 'o', default: 'text'},
    },
  });
  const {target} = values;
  if (target !== undefined && targets.every(({name}) => name !== target)) {
    throw new WrongUse(`--target ${target}: there is none of this name`);
  }
  return {
    seed: values.seed,
    cases: wholeNumber('--cases', values.cases),
    target,
    only: values.case === undefined ? undefined : wholeNumber('--case', values.case, 0),
    json: knownWord('--output', values.output, ['text', 'json']) === 'json',
  };
}

async function main({json, ...work}: ReturnType<typeof parse>): Promise<number> {
  const chosen = targets.filter(({name}) => work.target === undefined || name === work.target);
  const total = chosen.reduce(
    (sum, one) => sum + (work.only === undefined ? shareOf(one, chosen, work.cases) : 1),
    0,
  );
  const stop = untilStopped();
  const startedMs = performance.now();
  const onFailure = (target: string, failure: Failure) =>
    progress.say(`the first that fails: ${commandOf(target, work.seed, failure)}`);
  const {so, end} = watch(work, {stop, onFailure});
  const progress = openProgress({unit: 'case', total, so});
  progress.say(`${countOf(total, 'case')} of seed ${work.seed}`);
  const watched = await end;
  progress.end();
  const summary = summaryOf(watched, work.seed, performance.now() - startedMs);
  const asked = {cases: total, isStopped: stop.aborted};
  process.stdout.write(json ? `${JSON.stringify(summary)}\n` : formatSummary(summary, asked));
  if (stop.aborted) return EXIT_STOPPED;
  return summary.failed === 0 ? 0 : 1;
}

const flags = readCommandLine(USAGE, parse);
if (flags !== undefined) process.exitCode = await main(flags);
