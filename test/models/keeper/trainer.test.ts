import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {type ErrorCode, isForestayError} from '../../../core/domain/errors.ts';
import {writeExamples} from '../../../models/keeper/example-file.ts';
import {createTrainer, type TrainerOptions} from '../../../models/keeper/trainer.ts';
import {loadModel} from '../../../models/load-model.ts';
import {makeExamples} from '../on-top-fixtures.ts';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../../..');
const NEVER = new AbortController().signal;

type Limits = Omit<TrainerOptions, 'command'>;

function trainerFor(t: ExecutionContext, way: string, limits: Limits = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-trainer-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const notes = join(folder, 'notes');
  const job = {examples: join(folder, 'e'), parent: 'p', out: join(folder, 'out'), seed: 1234};
  const command = [process.execPath, join(HERE, 'trainer-process.ts'), way, notes] as const;
  const trainer = createTrainer({command: [...command], ...limits});
  const noted = () =>
    JSON.parse(readFileSync(notes, 'utf8')) as {
      pid: number;
      connected: boolean;
      priority: number;
      options: string[];
    };
  return {job, trainer, noted, notes};
}

async function failed(
  t: ExecutionContext,
  training: Promise<unknown>,
  code: ErrorCode,
  says: RegExp,
) {
  const error = await t.throwsAsync(training);
  t.true(isForestayError(error, code), `${error}`);
  t.regex(error?.message ?? '', says);
  return error as Error & {details: Record<string, unknown>};
}

const isGone = (pid: number) => {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
};

test('a training runs in a process of its own, behind all others, and gives its folder', async t => {
  const {job, trainer, noted} = trainerFor(t, 'write');
  mkdirSync(job.out);
  writeFileSync(join(job.out, 'of-another'), '');
  t.deepEqual(await trainer.train(job, NEVER), {folder: job.out});
  const {pid, connected, priority, options} = noted();
  t.true(connected);
  t.not(pid, process.pid);
  t.is(priority, 10);
  const {examples, parent, out} = job;
  const given = ['--examples', examples, '--parent', parent, '--out', out, '--seed', '1234'];
  t.deepEqual(options, given);
  t.false(existsSync(join(out, 'of-another')));
});

test('one that dies half-way is told, and what it wrote is removed', async t => {
  const {job, trainer} = trainerFor(t, 'die');
  const error = await failed(
    t,
    trainer.train(job, NEVER),
    'DEPENDENCY_UNREACHABLE',
    /died \(SIGKILL\)/,
  );
  t.regex(String(error.details.tail), /going to die/);
  t.false(existsSync(job.out));
});

test('one that fails says why, and one that refuses keeps its code', async t => {
  const dying = trainerFor(t, 'fail');
  const says = /exit code 1.*allocation failed/;
  await failed(t, dying.trainer.train(dying.job, NEVER), 'DEPENDENCY_UNREACHABLE', says);
  const {job, trainer} = trainerFor(t, 'refuse');
  await failed(
    t,
    trainer.train(job, NEVER),
    'TRAINING_DATA_INVALID',
    /cannot train on x: it is cut off/,
  );
  t.false(existsSync(job.out));
});

test('one that hangs is ended, by force if it does not listen', async t => {
  const hang = async (way: string) => {
    const {job, trainer, noted} = trainerFor(t, way, {timeMsMax: 4000, graceMs: 200});
    await failed(t, trainer.train(job, NEVER), 'TIMED_OUT', /longer than 4000 ms/);
    t.true(isGone(noted().pid));
    t.false(existsSync(job.out));
  };
  await Promise.all([hang('linger'), hang('hang')]);
});

test('one that is not wanted any more is ended, or not begun', async t => {
  const {job, trainer, noted, notes} = trainerFor(t, 'hang', {graceMs: 200});
  const control = new AbortController();
  const training = failed(
    t,
    trainer.train(job, control.signal),
    'TIMED_OUT',
    /the keeper is closed/,
  );
  while (!existsSync(notes)) await setTimeout(20);
  control.abort('the keeper is closed');
  await training;
  t.true(isGone(noted().pid));
  t.false(existsSync(job.out));
  const next = trainerFor(t, 'write');
  await failed(t, next.trainer.train(next.job, control.signal), 'TIMED_OUT', /stopped/);
  t.false(existsSync(next.notes));
});

test('one that ends well and has written no model has failed', async t => {
  const {job, trainer} = trainerFor(t, 'nothing');
  const says = /manifest.json, golden.json are not in/;
  await failed(t, trainer.train(job, NEVER), 'MODEL_UNREADABLE', says);
  t.false(existsSync(job.out));
});

test('a program that is not there is told', async t => {
  const {job} = trainerFor(t, 'write');
  const trainer = createTrainer({command: [join(job.out, 'nowhere')]});
  await failed(t, trainer.train(job, NEVER), 'DEPENDENCY_UNREACHABLE', /nowhere does not run/);
});

test('forestay train ends when who started it is gone', async t => {
  const {job} = trainerFor(t, 'write');
  const args = [join(ROOT, 'bin/forestay'), 'train', '--threads', '1', '--out', job.out];
  const child = spawn(process.execPath, args, {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  // It has begun.
  await once(child.stderr as Readable, 'data');
  child.disconnect();
  t.deepEqual(await ended, [130, null]);
  t.false(existsSync(join(job.out, 'model.onnx')));
});

test('forestay train is such a program', async t => {
  const {job} = trainerFor(t, 'write');
  const parent = join(ROOT, 'models/artefacts/component-failure');
  const forestay = [join(ROOT, 'bin/forestay'), 'train', '--family', 'component-failure'];
  const trainer = createTrainer({command: [process.execPath, ...forestay, '--threads', '1']});
  writeExamples(nodeFiles, job.examples, makeExamples());
  const {folder} = await trainer.train({...job, parent}, NEVER);
  t.not((await loadModel(folder)).signature.hash, (await loadModel(parent)).signature.hash);
  writeExamples(nodeFiles, job.examples, makeExamples({hosts: 4}));
  const says = /cannot train on .*rows of 4 hosts/;
  await failed(t, trainer.train({...job, parent}, NEVER), 'TRAINING_DATA_INVALID', says);
});
