import {fileURLToPath} from 'node:url';
import test from 'ava';
import {audit, type Findings} from '../support/audit.ts';
import {fold} from '../support/kept.ts';
import {toTold} from '../support/told.ts';
import {runTool} from '../support/tool.ts';
import {figuresOf, verdictOf} from './result.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
/** Nothing real is started, whatever is answered. */
const WITHOUT_JAVA = {PATH: '/nowhere'};

test('chaos --help is answered with the usage on stdout', async t => {
  const {code, stdout, stderr} = await runTool(MAIN, ['--help']);
  t.is(code, 0);
  t.regex(stdout, /^usage: npm run chaos/);
  t.is(stderr, '');
});

for (const [wrong, args] of [
  ["Unknown option '--nope'", ['--nope']],
  ['--minutes abc: expected a number above 0', ['--minutes', 'abc']],
  ['--cores 0: expected a whole number of at least 1', ['--cores', '0']],
  ['--only earthquake: no act has these words', ['--only', 'earthquake']],
  ['--output xml: expected one of text, json', ['-o', 'xml']],
] as const) {
  test(`chaos ${args.join(' ')} is answered with what is wrong and the usage`, async t => {
    const {code, stdout, stderr} = await runTool(MAIN, args, {env: WITHOUT_JAVA});
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.startsWith(wrong), stderr);
    t.regex(stderr, /\n\nusage: npm run chaos/);
  });
}

test('chaos without Java says so before anything is started', async t => {
  const {code, stdout, stderr} = await runTool(MAIN, [], {env: WITHOUT_JAVA});
  t.is(code, 3);
  t.is(stdout, '');
  t.regex(stderr, /^chaos needs Kafka and QuestDB: java is not there: install .*\n$/);
});

const nothing = {telemetry: [], inbox: [], journal: []};
const well = audit(toTold([]), fold(nothing), {batches: new Map(), transitions: []});
const outcomeOf = (findings: Findings) => ({findings, takeovers: [], figures: {acts: 1}});

test('the last line says that all was held, or which promises were not and how often', t => {
  t.deepEqual(verdictOf(outcomeOf(well)), {
    verdict: 'held',
    line: 'held: 1 act, nothing lost, done twice or out of order',
  });
  const bad = outcomeOf({...well, ackedBatchesLost: ['a', 'b'], chainsBroken: ['c']});
  t.deepEqual(verdictOf(bad), {
    verdict: 'violated',
    line: 'violated: ackedBatchesLost 2, chainsBroken 1; after 1 act',
  });
  t.like(figuresOf(bad), {acts: 1, takeovers: 0, ackedBatchesLost: 2, violations: 0});
});
