import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Sensor} from '../../edge/sensor.ts';
import {hourAffinity, summariseBoots, weekdayAffinity} from '../../edge/sensors/boot-patterns.ts';
import {bootsOfLives, bootsOfRecords} from '../../edge/sensors/boot-records.ts';
import {bootsSensor} from '../../edge/sensors/boots.ts';
import {type History, noHistories} from '../../edge/sensors/history.ts';
import {parseLives, parseStops} from '../../edge/sensors/journal-boots.ts';
import {createLoadSpikes} from '../../edge/sensors/load-spikes.ts';
import {readLoginRecords} from '../../edge/sensors/login-records.ts';
import {dataPath, dataText, fakeTool, readUntil} from './fake-tool.ts';
import {hostFixture, readOnce} from './host-fixture.ts';
import {loginRecord, writeBytes} from './login-fixture.ts';

const random = {next: () => 0.5};
const minuteMs = 60_000;
const dayMs = 86_400_000;
const at = (text: string): number => Date.parse(text);

test('boots: a recorded wtmp tells of two boots after a shutdown or none, and a crash', t => {
  const {boots, sinceMs} = bootsOfRecords(readLoginRecords(dataPath('wtmp'), 'x64') ?? []);
  t.is(sinceMs, at('2026-10-01T06:00:00Z'));
  t.deepEqual(boots, [
    {atMs: at('2026-10-01T06:00:00Z'), downMs: Number.NaN, isClean: undefined},
    {atMs: at('2026-10-08T06:32:00Z'), downMs: at('2026-10-08T06:30:00Z'), isClean: true},
    {atMs: at('2026-10-12T01:00:00Z'), downMs: at('2026-10-11T12:00:00Z'), isClean: false},
  ]);
});

for (const architecture of ['x64', 'arm64']) {
  test(`boots: on ${architecture} a name may fill its room, and what is torn is left out`, t => {
    const {root} = hostFixture(t);
    writeBytes(root, 'wtmp', [
      loginRecord(2, 'reboot', 0, 1000, architecture),
      loginRecord(7, 'a-name-that-fills-all-of-its-roo', 4242, 2000, architecture),
      loginRecord(8, '', 4242, 3_000_000_000_000, architecture),
      Buffer.from('torn'),
    ]);
    t.deepEqual(readLoginRecords(join(root, 'wtmp'), architecture), [
      {kind: 'boot', user: 'reboot', processId: 0, atMs: 1000},
      {kind: 'session', user: 'a-name-that-fills-all-of-its-roo', processId: 4242, atMs: 2000},
      {kind: 'ended', user: '', processId: 4242, atMs: 3_000_000_000_000},
    ]);
    t.is(readLoginRecords(join(root, 'nothing')), undefined);
  });
}

test('boots: the journal tells that a life was shut down when its last word is its stop', t => {
  const lives = parseLives(dataText('journal-boots.json'));
  const stops = parseStops(dataText('journal-stops.ndjson'));
  t.deepEqual(bootsOfLives(lives, stops), {
    boots: [
      {atMs: 1_795_100_120_000, downMs: 1_795_100_000_000, isClean: true},
      // It stopped once in the middle: journald was restarted.
      {atMs: 1_795_200_600_000, downMs: 1_795_200_000_000, isClean: false},
    ],
    sinceMs: 1_795_000_000_000,
  });
  t.throws(() => parseLives('-1 111 Mon 2026-10-01'), {code: 'SENSOR_FAILED'});
  t.throws(() => parseLives('[{"boot_id": 3}]'), {code: 'SENSOR_FAILED'});
  t.deepEqual(parseStops('garbage\n{"_BOOT_ID": 1}\n'), []);
});

test('boots: rates are of the last 30 days, or of what is recorded, but of a day at least', t => {
  const boot = (days: number, isClean: boolean | undefined) => ({
    atMs: days * dayMs,
    downMs: days * dayMs - 90_000,
    isClean,
  });
  const boots = [boot(0, undefined), boot(50, true), boot(60, false), boot(65, true)];
  t.deepEqual(summariseBoots({boots, sinceMs: 0}, 70 * dayMs), {
    perDay: 3 / 30,
    uncleanPerDay: 1 / 30,
    lastUnclean: 0,
    lastDowntimeSeconds: 90,
  });
  t.is(summariseBoots({boots, sinceMs: 60 * dayMs}, 70 * dayMs).perDay, 0.3);
  t.is(summariseBoots({boots: boots.slice(3), sinceMs: 65 * dayMs}, 65 * dayMs + 1).perDay, 1);
  t.is(summariseBoots({boots: boots.slice(0, 3), sinceMs: 0}, 70 * dayMs).lastUnclean, 1);
  t.is(summariseBoots({boots: [boot(0, undefined)], sinceMs: 0}, dayMs).lastUnclean, Number.NaN);
});

