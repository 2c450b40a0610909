import test from 'ava';
import {CheckpointSchedule} from '../../core/engine/checkpoint-schedule.ts';

test('a partition that is new, or has just recovered, has its checkpoint after the usual time', t => {
  for (const atMs of [0, 1000]) {
    const schedule = new CheckpointSchedule(60_000, 0, atMs);
    t.false(schedule.isDue(1000));
    t.false(schedule.isDue(60_999));
    t.true(schedule.isDue(61_000));
    schedule.begun(61_000);
    t.false(schedule.isDue(120_999));
    t.true(schedule.isDue(121_000));
  }
});

test('when more telemetry would be read again than a checkpoint holds, it comes sooner', t => {
  const schedule = new CheckpointSchedule(60_000, 0, 1000);
  schedule.read(1 << 20);
  t.false(schedule.isDue(16_000));
  schedule.read(1);
  t.false(schedule.isDue(15_999));
  t.true(schedule.isDue(16_000));
  schedule.begun(16_000);
  schedule.written(2 << 20);
  schedule.read(2 << 20);
  t.false(schedule.isDue(75_999), 'less than the last one held');
  schedule.read(1);
  t.true(schedule.isDue(31_000));
});

test('partitions that begin together take turns', t => {
  const due = Array.from({length: 64}, (_, partition) => {
    const schedule = new CheckpointSchedule(64_000, partition, 100_000);
    let nowMs = 100_000;
    while (!schedule.isDue(nowMs)) nowMs += 250;
    return nowMs;
  });
  t.is(new Set(due).size, 64);
  t.deepEqual(
    due,
    due.toSorted((a, b) => b - a),
  );
});
