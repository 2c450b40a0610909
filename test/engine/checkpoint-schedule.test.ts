import test from 'ava';
import {CheckpointSchedule} from '../../core/engine/checkpoint-schedule.ts';

const MUCH = (1 << 20) + 1;

test('a partition that is new, or has just recovered, has its checkpoint after the usual time', t => {
  for (const atMs of [0, 120_000]) {
    const schedule = new CheckpointSchedule(60_000, 0, atMs);
    t.false(schedule.isDue(120_000));
    t.false(schedule.isDue(179_999));
    t.true(schedule.isDue(180_000));
    schedule.begun(180_000);
    t.false(schedule.isDue(239_999));
    t.true(schedule.isDue(240_000));
  }
});

test('while a restart would read much telemetry again, it comes sooner', t => {
  const schedule = new CheckpointSchedule(60_000, 0, 120_000);
  schedule.read(MUCH - 1);
  t.false(schedule.isDue(135_000));
  schedule.read(1);
  t.false(schedule.isDue(136_000), 'its turn is over');
  t.true(schedule.isDue(150_000));
  schedule.begun(150_000);
  t.false(schedule.isDue(165_000));
  t.false(schedule.isDue(180_000));
  t.false(schedule.isDue(195_000));
  t.true(schedule.isDue(210_000));
});

test('a large checkpoint comes sooner only when as much telemetry has come since the last one', t => {
  const schedule = new CheckpointSchedule(60_000, 0, 120_000);
  schedule.begun(120_000);
  schedule.written(6 * MUCH);
  schedule.read(6 * MUCH);
  t.false(schedule.isDue(135_000));
  schedule.read(1);
  t.true(schedule.isDue(150_000));
  schedule.begun(150_000);
  schedule.written(6 * MUCH);
  t.false(schedule.isDue(195_000));
  t.true(schedule.isDue(210_000), 'at the latest');
});

test('partitions take turns for ever, however they began', t => {
  const schedules = Array.from(
    {length: 64},
    (_, partition) => new CheckpointSchedule(64_000, partition, 100_000),
  );
  for (let nowMs = 100_000; nowMs < 200_000; nowMs += 250) {
    const due = schedules.filter(schedule => schedule.isDue(nowMs));
    t.true(due.length <= 1, `${due.length} at ${nowMs}`);
    for (const schedule of due) schedule.begun(nowMs);
    for (const schedule of schedules) schedule.read(MUCH / 9);
  }
});