const monday6 = at('2026-11-16T06:00:00Z');

for (const [what, times, hour, weekday] of [
  ['none yet', [], 1, 1],
  ['one at this hour and day', [monday6 - 7 * dayMs], 3.75, 2.5],
  ['one at another hour and day', [monday6 - 7.5 * dayMs], 0.75, 0.75],
  [
    'eight at this hour and day',
    Array.from({length: 8}, (_, week) => monday6 - 7 * week * dayMs + 50 * minuteMs),
    (8 + 0.25) / 11 / (1 / 12),
    (8 + 3 / 7) / 11 / (1 / 7),
  ],
  ['one an hour and a half later', [monday6 + 90 * minuteMs - 7 * dayMs], 0.75, 2.5],
] as const) {
  test(`boots: affinities with ${what}`, t => {
    t.true(Math.abs(hourAffinity(times, monday6, 0) - hour) < 1e-9);
    t.true(Math.abs(weekdayAffinity(times, monday6, 0) - weekday) < 1e-9);
  });
}

test('boots: hours are near each other over midnight, in the host’s own zone', t => {
  const late = at('2026-11-15T23:30:00Z');
  t.true(hourAffinity([late], at('2026-11-17T00:15:00Z'), 0) > 1);
  // At UTC+2 it is Monday half past one.
  t.true(weekdayAffinity([late], monday6, 2 * 3_600_000) > 1);
  t.true(weekdayAffinity([late], monday6, 0) < 1);
});

test('spikes: the share of boots that came within ten minutes of one, while there is one', t => {
  const spikes = createLoadSpikes();
  const boot = (minute: number) => ({atMs: minute * minuteMs, downMs: Number.NaN, isClean: false});
  let minute = 0;
  const run = (minutes: number, load: number): void => {
    for (let end = minute + minutes; minute < end; minute++) spikes.add(load, minute * minuteMs);
  };
  run(120, 0.1);
  run(5, 0.9);
  const boots = [boot(-60), boot(minute + 4)];
  run(200, 0.1);
  boots.push(boot(minute));
  run(200, 0.1);
  t.is(spikes.bootAffinity(boots, minute * minuteMs), 0, 'no spike now');
  run(1, 0.9);
  // One of the two that were seen coming, with two doubts.
  t.is(spikes.bootAffinity(boots, minute * minuteMs), 1 / 4);
  t.is(spikes.bootAffinity([], minute * minuteMs), 0);
});

test('spikes: a busy host has none, and neither has a small bump', t => {
  for (const [usual, load] of [
    [0.6, 0.9],
    [0.01, 0.4],
  ] as const) {
    const spikes = createLoadSpikes();
    for (let minute = 0; minute < 100; minute++) spikes.add(usual, minute * minuteMs);
    t.false(spikes.add(load, 100 * minuteMs), `${usual} → ${load}`);
    t.false(spikes.add(Number.NaN, 101 * minuteMs));
  }
});

test('spikes: what was kept is used after the boot, is bounded, and may be anything', t => {
  const spikes = createLoadSpikes({sinceMs: 0, spikes: [10 * minuteMs]});
  const boots = [{atMs: 12 * minuteMs, downMs: Number.NaN, isClean: false}];
  spikes.add(0.1, 20 * minuteMs);
  spikes.add(0.9, 21 * minuteMs);
  t.is(spikes.bootAffinity(boots, 21 * minuteMs), 1 / 3);
  for (const kept of [undefined, 7, {sinceMs: 'x', spikes: 'y'}])
    t.is(createLoadSpikes(kept).bootAffinity(boots, 0), 0);
});

function boots(
  t: ExecutionContext,
  root: string,
  options: {history?: History; journalctl?: string} = {},
) {
  const {history = noHistories('boots'), journalctl} = options;
  const sensor = bootsSensor({root, history, random, journalctl});
  t.teardown(() => sensor.close?.());
  return sensor;
}

