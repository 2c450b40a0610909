import {fileURLToPath} from 'node:url';
import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {runTool} from '../support/tool.ts';
import {mutate} from './mutate.ts';
import {allTargets, runCases, shareOf} from './run.ts';
import {formatSummary, summaryOf} from './summary.ts';
import {accepted, codecTarget, type Target} from './target.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const fuzz = (...args: string[]) => runTool(MAIN, args);
const CASES = 20_000;
const seed = process.env.FORESTAY_FUZZ_SEED ?? '1';

test(`no bytes from outside do more than to be refused, at seed ${seed}`, async t => {
  const targets = await allTargets();
  for (const target of targets) {
    const to = shareOf(target, targets, CASES);
    const {failures} = await runCases(target, {seed, from: 0, to});
    t.deepEqual(failures, [], `npm run fuzz -- --target ${target.name} --seed ${seed}`);
  }
});

/** One byte of length, then a text; with a defect that only some lengths show. */
function planted(defect: (length: number, bytes: Buffer) => string): Target {
  const decode = (bytes: Uint8Array): string => {
    const length = bytes[0] ?? 0;
    if (length > 100) throw new ForestayError('RECORD_MALFORMED', 'too long');
    return defect(length, Buffer.from(bytes));
  };
  const encode = (text: string) => Buffer.from([text.length, ...Buffer.from(text, 'latin1')]);
  return codecTarget('planted', [encode('sample'), encode('')], decode, encode);
}

const defects: Record<string, (length: number, bytes: Buffer) => string> = {
  'throws what is none of our errors': (length, bytes) => {
    if (bytes.length <= length) throw new TypeError('the length lies');
    return bytes.toString('latin1', 1, 1 + length);
  },
  'takes what does not come back as it was': (length, bytes) =>
    bytes.toString('latin1', 1, 1 + length) + (length === 1 ? '?' : ''),
};

for (const [what, defect] of Object.entries(defects)) {
  test(`a decoder that ${what} is found, and each case can be repeated`, async t => {
    const target = planted(defect);
    const {failures} = await runCases(target, {seed: '1', from: 0, to: 2000});
    const found = failures[0];
    t.truthy(found);
    if (found === undefined) return;
    const again = await runCases(target, {seed: '1', from: found.case, to: found.case + 1});
    t.is(again.failures[0]?.error.split('\n')[0], found.error.split('\n')[0]);
  });
}

test('mutated bytes are a function of the seed, and differ from what they were made of', t => {
  const samples = [Buffer.from('one sample'), Buffer.from('another one')];
  const once = Array.from({length: 200}, (_, n) => mutate(seededRandom(n), samples));
  const again = Array.from({length: 200}, (_, n) => mutate(seededRandom(n), samples));
  t.deepEqual(once, again);
  t.true(new Set(once.map(bytes => bytes.toString('hex'))).size > 120);
});

test('only our own errors count as a refusal', t => {
  const refused = accepted(() => {
    throw new ForestayError('BATCH_MALFORMED', 'no');
  });
  t.is(refused, undefined);
  t.throws(() => accepted(() => JSON.parse('{')), {instanceOf: SyntaxError});
});

test('the command reports cases, and failures by its exit status', async t => {
  const {stdout} = await fuzz('--cases', '500', '--seed', '7', '--target', 'address', '-o', 'json');
  t.like(JSON.parse(stdout), {seed: '7', cases: 500, failed: 0});
});

test('a wrong use is answered with what is wrong and the usage, --help with the usage alone', async t => {
  const help = await fuzz('--help');
  t.is(help.code, 0);
  t.regex(help.stdout, /^usage: npm run fuzz/);
  for (const [wrong, args] of [
    ["Unknown option '--nope'", ['--nope']],
    ['--cases abc: expected a whole number', ['--cases', 'abc']],
    ['--target nothing: there is none', ['--target', 'nothing']],
    ['--case -1: expected a whole number', ['--case=-1']],
  ] as const) {
    const {code, stdout, stderr} = await fuzz(...args);
    t.is(code, 2);
    t.is(stdout, '');
    t.true(stderr.startsWith(wrong), stderr);
    t.regex(stderr, /\n\nusage: npm run fuzz/);
  }
});

test('fuzzing that is stopped says how far it came', async t => {
  const {code, stdout} = await runTool(MAIN, ['--cases', '50000000'], {
    onStarted: pid => process.kill(pid, 'SIGINT'),
  });
  t.is(code, 130);
  t.regex(stdout, /stopped after [\d,]+ of [\d,]+ cases, 0 failed; seed \d+\n$/);
});

test('a table of the targets ends with how many cases failed; each failure can be repeated', t => {
  const failure = {case: 7, error: 'TypeError: the length lies'};
  const address = {cases: 1_500, taken: 400, failed: 1, failures: [failure], slowestMs: 2.4};
  const watched = {cases: 1_500, failed: 1, residentBytes: 2 ** 20};
  const summary = summaryOf({...watched, reports: new Map([['address', address]])}, '3', 1_234);
  t.is(
    formatSummary(summary, {cases: 1_500, isStopped: false}),
    `target   cases  taken  refused  failed  slowest ms
address  1,500    400    1,099       1           2
address, case 7: TypeError: the length lies
  again: npm run fuzz -- --target address --seed 3 --case 7
1,500 cases, 1 failed; seed 3, 1.2 s, at most 1 MiB
`,
  );
  const died = summaryOf({...watched, failed: 0, reports: new Map(), died: 'hangs'}, '3', 1);
  t.is(died.failed, 1);
  t.regex(
    formatSummary(died, {cases: 9, isStopped: false}),
    /ended early: hangs\n1,500 cases, 1 f/,
  );
});
