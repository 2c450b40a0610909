import test from 'ava';
import {diskSensor} from '../../edge/sensors/disk.ts';
import {edacSensor} from '../../edge/sensors/edac.ts';
import {hwmonSensor} from '../../edge/sensors/hwmon.ts';
import {networkSensor} from '../../edge/sensors/network.ts';
import {hostFixture, readFailing, readOnce} from './host-fixture.ts';

/** A line of /proc/diskstats: reads and writes of 1 KiB, waited, busy and queued milliseconds. */
const diskLine = (
  name: string,
  d: {operations: number; waitedMs: number; busyMs: number; queuedMs: number},
) =>
  `   8       0 ${name} ${d.operations} 0 ${d.operations * 2} ${d.waitedMs} ` +
  `${d.operations} 0 ${d.operations * 2} ${d.waitedMs} 0 ${d.busyMs} ${d.queuedMs} 0 0 0 0\n`;

const idle = {operations: 0, waitedMs: 0, busyMs: 0, queuedMs: 0};

test('disk: traffic is summed, and the worst disk is measured and named', t => {
  const {root, change} = hostFixture(t, {
    'sys/block/sda/device/ioerr_cnt': '0x1\n',
    'sys/block/sdb/device/ioerr_cnt': '0x0\n',
    'sys/block/loop0/size': '0\n',
    'proc/diskstats': ['sda', 'sda1', 'sdb', 'loop0'].map(name => diskLine(name, idle)).join(''),
  });
  const sensor = diskSensor(root);
  readOnce(sensor, 0);
  const slow = {operations: 10, waitedMs: 500, busyMs: 900, queuedMs: 3000};
  const quick = {operations: 90, waitedMs: 90, busyMs: 100, queuedMs: 200};
  change({
    'sys/block/sda/device/ioerr_cnt': '0x11\n',
    'proc/diskstats': [
      diskLine('sda', slow),
      diskLine('sda1', slow),
      diskLine('sdb', quick),
      diskLine('loop0', slow),
    ].join(''),
  });
  const readings = readOnce(sensor, 1000);
  t.like(readings, {
    disk_read_bytes_per_second: 100 * 1024,
    disk_write_bytes_per_second: 100 * 1024,
    disk_busy_ratio: 0.9,
    disk_latency_seconds: 0.05,
    disk_queue_depth: 3,
    disk_errors_per_second: 16,
  });
  t.like(readings.devices, {
    disk_read_bytes_per_second: 'sdb',
    disk_latency_seconds: 'sda',
    disk_errors_per_second: 'sda',
  });
});

test('disk: one that vanishes, and one that comes back with its counters reset, give no rates', t => {
  const busy = {operations: 100, waitedMs: 100, busyMs: 500, queuedMs: 500};
  const {root, change} = hostFixture(t, {'proc/diskstats': diskLine('sda', busy)});
  const sensor = diskSensor(root);
  readOnce(sensor, 0);
  change({'proc/diskstats': ''});
  t.false('disk_busy_ratio' in readOnce(sensor, 1000));
  change({'proc/diskstats': diskLine('sda', {...busy, operations: 200})});
  t.false('disk_busy_ratio' in readOnce(sensor, 2000), 'an unknown time is no interval');
  change({'proc/diskstats': diskLine('sda', idle)});
  t.false('disk_read_bytes_per_second' in readOnce(sensor, 3000), 'a reset is no rate');
});

test('disk: an idle disk has no latency, and names nothing', t => {
  const {root} = hostFixture(t, {'proc/diskstats': diskLine('sda', idle) + diskLine('sda1', idle)});
  const sensor = diskSensor(root);
  readOnce(sensor, 0);
  const readings = readOnce(sensor, 1000);
  t.is(readings.disk_busy_ratio, 0);
  t.false('disk_latency_seconds' in readings);
  t.deepEqual(readings.devices, {});
});

test('disk: garbled statistics are a failure', t => {
  const {root} = hostFixture(t, {'proc/diskstats': '   8 0 sda 1 2 x\n'});
  t.like(readFailing(diskSensor(root), 0).error, {code: 'SENSOR_FAILED'});
});

const networkTable = (ports: Record<string, number[]>): string =>
  `Inter-|   Receive | Transmit\n face |bytes packets\n${Object.entries(ports)
    .map(([name, fields]) => `${name.padStart(6)}: ${fields.join(' ')}\n`)
    .join('')}`;

const traffic = (bytes: number, errors: number, drops: number): number[] => [
  bytes,
  1,
  errors,
  drops,
  0,
  0,
  0,
  0,
  bytes * 2,
  1,
  errors,
  drops,
  0,
  0,
  0,
  0,
];

test('network: physical ports are summed; loopback, bridges and tunnels are not', t => {
  const {root, change} = hostFixture(t, {
    'sys/class/net/eth0/device/vendor': '0x1\n',
    'sys/class/net/eth1/device/vendor': '0x1\n',
    'sys/class/net/br0/address': '\n',
    'proc/net/dev': networkTable({
      lo: traffic(0, 0, 0),
      eth0: traffic(0, 0, 0),
      eth1: traffic(0, 0, 0),
      br0: traffic(0, 0, 0),
    }),
  });
  const sensor = networkSensor(root);
  readOnce(sensor, 0);
  change({
    'proc/net/dev': networkTable({
      lo: traffic(9000, 9, 9),
      eth0: traffic(1000, 0, 4),
      eth1: traffic(500, 3, 0),
      br0: traffic(9000, 9, 9),
    }),
  });
  const readings = readOnce(sensor, 2000);
  t.like(readings, {
    network_receive_bytes_per_second: 750,
    network_transmit_bytes_per_second: 1500,
    network_errors_per_second: 3,
    network_drops_per_second: 4,
  });
  t.like(readings.devices, {network_errors_per_second: 'eth1', network_drops_per_second: 'eth0'});
});

