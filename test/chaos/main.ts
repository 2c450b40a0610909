/**
 * Real processes on a real Kafka and a real QuestDB, and everything that can go wrong between them:
 *
 *     node test/chaos/main.ts --minutes 10 --seed 1 -o json
 *
 * `--only 'kill a core'` draws only acts whose name has these words in it.
 * Ends with 1 if an oracle finds anything lost, done twice or out of order.
 */
import {parseArgs} from 'node:util';
import {countFindings, showFindings} from '../support/audit.ts';
import {positiveNumber, wholeNumber} from '../support/flag-numbers.ts';
import {drawAct} from './acts.ts';
import {type Outcome, runChaos} from './run.ts';
import {openScope} from './scope.ts';

const {values} = parseArgs({
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
const lastActMs = positiveNumber(values.minutes) * 60_000;
const seed = wholeNumber(values.seed);

const say = (line: string): void => console.error(line);
const scope = openScope(error => say(`closing: ${error}`));
try {
  say(`seed ${seed}: ${values.cores} cores, ${values.hosts} hosts in ${values.cells} cells`);
  const outcome = await runChaos(scope, {
    seed,
    cores: wholeNumber(values.cores),
    hosts: wholeNumber(values.hosts),
    cells: wholeNumber(values.cells),
    speed: positiveNumber(values.speed),
    next: (random, passedMs) => (passedMs < lastActMs ? drawAct(random, values.only) : undefined),
    say,
  });
  for (const line of showFindings(outcome.findings)) say(`FOUND ${line}`);
  const figures = figuresOf(outcome);
  if (values.output === 'json') console.log(JSON.stringify({seed, ...figures}));
  else for (const [name, value] of Object.entries(figures)) console.log(`${name} ${value}`);
  if (showFindings(outcome.findings).length > 0) process.exitCode = 1;
} finally {
  await scope.close();
}

function figuresOf({findings, takeovers, figures}: Outcome): Record<string, number> {
  const decisionMs = takeovers.map(takeover => takeover.decisionMs).sort((a, b) => a - b);
  const tickMs = takeovers.map(takeover => takeover.tickMs).sort((a, b) => a - b);
  return {
    ...figures,
    takeovers: takeovers.length,
    takeoverP50Ms: middle(decisionMs),
    takeoverMaxMs: decisionMs.at(-1) ?? Number.NaN,
    takeoverTickP50Ms: middle(tickMs),
    takeoverTickMaxMs: tickMs.at(-1) ?? Number.NaN,
    ...countFindings(findings),
  };
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
