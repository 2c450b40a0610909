import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {watchLog} from '../../core/engine/log-health.ts';
import {recover} from '../../core/engine/recovery.ts';
import {type EngineEvents, listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {readAll} from '../contracts/log.ts';
import {faultyLog} from '../support/faulty-log.ts';
import {essence} from '../support/journal.ts';
import {createRig, PARTITION, second} from '../support/partition.ts';
import {smallDisk} from '../support/small-disk.ts';

const bytes = (size: number): Uint8Array => Buffer.alloc(size, 7);

async function fill(log: Log, count: number, size: number): Promise<string[]> {
  const outcomes: string[] = [];
  for (let n = 0; n < count; n++) {
    const outcome = await log.append('telemetry', 3, [bytes(size)]).then(
      () => 'taken',
      error => (isForestayError(error, 'LOG_APPEND_FAILED') && error.retryable ? 'later' : 'never'),
    );
    outcomes.push(outcome);
  }
  return outcomes;
}

test('a full disk refuses appends for now, says so, and takes them when there is room', async t => {
  const failed: EngineEvents['log.append-failed'][] = [];
  t.teardown(listen('log.append-failed', fields => void failed.push(fields)));
  const files = createMemoryFiles();
  const options = {directory: '/log', files, clock: systemClock, groupMs: 0, segmentBytes: 1000};
  const {log, problem} = watchLog(await openSegmentLog(options));
  t.is(problem(), '');
  files.limitTo(4000);
  const outcomes = await fill(log, 20, 300);
  const taken = outcomes.indexOf('later');
  t.true(taken > 5);
  t.deepEqual(outcomes.slice(taken), Array(20 - taken).fill('later'));
  t.regex(problem(), /^append to telemetry: .*check the space/);
  t.is(failed.length, 20 - taken);
  t.is((await readAll(log, 'telemetry', 3)).length, taken, 'what is there can be read');
  files.limitTo(Number.POSITIVE_INFINITY);
  t.deepEqual(await fill(log, 3, 300), ['taken', 'taken', 'taken']);
  t.is(problem(), '');
  await log.close();
  const again = await openSegmentLog({...options, isAlive: () => false});
  t.is((await readAll(again, 'telemetry', 3)).length, taken + 3);
});

test('a real disk that fills up does the same', async t => {
  const disk = smallDisk(t, 256 * 1024);
  if (disk === undefined) {
    t.pass('only root may mount one');
    return;
  }
  const ballast = `${disk}/ballast`;
  nodeFiles.replace(ballast, bytes(100 * 1024));
  const options = {directory: `${disk}/log`, files: nodeFiles, clock: systemClock, groupMs: 0};
  const {log, problem} = watchLog(await openSegmentLog(options));
  const outcomes = await fill(log, 60, 5000);
  const taken = outcomes.indexOf('later');
  t.true(taken > 10 && !outcomes.includes('never'));
  t.regex(problem(), /check the space/);
  nodeFiles.remove(ballast);
  t.deepEqual(await fill(log, 3, 5000), ['taken', 'taken', 'taken']);
  t.is(problem(), '');
  await log.close();
  const again = await openSegmentLog(options);
  t.is(await again.endOffset('telemetry', 3), taken + 3);
  await again.close();
});

test('a checkpoint that cannot be written stops no partition', async t => {
  const failed: EngineEvents['checkpoint.failed'][] = [];
  t.teardown(listen('checkpoint.failed', fields => void failed.push(fields)));
  const faulty = faultyLog();
  const rig = createRig({log: faulty.log});
  const runtime = await rig.start({checkpointMs: 2000});
  faulty.plan('checkpoints', 'before', 'after');
  for (let i = 0; i < 9; i++) await second(rig, runtime, {a: {}});
  t.is(failed.length, 2);
  t.is(runtime.state.tickNumber, 9);
  t.true((await rig.log.endOffset('checkpoints', PARTITION)) > 2, 'the next one is there');
  const {log, policy, scorer} = rig;
  const model = scorer.signature();
  const {state, ticks} = await recover({log, codec, partition: PARTITION, policy, model});
  t.deepEqual(essence(state), essence(runtime.state));
  t.true(ticks < 5, 'and counts');
});
