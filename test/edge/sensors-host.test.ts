import test from 'ava';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {HOST_METRICS, VM_METRICS} from '../../core/domain/metric-sets.ts';
import {concludeOddness} from '../../edge/oddness.ts';
import {hostSensors, vmSensors} from '../../edge/sensors/all.ts';
import {cpuSensor} from '../../edge/sensors/cpu.ts';
import {memorySensor} from '../../edge/sensors/memory.ts';
import {pressureSensor} from '../../edge/sensors/pressure.ts';
import {hostFixture, readFailing, readOnce} from './host-fixture.ts';

const cpus = 'sys/devices/system/cpu';

test('the sensors, and what is concluded from them, fill host.v2 but for intent, and vm.v1, each column once', t => {
  const sensors = [...hostSensors('/'), concludeOddness({intervalMs: 1000})];
  const measured = HOST_METRIC_CATALOGUE.filter(({source}) => source !== 'intent');
  t.deepEqual(
    sensors.flatMap(({name, columns}) => columns.map(column => `${name}: ${column}`)).toSorted(),
    measured.map(({name, source}) => `${source}: ${name}`).toSorted(),
  );
  t.deepEqual(
    vmSensors('/')
      .flatMap(sensor => sensor.columns)
      .toSorted(),
    VM_METRICS.columns.toSorted(),
  );
});

test('on an empty root every sensor but the clock is silent and none fails', t => {
  const {root} = hostFixture(t);
  const ofClock = /^time_/;
  for (const sensor of hostSensors(`${root}/`)) {
    for (const nowMs of [0, 1000]) {
      const {devices, ...values} = readOnce(sensor, nowMs);
      t.deepEqual(devices, {});
      for (const [column, value] of Object.entries(values))
        t.is(Number.isNaN(value), !ofClock.test(column), column);
    }
  }
});

test('the sensors of the machine that runs this test give finite numbers or nothing', t => {
  for (const sensor of hostSensors('/')) {
    readOnce(sensor, 0);
    const {devices: _, ...values} = readOnce(sensor, 1000);
    for (const [column, value] of Object.entries(values)) {
      t.true(HOST_METRICS.columns.includes(column));
      t.true(Number.isNaN(value) || Number.isFinite(value), column);
    }
    sensor.close?.();
  }
});

test('cpu: utilisation and steal are shares of the ticks since the previous reading', t => {
  const {root, change} = hostFixture(t, {
    'proc/stat': 'cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n',
  });
  const sensor = cpuSensor(root);
  t.false('cpu_utilisation_ratio' in readOnce(sensor, 0), 'the first reading knows no interval');
  // 100 ticks: 30 user, 10 system, 10 steal, 40 idle, 10 waiting for I/O.
  change({'proc/stat': 'cpu  130 0 110 740 110 0 0 10 0 0\ncpu0 1\n'});
  const readings = readOnce(sensor, 1000);
  t.is(readings.cpu_utilisation_ratio, 0.4);
  t.is(readings.cpu_steal_ratio, 0.1);
});

test('cpu: a counter that went back gives no value, and the next interval counts again', t => {
  const {root, change} = hostFixture(t, {'proc/stat': 'cpu  100 0 100 700 100 0 0 50\n'});
  const sensor = cpuSensor(root);
  readOnce(sensor, 0);
  change({'proc/stat': 'cpu  10 0 10 70 10 0 0 0\n'});
  t.false('cpu_utilisation_ratio' in readOnce(sensor, 1000));
  change({'proc/stat': 'cpu  60 0 10 120 10 0 0 0\n'});
  t.is(readOnce(sensor, 2000).cpu_utilisation_ratio, 0.5);
});

test('cpu: frequency is the mean share of the maximum', t => {
  const {root} = hostFixture(t, {
    [`${cpus}/cpu0/cpufreq/scaling_cur_freq`]: '1000000\n',
    [`${cpus}/cpu0/cpufreq/cpuinfo_max_freq`]: '4000000\n',
    [`${cpus}/cpu1/cpufreq/scaling_cur_freq`]: '3000000\n',
    [`${cpus}/cpu1/cpufreq/cpuinfo_max_freq`]: '4000000\n',
    [`${cpus}/cpufreq/policy0/scaling_cur_freq`]: '1\n',
  });
  t.is(readOnce(cpuSensor(root), 0).cpu_frequency_ratio, 0.5);
});

