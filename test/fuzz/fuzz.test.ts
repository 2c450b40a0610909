import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {mutate} from './mutate.ts';
import {allTargets, runCases, shareOf} from './run.ts';
import {accepted, codecTarget, type Target} from './target.ts';

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
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args]);
  const {stdout} = await run('--cases', '500', '--seed', '7', '--target', 'address', '-o', 'json');
  t.like(JSON.parse(stdout), {seed: '7', cases: 500, failed: 0});
  const unknown = await t.throwsAsync(run('--target', 'nothing', '-o', 'json'));
  t.like(JSON.parse((unknown as unknown as {stdout: string}).stdout), {failed: 1});
});