test('network: a counter that wraps gives no value for its port, the others still count', t => {
  const {root, change} = hostFixture(t, {
    'proc/net/dev': networkTable({eth0: traffic(4_294_967_000, 0, 0), eth1: traffic(0, 0, 0)}),
  });
  const sensor = networkSensor(root);
  readOnce(sensor, 0);
  change({'proc/net/dev': networkTable({eth0: traffic(100, 0, 0), eth1: traffic(10, 0, 0)})});
  t.is(readOnce(sensor, 1000).network_receive_bytes_per_second, 10);
});

test('network: a garbled line is a failure', t => {
  const {root} = hostFixture(t, {'proc/net/dev': 'a\nb\n  eth0 1 2 3\n'});
  t.like(readFailing(networkSensor(root), 0).error, {code: 'SENSOR_FAILED'});
});

const chip = 'sys/class/hwmon/hwmon0';

test('hwmon: the hottest, the nearest to its limit, the most deviating and the slowest are named', t => {
  const {root} = hostFixture(t, {
    [`${chip}/name`]: 'board\n',
    [`${chip}/temp1_input`]: '60000\n',
    [`${chip}/temp1_label`]: 'CPU\n',
    [`${chip}/temp1_crit`]: '100000\n',
    [`${chip}/temp2_input`]: '50000\n',
    [`${chip}/temp2_crit`]: '70000\n',
    [`${chip}/temp3_input`]: '127000\n',
    [`${chip}/temp3_fault`]: '1\n',
    [`${chip}/in0_input`]: '1100\n',
    [`${chip}/in0_min`]: '900\n',
    [`${chip}/in0_max`]: '1100\n',
    [`${chip}/in1_input`]: '3300\n',
    [`${chip}/fan1_input`]: '1200\n',
    [`${chip}/fan2_input`]: '900\n',
    [`${chip}/fan3_input`]: '0\n',
  });
  const readings = readOnce(hwmonSensor(root), 0);
  t.like(readings, {
    temperature_celsius: 60,
    temperature_margin_celsius: 20,
    voltage_deviation_ratio: 0.1,
    fan_speed_rpm: 900,
  });
  t.deepEqual(readings.devices, {
    temperature_celsius: 'board/CPU',
    temperature_margin_celsius: 'board/temp2',
    voltage_deviation_ratio: 'board/in0',
    fan_speed_rpm: 'board/fan2',
  });
});

test('hwmon: a fan that has turned and stops is the slowest', t => {
  const {root, change} = hostFixture(t, {[`${chip}/fan1_input`]: '1200\n'});
  const sensor = hwmonSensor(root);
  readOnce(sensor, 0);
  change({[`${chip}/fan1_input`]: '0\n'});
  const readings = readOnce(sensor, 1000);
  t.is(readings.fan_speed_rpm, 0);
  t.is(readings.devices.fan_speed_rpm, 'hwmon0/fan1');
});

test('hwmon: one garbled input does not hide the others', t => {
  const {root, change} = hostFixture(t, {
    [`${chip}/temp1_input`]: '40000\n',
    [`${chip}/temp2_input`]: '50000\n',
  });
  const sensor = hwmonSensor(root);
  readOnce(sensor, 0);
  change({[`${chip}/temp1_input`]: 'hot\n'});
  const {readings, error} = readFailing(sensor, 1000);
  t.is(readings.temperature_celsius, 50);
  t.regex(String(error), /temp1_input: found "hot"/);
});

test('hwmon: a chip that vanishes is missing, and is found when it returns', t => {
  const {root, change} = hostFixture(t, {[`${chip}/temp1_input`]: '40000\n'});
  const sensor = hwmonSensor(root);
  readOnce(sensor, 0);
  change({[chip]: undefined});
  t.false('temperature_celsius' in readOnce(sensor, 1000));
  change({'sys/class/hwmon/hwmon1/temp1_input': '41000\n'});
  t.is(readOnce(sensor, 62_000).temperature_celsius, 41);
});

const controllers = 'sys/devices/system/edac/mc';

test('edac: errors of all controllers are summed, and the worst is named', t => {
  const {root, change} = hostFixture(t, {
    [`${controllers}/mc0/ce_count`]: '10\n',
    [`${controllers}/mc0/ue_count`]: '0\n',
    [`${controllers}/mc1/ce_count`]: '0\n',
    [`${controllers}/mc1/ue_count`]: '0\n',
  });
  const sensor = edacSensor(root);
  readOnce(sensor, 0);
  change({[`${controllers}/mc0/ce_count`]: '12\n', [`${controllers}/mc1/ce_count`]: '8\n'});
  const readings = readOnce(sensor, 2000);
  t.is(readings.memory_corrected_errors_per_second, 5);
  t.is(readings.memory_uncorrected_errors_per_second, 0);
  t.deepEqual(readings.devices, {memory_corrected_errors_per_second: 'mc1'});
});

test('edac: a reset by an operator gives no negative rate', t => {
  const {root, change} = hostFixture(t, {
    [`${controllers}/mc0/ce_count`]: '10\n',
    [`${controllers}/mc0/ue_count`]: '1\n',
  });
  const sensor = edacSensor(root);
  readOnce(sensor, 0);
  change({[`${controllers}/mc0/ce_count`]: '0\n', [`${controllers}/mc0/ue_count`]: 'none\n'});
  const {readings, error} = readFailing(sensor, 1000);
  t.false('memory_corrected_errors_per_second' in readings);
  t.like(error, {code: 'SENSOR_FAILED'});
});