test('cpu: throttling of a core is counted once although both its threads show it', t => {
  const thread = (cpu: number, core: number, events: number) => ({
    [`${cpus}/cpu${cpu}/thermal_throttle/core_throttle_count`]: `${events}\n`,
    [`${cpus}/cpu${cpu}/thermal_throttle/package_throttle_count`]: '5\n',
    [`${cpus}/cpu${cpu}/topology/core_id`]: `${core}\n`,
    [`${cpus}/cpu${cpu}/topology/physical_package_id`]: '0\n',
  });
  const {root, change} = hostFixture(t, {...thread(0, 0, 3), ...thread(1, 0, 3)});
  const sensor = cpuSensor(root);
  t.is(readOnce(sensor, 0).cpu_throttle_events_per_second, Number.NaN);
  change({...thread(0, 0, 7), ...thread(1, 0, 7)});
  t.is(readOnce(sensor, 2000).cpu_throttle_events_per_second, 2);
});

for (const [text, what] of [
  ['', 'empty'],
  ['cpu one two three four\n', 'words for numbers'],
  ['cpu 1 2\n', 'too short'],
  ['\0\0\0\0', 'not text'],
] as const) {
  test(`cpu: a /proc/stat that is ${what} is a failure that names the file`, t => {
    const {root} = hostFixture(t, {'proc/stat': text});
    const {error} = readFailing(cpuSensor(root), 0);
    t.like(error, {code: 'SENSOR_FAILED'});
    t.regex(String(error), /proc\/stat/);
  });
}

const meminfo = (fields: Record<string, number>): string =>
  Object.entries(fields)
    .map(([name, kib]) => `${`${name}:`.padEnd(16)}${kib} kB\n`)
    .join('');

test('memory: what is not available is used, and a host without swap uses none', t => {
  const {root, change} = hostFixture(t, {
    'proc/meminfo': meminfo({
      MemTotal: 1000,
      MemFree: 1,
      MemAvailable: 250,
      SwapTotal: 0,
      SwapFree: 0,
    }),
  });
  const sensor = memorySensor(root);
  t.like(readOnce(sensor, 0), {memory_used_ratio: 0.75, swap_used_ratio: 0});
  change({'proc/meminfo': meminfo({MemTotal: 8, MemAvailable: 8, SwapTotal: 100, SwapFree: 60})});
  t.like(readOnce(sensor, 1), {memory_used_ratio: 0, swap_used_ratio: 0.4});
});

test('memory: a field that is missing is a failure that names it', t => {
  const {root} = hostFixture(t, {'proc/meminfo': meminfo({MemTotal: 1000})});
  t.regex(String(readFailing(memorySensor(root), 0).error), /MemAvailable/);
});

const psi = (some: number, full: number): string =>
  `some avg10=9.00 avg60=9.00 avg300=9.00 total=${some}\nfull avg10=8.00 avg60=8.00 avg300=8.00 total=${full}\n`;

test('pressure: the stalled share of the interval comes from the running totals', t => {
  const {root, change} = hostFixture(t, {
    'proc/pressure/cpu': psi(1_000_000, 0),
    'proc/pressure/memory': psi(0, 500_000),
    'proc/pressure/io': psi(0, 0),
  });
  const sensor = pressureSensor(root);
  readOnce(sensor, 0);
  change({
    'proc/pressure/cpu': psi(1_500_000, 0),
    'proc/pressure/memory': psi(900_000, 600_000),
    'proc/pressure/io': psi(3_000_000, 0),
  });
  t.like(readOnce(sensor, 2000), {
    pressure_cpu_ratio: 0.25,
    pressure_memory_ratio: 0.05,
    pressure_io_ratio: 1,
  });
});

test('pressure: a clock that stood still or went back gives no value', t => {
  const {root, change} = hostFixture(t, {'proc/pressure/cpu': psi(0, 0)});
  const sensor = pressureSensor(root);
  readOnce(sensor, 1000);
  change({'proc/pressure/cpu': psi(10, 0)});
  t.is(readOnce(sensor, 1000).pressure_cpu_ratio, Number.NaN);
  t.is(readOnce(sensor, 500).pressure_cpu_ratio, Number.NaN);
});

test('pressure: a file without a total is a failure', t => {
  const {root} = hostFixture(t, {'proc/pressure/cpu': 'some avg10=0.00\n'});
  t.like(readFailing(pressureSensor(root), 0).error, {code: 'SENSOR_FAILED'});
});

test('a file that is there but cannot be read is a failure with its cause', t => {
  const {root} = hostFixture(t, {'proc/meminfo/oops': ''});
  const {error} = readFailing(memorySensor(root), 0);
  t.like(error, {code: 'SENSOR_FAILED'});
  t.like((error as Error).cause, {code: 'EISDIR'});
});