const nowMs = at('2026-10-12T07:00:00Z');
const host = {
  'proc/uptime': '21580.00 40000.00\n',
  'proc/loadavg': '0.10 0.20 0.30 1/100 4242\n',
  'sys/devices/system/cpu/cpu0/x': '',
};

test('boots: the sensor reads wtmp and the one before, and knows better when the host was last alive', t => {
  const {root} = hostFixture(t, host);
  writeBytes(root, 'var/log/wtmp.1', [
    loginRecord(2, 'reboot', 0, at('2026-10-01T06:00:00Z')),
    loginRecord(1, 'runlevel', 53, at('2026-10-01T06:00:20Z')),
    loginRecord(1, 'shutdown', 0, at('2026-10-08T06:30:00Z')),
  ]);
  writeBytes(root, 'var/log/wtmp', [
    loginRecord(2, 'reboot', 0, at('2026-10-08T06:32:00Z')),
    loginRecord(7, 'bob', 1310, at('2026-10-11T12:00:00Z')),
    loginRecord(2, 'reboot', 0, at('2026-10-12T01:00:00Z')),
  ]);
  const readings = readOnce(boots(t, root), nowMs);
  t.like(readings, {
    boot_age_seconds: 21_580,
    boots_unclean_per_day: 1 / ((nowMs - at('2026-10-01T06:00:00Z')) / dayMs),
    boot_last_unclean_ratio: 1,
    boot_last_downtime_seconds: 13 * 3600,
    boot_spike_affinity_ratio: 0,
  });
  // One reboot at half past six on a Thursday; it is seven on a Monday.
  t.true((readings.boot_hour_affinity_ratio ?? 0) > 1);
  t.true((readings.boot_weekday_affinity_ratio ?? 9) < 1);

  const history = {load: () => ({seenMs: at('2026-10-12T00:50:00Z')}), keep() {}};
  t.is(readOnce(boots(t, root, {history}), nowMs).boot_last_downtime_seconds, 600);
});

test('boots: it says every five minutes that the host is alive', t => {
  const {root} = hostFixture(t, host);
  const kept: unknown[] = [];
  const history = {load: () => undefined, keep: (value: unknown) => void kept.push(value)};
  const sensor = boots(t, root, {history});
  for (let second = 0; second <= 900; second += 10) readOnce(sensor, second * 1000);
  t.deepEqual(
    kept.map(value => (value as {seenMs: number}).seenMs),
    [0, 300_000, 600_000, 900_000],
  );
});

test('boots: a wtmp that nobody writes any more tells nothing, and the journal is asked', async t => {
  const {root} = hostFixture(t, {...host, 'proc/uptime': '170332.00 1\n'});
  writeBytes(root, 'var/log/wtmp', [loginRecord(2, 'reboot', 0, 1000)]);
  const now = 1_795_370_932_000;
  t.is(readOnce(boots(t, root), now).boots_per_day, undefined);
  const journalctl = fakeTool(
    t,
    `case "$1" in --list-boots) cat ${dataPath('journal-boots.json')};; *) cat ${dataPath('journal-stops.ndjson')};; esac`,
  );
  const sensor = boots(t, root, {journalctl});
  // Every ten seconds there is a look.
  let time = now;
  let readings = readOnce(sensor, time);
  while (readings.boots_per_day === undefined) {
    await new Promise(resolve => setTimeout(resolve, 5));
    time += 10;
    readings = readOnce(sensor, time);
    if (time > now + 60_000) time = now;
  }
  t.like(readings, {boot_last_unclean_ratio: 1, boot_last_downtime_seconds: 600});
});

test('boots: a journalctl that prints garbage is a failure, and the age is told all the same', async t => {
  const {root} = hostFixture(t, host);
  const sensor = boots(t, root, {journalctl: fakeTool(t, 'echo "-1 1234 Mon"')});
  let time = 0;
  const laterEachTime: Sensor = {
    ...sensor,
    read(_, row) {
      time += 10_000;
      sensor.read(time, row);
    },
  };
  const {errors} = await readUntil(laterEachTime, 0, (_, thrown) => thrown.length > 0);
  t.like(errors[0], {code: 'SENSOR_FAILED'});
  t.is(readOnce(sensor, time).boot_age_seconds, 21_580);
});
