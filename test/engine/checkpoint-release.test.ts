import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {CHECKPOINTS_TRIED, checkpointHints} from '../../core/engine/checkpoint.ts';
import {recover} from '../../core/engine/recovery.ts';
import {listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {essence} from '../support/journal.ts';
import {createRig, PARTITION, second, vm} from '../support/partition.ts';

const FLEET = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}};

/** A memory log that notes what is released of it. */
function watched() {
  const memory = createMemoryLog();
  const released: [string, number][] = [];
  const release: Log['release'] = async (topic, partition, before) => {
    released.push([topic, before]);
    await memory.release(topic, partition, before);
  };
  return {log: {...memory, release}, released};
}

test('however many checkpoints are written, those that a start tries are kept, and no more', async t => {
  const {log, released} = watched();
  const rig = createRig({log});
  const runtime = await rig.start({checkpointMs: 2000});
  const {policy, scorer} = rig;
  for (let i = 0; i < 20; i++) {
    await second(rig, runtime, FLEET);
    const hints = await checkpointHints(log, PARTITION);
    t.true(hints.length <= CHECKPOINTS_TRIED);
    if (released.length === 0) continue;
    t.is(hints.length, CHECKPOINTS_TRIED);
    t.is(await log.startOffset('checkpoints', PARTITION), hints.at(-1)?.firstOffset as number);
    t.deepEqual(released.at(-1), ['journal', hints.at(-1)?.journalOffset as number]);
  }
  t.true(released.length > 10);
  // The journal's retention may take all of what was released.
  log.dropBefore('journal', PARTITION, released.at(-1)?.[1] as number);
  const end = (await log.endOffset('checkpoints', PARTITION)) - 1;
  for (let damaged = 0; damaged < CHECKPOINTS_TRIED; damaged++) {
    const hints = await checkpointHints(log, PARTITION);
    const bad = new Set(hints.slice(0, damaged).map(({firstOffset}) => firstOffset));
    const read: Log['read'] = async (...args) =>
      (await log.read(...args)).map(record =>
        args[0] === 'checkpoints' && bad.has(record.offset)
          ? {...record, value: new Uint8Array(9)}
          : record,
      );
    const model = scorer.signature();
    const found = await recover({log: {...log, read}, codec, partition: PARTITION, policy, model});
    t.deepEqual(essence(found.state), essence(runtime.state), `${damaged} of ${end}`);
  }
});

for (const {retryable, told} of [
  {retryable: true, told: 0},
  {retryable: false, told: 1},
]) {
  const what = retryable ? 'for now says nothing' : 'for good is told of';
  test.serial(`a log that cannot release ${what}, and takes checkpoints all the same`, async t => {
    const memory = createMemoryLog();
    const failed: string[] = [];
    t.teardown(listen('checkpoint.failed', ({code}) => void failed.push(code)));
    const release: Log['release'] = () =>
      Promise.reject(new ForestayError('DEPENDENCY_UNREACHABLE', 'no answer', {retryable}));
    const rig = createRig({log: {...memory, release}});
    const runtime = await rig.start({checkpointMs: 2000});
    for (let i = 0; i < 12; i++) await second(rig, runtime, FLEET);
    t.is((await checkpointHints(memory, PARTITION)).length, CHECKPOINTS_TRIED);
    t.is(Math.min(failed.length, 1), told);
  });
}
