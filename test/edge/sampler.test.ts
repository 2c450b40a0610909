import test from 'ava';
import {ForestayError} from '../../core/domain/errors.ts';
import {limitNotes} from '../../edge/note.ts';
import {createSampler, everyInterval} from '../../edge/sampler.ts';
import type {Sensor} from '../../edge/sensor.ts';
import {manualClock} from './manual-clock.ts';

const nowhere = {set: () => {}};

test('a failing sensor is a counter and one line, and the others are read all the same', t => {
  const notes: string[] = [];
  const seen: string[] = [];
  const broken: Sensor = {
    name: 'broken',
    columns: ['a'],
    read() {
      throw new ForestayError('SENSOR_FAILED', 'cannot understand /proc/a');
    },
  };
  const sound: Sensor = {name: 'sound', columns: ['b'], read: (_, row) => row.set('b', 1)};
  const sampler = createSampler({
    sensors: [broken, sound],
    fleets: [
      {
        name: 'fleet',
        columns: [],
        read() {
          throw 'not even an error';
        },
      },
    ],
    hostRow: () => ({set: column => void seen.push(column)}),
    vmRow: () => nowhere,
    note: limitNotes(line => notes.push(line)),
  });
  for (const nowMs of [0, 1000, 2000]) sampler.sample(nowMs);
  t.deepEqual(sampler.counters, {samples: 3, failures: {broken: 3, sound: 0, fleet: 3}});
  t.deepEqual(notes, [
    'sensor broken: [SENSOR_FAILED] cannot understand /proc/a',
    'sensor fleet: not even an error',
  ]);
  t.deepEqual(seen, ['b', 'b', 'b']);
});

test('samples stay on their slots however long each one takes', async t => {
  const clock = manualClock(0);
  const stopping = new AbortController();
  const times: number[] = [];
  const late = clock.sleep;
  // A timer that is late every time must not move the slots.
  const lateClock = {...clock, sleep: (ms: number, signal?: AbortSignal) => late(ms + 7, signal)};
  const done = everyInterval(
    lateClock,
    1000,
    stopping.signal,
    nowMs => times.push(nowMs),
    () => t.fail('a slot was missed'),
  );
  await clock.advance(5500);
  stopping.abort();
  await done;
  t.deepEqual(times, [0, 1007, 2007, 3007, 4007, 5007]);
});

test('a timer that fires early waits for its slot', async t => {
  const clock = manualClock(0);
  const stopping = new AbortController();
  const times: number[] = [];
  const early = {
    ...clock,
    sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms / 2 + 1, signal),
  };
  const done = everyInterval(
    early,
    1000,
    stopping.signal,
    nowMs => times.push(nowMs),
    () => t.fail('a slot was missed'),
  );
  await clock.advance(2500);
  stopping.abort();
  await done;
  t.is(times.length, 3);
  t.true(times.every((time, slot) => time >= slot * 1000));
});

test('slots that were slept through are skipped and counted, not made up for', async t => {
  const clock = manualClock(0);
  const stopping = new AbortController();
  const times: number[] = [];
  let missed = 0;
  const done = everyInterval(
    clock,
    1000,
    stopping.signal,
    nowMs => times.push(nowMs),
    slots => {
      missed += slots;
    },
  );
  await clock.advance(1000);
  await clock.stall(4300);
  await clock.advance(1000);
  stopping.abort();
  await done;
  t.deepEqual(times, [0, 1000, 5300, 6000]);
  t.is(missed, 3);
});
