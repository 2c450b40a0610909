/** `npm run chaos`: real processes, and everything that can go wrong between them. */
import {parseArgs} from 'node:util';
import {missingTool} from '../services/jars.ts';
import {showFindings} from '../support/audit.ts';
import {
  EXIT_STOPPED,
  knownWord,
  positiveNumber,
  readCommandLine,
  untilStopped,
  WrongUse,
  wholeNumber,
} from '../support/command-line.ts';
import {ACTS, drawAct} from './acts.ts';
import {figuresOf, verdictOf} from './result.ts';
import {runChaos} from './run.ts';
import {openScope} from './scope.ts';

const EXIT_NOT_RUN = 3;

const USAGE = `usage: npm run chaos -- [options]

  --minutes M    how long things go wrong; a minute more at each end (5)
  --seed S       a number: what goes wrong, and when (1)
  --cores N      cores (3)
  --hosts N      simulated hosts (24)
  --cells N      cells that they are in (6)
  --speed X      so many times as fast as life (10)
  --only WORDS   acts with these words in their name alone: ${[
    ...new Set(ACTS.map(({name}) => name)),
  ].join('; ')}
  -o json        the result as JSON on stdout: {seed, verdict, and the figures}

Processes of this program on a real Kafka and a real QuestDB (Java 17, Maven), killed, paused and
cut off from each other; at the end nothing may be lost, done twice or out of order.

exit codes: 0 held, 1 violated, 2 usage, 3 Java or Maven is missing, 130 stopped by Ctrl-C
`;

function parse(args: string[]) {
  const {values} = parseArgs({
    args,
    options: {
      minutes: {type: 'string', default: '5'},
      seed: {type: 'string', default: '1'},
      cores: {type: 'string', default: '3'},
      hosts: {type: 'string', default: '24'},
      cells: {type: 'string', default: '6'},
      speed: {type: 'string', default: '10'},
      only: {type: 'string', default: ''},
      output: {type: 'string', short: 'o', default: 'text'},
    },
  });
  const {only} = values;
  if (!ACTS.some(({name}) => name.includes(only))) {
    throw new WrongUse(`--only ${only}: no act has these words in its name`);
  }
  return {
    lastActMs: positiveNumber('--minutes', values.minutes) * 60_000,
    seed: wholeNumber('--seed', values.seed),
    cores: wholeNumber('--cores', values.cores),
    hosts: wholeNumber('--hosts', values.hosts),
    cells: wholeNumber('--cells', values.cells),
    speed: positiveNumber('--speed', values.speed),
    only,
    json: knownWord('--output', values.output, ['text', 'json']) === 'json',
  };
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(flags: ReturnType<typeof parse>): Promise<number> {
  const {seed, cores, hosts, cells, lastActMs, only, json} = flags;
  const missing = missingTool('kafka', 'questdb');
  if (missing !== undefined) {
    say(`chaos needs Kafka and QuestDB: ${missing}`);
    return EXIT_NOT_RUN;
  }
  const stop = untilStopped();
  const stopped = new Promise<undefined>(resolve =>
    stop.addEventListener('abort', () => resolve(undefined)),
  );
  const scope = openScope(error => say(`closing: ${error}`));
  let acts = 0;
  try {
    say(`seed ${seed}: ${cores} cores, ${hosts} hosts in ${cells} cells`);
    const run = runChaos(scope, {
      ...flags,
      next: (random, passedMs) => {
        if (passedMs >= lastActMs) return undefined;
        acts++;
        return drawAct(random, only);
      },
      say,
    });
    const outcome = await Promise.race([run, stopped]);
    if (outcome === undefined) {
      // It goes on among processes that end now: what it says of that interests nobody.
      run.catch(() => {});
      say(`stopped in act ${acts}; nothing was judged`);
      return EXIT_STOPPED;
    }
    const found = showFindings(outcome.findings);
    for (const line of found) say(`FOUND ${line}`);
    const figures = figuresOf(outcome);
    const {verdict, line} = verdictOf(outcome);
    if (json) console.log(JSON.stringify({seed, verdict, ...figures}));
    else {
      for (const [name, value] of Object.entries(figures)) {
        console.log(`${name} ${Number.isNaN(value) ? '-' : value}`);
      }
      console.log(line);
    }
    return verdict === 'held' ? 0 : 1;
  } finally {
    await scope.close();
  }
}

const flags = readCommandLine(USAGE, parse);
if (flags !== undefined) {
  const code = await main(flags);
  // What was stopped in the midst of an act waits for its end.
  if (code === EXIT_STOPPED) process.exit(code);
  process.exitCode = code;
}
