import {utimesSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {contextSensor} from '../../edge/sensors/context.ts';
import {fileHistories, type History, keptNumbers, noHistories} from '../../edge/sensors/history.ts';
import {createLocalTime} from '../../edge/sensors/local-time.ts';
import {createMinuteCounts} from '../../edge/sensors/minute-counts.ts';
import {slowSensor} from '../../edge/sensors/slow.ts';
import {classifyWorkload} from '../../edge/sensors/workload.ts';
import {hostFixture, readFailing, readOnce, type Tree} from './host-fixture.ts';

const hourMs = 3_600_000;
const at = (text: string): number => Date.parse(text);
const nothingKept = noHistories('context');

function inZone(t: ExecutionContext, zone: string, tree: Tree = {}) {
  const fixture = hostFixture(t, {'etc/x': '', ...tree});
  fixture.link('etc/localtime', `../usr/share/zoneinfo/${zone}`);
  return fixture;
}

test('time: of the host’s own zone, in summer and winter', t => {
  for (const [zone, time, hours] of [
    ['Europe/Berlin', '2026-07-01T12:00:00Z', 2],
    ['Europe/Berlin', '2026-12-01T12:00:00Z', 1],
    ['America/St_Johns', '2026-12-01T12:00:00Z', -3.5],
    ['Asia/Kathmandu', '2026-12-01T12:00:00Z', 5.75],
    ['Etc/UTC', '2026-12-01T12:00:00Z', 0],
  ] as const) {
    t.is(createLocalTime(inZone(t, zone).root)(at(time)), hours * hourMs, zone);
  }
  const own = -new Date(0).getTimezoneOffset() * 60_000;
  t.is(createLocalTime(inZone(t, 'No/Where').root)(0), own);
  t.is(createLocalTime(hostFixture(t).root)(0), own);
});

test('context: the time of day goes round, and Saturday begins at midnight there', t => {
  const sensor = contextSensor(inZone(t, 'Europe/Berlin').root, nothingKept);
  const noon = readOnce(sensor, at('2026-11-20T11:00:00Z'));
  t.true(Math.abs((noon.time_of_day_sine ?? 9) - 0) < 1e-9);
  t.is(noon.time_of_day_cosine, -1);
  t.is(noon.time_weekend_ratio, 0);
  const evening = readOnce(sensor, at('2026-11-20T17:00:00Z'));
  t.is(evening.time_of_day_sine, -1);
  t.is(readOnce(sensor, at('2026-11-20T22:59:00Z')).time_weekend_ratio, 0);
  t.is(readOnce(sensor, at('2026-11-20T23:00:00Z')).time_weekend_ratio, 1);
  t.is(readOnce(sensor, at('2026-11-22T22:59:00Z')).time_weekend_ratio, 1);
  t.is(readOnce(sensor, at('2026-11-22T23:00:00Z')).time_weekend_ratio, 0);
});

test('context: how long ago kernel, firmware and packages were changed', t => {
  const {root} = hostFixture(t, {
    'proc/sys/kernel/osrelease': '6.1.0-13-amd64\n',
    'lib/modules/6.1.0-13-amd64/modules.dep': '',
    'sys/class/dmi/id/bios_date': '11/20/2026\n',
    'var/lib/dpkg/status': '',
    'var/lib/dpkg/info/x.list': '',
  });
  const nowMs = at('2026-11-22T06:00:00Z');
  const touch = (path: string, hours: number): void => {
    const seconds = (nowMs - hours * hourMs) / 1000;
    utimesSync(join(root, path), seconds, seconds);
  };
  touch('lib/modules/6.1.0-13-amd64', 100);
  touch('var/lib/dpkg/status', 7);
  touch('var/lib/dpkg/info', 9);
  t.like(readOnce(contextSensor(root, nothingKept), nowMs), {
    change_kernel_age_hours: 100,
    change_firmware_age_hours: 54,
    change_package_age_hours: 7,
    change_resize_age_hours: Number.NaN,
    change_migration_age_hours: Number.NaN,
    workload_batch_ratio: Number.NaN,
  });
  touch('var/lib/dpkg/status', -5);
  t.is(readOnce(contextSensor(root, nothingKept), nowMs).change_package_age_hours, 0);
});

const scope = (name: string) => `sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2d${name}.scope`;
const vm = (name: string, cpuSeconds: number, limit = '200000 100000'): Tree => ({
  [`${scope(name)}/cpu.max`]: `${limit}\n`,
  [`${scope(name)}/memory.max`]: '1073741824\n',
  [`${scope(name)}/cpu.stat`]: `usage_usec ${Math.round(cpuSeconds * 1e6)}\nnr_periods 0\n`,
});

test('context: a VM that comes or goes, or gets other limits, is a change that is remembered', t => {
  const {root, change} = hostFixture(t, {...vm('a', 0), ...vm('b', 0)});
  let kept: unknown;
  const history: History = {
    load: () => kept,
    keep(value) {
      kept = JSON.parse(JSON.stringify(value));
    },
  };
  const sensor = contextSensor(root, history);
  t.is(readOnce(sensor, 0).change_migration_age_hours, Number.NaN, 'it was there before');
  change(vm('a', 0, '400000 100000'));
  t.like(readOnce(sensor, hourMs), {
    change_resize_age_hours: 0,
    change_migration_age_hours: Number.NaN,
  });
  change({[scope('b')]: undefined});
  t.like(readOnce(sensor, 2 * hourMs), {change_resize_age_hours: 1, change_migration_age_hours: 0});
  change(vm('b', 0));
  t.is(readOnce(sensor, 3 * hourMs).change_migration_age_hours, 0);
  t.like(readOnce(contextSensor(root, history), 5 * hourMs), {
    change_resize_age_hours: 4,
    change_migration_age_hours: 2,
  });
  for (kept of [3, {resizedMs: 'x'}])
    t.is(readOnce(contextSensor(root, history), 0).change_resize_age_hours, Number.NaN);
});

test('context: VMs are steady or batch by an hour of their CPU', t => {
  const {root, change} = hostFixture(t);
  const sensor = contextSensor(root, nothingKept);
  let [steady, batch] = [0, 0];
  let readings = readOnce(sensor, 0);
  for (let minute = 1; minute <= 40; minute++) {
    steady += 60;
    // Of its two CPUs, for ten minutes in twenty.
    batch += minute % 20 < 10 ? 114 : 3;
    change({...vm('web', steady), ...vm('nightly', batch), ...vm('idle', 0)});
    readings = readOnce(sensor, minute * 60_000);
    if (minute === 10) t.is(readings.workload_steady_ratio, Number.NaN, 'ten minutes are too few');
  }
  t.is(readings.workload_batch_ratio, 1 / 3);
  t.is(readings.workload_steady_ratio, 2 / 3);
});

for (const [kind, usage] of [
  [undefined, Array(14).fill(0.5)],
  ['steady', Array(60).fill(0.5)],
  ['steady', Array(15).fill(0)],
  ['batch', [...Array(50).fill(0.1), ...Array(10).fill(0.9)]],
  ['other', [...Array(50).fill(0.1), ...Array(10).fill(0.6)]],
  ['other', [...Array(58).fill(0.1), ...Array(2).fill(0.9)]],
] as const) {
  test(`workload: ${usage.length} minutes from ${usage[0]} to ${usage.at(-1)} are ${kind ?? 'unknown'}`, t => {
    t.is(classifyWorkload(usage), kind);
  });
}

test('context: a VM whose limits are garbage is a failure, and the time is told all the same', t => {
  const {root} = hostFixture(t, {...vm('a', 0, 'lots'), ...vm('b', 0)});
  const {readings, error} = readFailing(contextSensor(root, nothingKept), 0);
  t.like(error, {code: 'SENSOR_FAILED'});
  t.is(typeof readings.time_of_day_sine, 'number');
});

test('history: what a sensor keeps is there after a restart; what is damaged is not', t => {
  const {root, change} = hostFixture(t);
  const folder = join(root, 'spool/sensors');
  const history = fileHistories(nodeFiles, folder)('boots');
  t.is(history.load(), undefined);
  history.keep({seenMs: 3, nothing: Number.NaN});
  t.deepEqual(fileHistories(nodeFiles, folder)('boots').load(), {seenMs: 3, nothing: null});
  t.is(fileHistories(nodeFiles, folder)('smart').load(), undefined);
  change({'spool/sensors/boots.json': '{"seenMs": 3'});
  t.is(history.load(), undefined);
  t.deepEqual(keptNumbers([1, 'x', null, 2, 3], 2), [2, 3]);
  t.deepEqual(keptNumbers('x', 2), []);
});

test('counts: a minute is twelve steps, and a clock that jumps begins anew', t => {
  const counts = createMinuteCounts(['a', 'b']);
  counts.add('a', 0);
  counts.add('a', 30_000);
  counts.add('b', 59_999);
  t.is(counts.perMinute('a', 59_999), 2);
  t.is(counts.perMinute('a', 60_000), 1);
  t.is(counts.perMinute('a', 90_000), 0);
  counts.add('a', 90_000);
  t.is(counts.perMinute('a', 80_000), 1, 'a little back is nothing');
  t.is(counts.perMinute('a', 10 * hourMs), 0);
  counts.add('a', 10 * hourMs);
  t.is(counts.perMinute('a', 0), 0);
});

test('slow sensors: what was measured last is given until the next time, a failure once', t => {
  let measured = 0;
  const sensor = slowSensor({name: 'slow', columns: ['a']}, 10_000, (_, row) => {
    row.set('a', ++measured, 'device');
    if (measured === 2) throw new Error('no more');
  });
  t.like(readOnce(sensor, 0), {a: 1, devices: {a: 'device'}});
  t.is(readOnce(sensor, 9_999).a, 1);
  const {readings, error} = readFailing(sensor, 10_000);
  t.is(readings.a, 2);
  t.like(error, {message: 'no more'});
  t.is(readOnce(sensor, 10_001).a, 2);
  t.is(readOnce(sensor, 0).a, 3, 'a clock that was set back');
});
