import {appendFileSync, existsSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {DEFAULT_FLAG_POLICY} from '../../core/domain/intent-policy.ts';
import {type IntentUse, openIntent} from '../../edge/intent-use.ts';
import {temporaryFolder} from '../support/process.ts';
import {startEdge} from './edge-support.ts';
import {hostFixture} from './host-fixture.ts';
import {writeHandmade} from './intent-fixture.ts';

async function open(t: ExecutionContext, intent: IntentUse | undefined, intervalMs = 1000) {
  const notes: string[] = [];
  const opened = await openIntent({
    intent,
    host: 'h01',
    intervalMs,
    clock: systemClock,
    files: nodeFiles,
    random: {next: () => 0.5},
    note: line => notes.push(line),
  });
  t.teardown(() => opened.close());
  return {...opened, notes};
}

async function damaged(t: ExecutionContext): Promise<string> {
  const model = await writeHandmade(t);
  appendFileSync(join(model, 'model.onnx'), 'x');
  return model;
}

test('without a model there is no conclusion', async t => {
  const {conclusions, counters} = await open(t, undefined);
  t.deepEqual(conclusions, []);
  t.is(counters, undefined);
});

test('a model that came along and is damaged is told of and left out; one that was named is refused', async t => {
  const model = await damaged(t);
  const {conclusions, notes} = await open(t, {model, required: false});
  t.deepEqual(conclusions, []);
  t.regex(notes[0] ?? '', /REBOOT INTENT OFF, telemetry goes on: \[MODEL_HASH_MISMATCH\]/);
  await t.throwsAsync(open(t, {model, required: true}), {code: 'MODEL_HASH_MISMATCH'});
});

test('who asks for flags gets them or an error', async t => {
  const flags = {folder: '/nowhere', policy: DEFAULT_FLAG_POLICY};
  const model = await writeHandmade(t);
  await t.throwsAsync(open(t, {model, required: false, flags}), {code: 'CONFIG_INVALID'});
  const broken = {model: await damaged(t), required: false, flags};
  await t.throwsAsync(open(t, broken), {code: 'MODEL_HASH_MISMATCH'});
});

test('samples that are too seldom for steps leave it off', async t => {
  const model = await writeHandmade(t);
  const {conclusions, notes} = await open(t, {model, required: false}, 20_000);
  t.deepEqual(conclusions, []);
  t.regex(notes[0] ?? '', /REBOOT INTENT OFF: samples every 20000 ms/);
  await t.throwsAsync(open(t, {model, required: true}, 20_000), {code: 'CONFIG_INVALID'});
  t.is((await open(t, {model, required: true}, 10_000)).conclusions.length, 1);
});

test('an edge with a scheduled shutdown raises its flags with no core, and counts what it asked', async t => {
  const {root} = hostFixture(t, {
    'proc/stat': 'cpu  100 0 100 700 100 0 0 0 0 0\n',
    'run/systemd/shutdown/scheduled': `USEC=${Date.now() + 600_000}000\nMODE=reboot\n`,
  });
  const [model, folder] = [await writeHandmade(t), temporaryFolder(t)];
  // Time passes a hundred times as fast.
  const [startMs, startedAt] = [systemClock.nowMs(), systemClock.monotonicMs()];
  const clock = {
    ...systemClock,
    nowMs: () => Math.round(startMs + 100 * (systemClock.monotonicMs() - startedAt)),
  };
  const edge = startEdge(t, {
    root,
    intent: {model, required: true, flags: {folder, policy: DEFAULT_FLAG_POLICY}},
    http: '127.0.0.1:0',
    clock,
  });
  while (!existsSync(join(folder, 'drain'))) await systemClock.sleep(10);
  const [, url] = /(http:.*metrics)/.exec(edge.notes.join('\n')) ?? [];
  t.regex(await (await fetch(url ?? '')).text(), /edge_intent_predictions_total [1-9]/);
  await edge.stop();
  t.false(existsSync(join(folder, 'drain')) || existsSync(join(folder, 'checkpoint-me')));
  t.regex(edge.notes.join('\n'), /flag drain is up: 9\d % to go down within 30 min/);
});
