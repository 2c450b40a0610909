import test from 'ava';
import {linkSensor} from '../../edge/sensors/link.ts';
import {machineCheckSensor} from '../../edge/sensors/machine-check.ts';
import {hostFixture, readFailing, readOnce} from './host-fixture.ts';

const interrupts = (mce: string, thr: string, others = '7 7') => `           CPU0       CPU1
  0:         38          0   IO-APIC   2-edge      timer
NMI:          0          0   Non-maskable interrupts
TRM:          ${others}   Thermal event interrupts
THR:          ${thr}   Threshold APIC interrupts
DFR:          0          0   Deferred Error APIC interrupts
MCE:          ${mce}   Machine check exceptions
MCP:          ${others}   Machine check polls
ERR:          0
`;

test('machine checks: exceptions, thresholds and deferred errors count; polls and heat do not', t => {
  const {root, change} = hostFixture(t, {'proc/interrupts': interrupts('1 0', '2 2')});
  const sensor = machineCheckSensor(root);
  t.is(readOnce(sensor, 0).cpu_machine_checks_per_second, Number.NaN);
  change({'proc/interrupts': interrupts('2 1', '2 5', '9000 9000')});
  t.is(readOnce(sensor, 10_000).cpu_machine_checks_per_second, 0.5);
});

test('machine checks: a kernel that does not count them gives no value', t => {
  const {root} = hostFixture(t, {'proc/interrupts': '     CPU0\nNMI:   0   Non-maskable\n'});
  const sensor = machineCheckSensor(root);
  for (const nowMs of [0, 10_000])
    t.is(readOnce(sensor, nowMs).cpu_machine_checks_per_second, Number.NaN);
});

test('machine checks: a line without numbers is a failure, and throttling is read all the same', t => {
  const path = 'sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_total_time_ms';
  const {root, change} = hostFixture(t, {'proc/interrupts': 'MCE: ?\n', [path]: '100\n'});
  const sensor = machineCheckSensor(root);
  t.like(readFailing(sensor, 0).error, {code: 'SENSOR_FAILED'});
  change({[path]: '2600\n'});
  const {readings, error} = readFailing(sensor, 10_000);
  t.like(error, {code: 'SENSOR_FAILED'});
  t.is(readings.cpu_throttled_ratio, 0.25);
});

test('throttling: the core or package that was held back longest counts and is named', t => {
  const file = (cpu: number, part: string) =>
    `sys/devices/system/cpu/cpu${cpu}/thermal_throttle/${part}_throttle_total_time_ms`;
  const {root, change} = hostFixture(t, {
    [file(0, 'core')]: '0\n',
    [file(0, 'package')]: '0\n',
    [file(1, 'core')]: '0\n',
    [file(1, 'package')]: '0\n',
  });
  const sensor = machineCheckSensor(root);
  readOnce(sensor, 0);
  change({[file(0, 'core')]: '1000\n', [file(1, 'package')]: '99000\n'});
  t.like(readOnce(sensor, 10_000), {
    cpu_throttled_ratio: 1,
    devices: {cpu_throttled_ratio: 'cpu1'},
  });
});

const port = (name: string, errors: number, more: Record<string, string> = {}) => ({
  [`sys/class/net/${name}/device/vendor`]: '0x8086\n',
  [`sys/class/net/${name}/operstate`]: 'up\n',
  [`sys/class/net/${name}/carrier_changes`]: '1\n',
  [`sys/class/net/${name}/carrier_up_count`]: '1\n',
  [`sys/class/net/${name}/statistics/rx_crc_errors`]: `${errors}\n`,
  [`sys/class/net/${name}/statistics/rx_frame_errors`]: '0\n',
  [`sys/class/net/${name}/statistics/rx_missed_errors`]: '0\n',
  [`sys/class/net/${name}/statistics/tx_carrier_errors`]: `${errors}\n`,
  ...Object.fromEntries(
    Object.entries(more).map(([file, text]) => [`sys/class/net/${name}/${file}`, text]),
  ),
});

test('links: errors and changes of carrier of physical ports are summed', t => {
  const {root, change} = hostFixture(t, {
    ...port('eth0', 0),
    ...port('eth1', 10),
    'sys/class/net/br0/operstate': 'down\n',
    'sys/class/net/br0/statistics/rx_crc_errors': '0\n',
  });
  const sensor = linkSensor(root);
  readOnce(sensor, 0);
  change({
    ...port('eth0', 5),
    ...port('eth1', 30, {carrier_changes: '6\n'}),
    'sys/class/net/br0/statistics/rx_crc_errors': '999\n',
  });
  t.like(readOnce(sensor, 5000), {
    network_link_errors_per_second: 10,
    network_carrier_changes_per_second: 1,
    network_links_down_ratio: 0,
    devices: {network_link_errors_per_second: 'eth1', network_carrier_changes_per_second: 'eth1'},
  });
});

test('links: one that was up and is down counts, one that never was does not', t => {
  const {root, change} = hostFixture(t, {
    ...port('eth0', 0),
    ...port('eth1', 0, {operstate: 'down\n'}),
    ...port('eth2', 0, {operstate: 'down\n', carrier_up_count: '0\n'}),
  });
  const sensor = linkSensor(root);
  t.like(readOnce(sensor, 0), {
    network_links_down_ratio: 0.5,
    devices: {network_links_down_ratio: 'eth1'},
  });
  change({'sys/class/net/eth1/operstate': 'up\n'});
  t.is(readOnce(sensor, 4999).network_links_down_ratio, 0.5, 'it is looked at every 5 s');
  t.is(readOnce(sensor, 5000).network_links_down_ratio, 0);
});

test('links: a port that was taken away is gone, and garbage in one file is a failure', t => {
  const {root, change} = hostFixture(t, {...port('eth0', 0), ...port('eth1', 0)});
  const sensor = linkSensor(root);
  readOnce(sensor, 0);
  change({'sys/class/net/eth1': undefined});
  t.is(readOnce(sensor, 5000).network_links_down_ratio, 0);
  change({'sys/class/net/eth0/carrier_changes': 'many\n'});
  t.like(readFailing(sensor, 10_000).error, {code: 'SENSOR_FAILED'});
});
