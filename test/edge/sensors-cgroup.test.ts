import test from 'ava';
import {LENGTHS_MAX} from '../../core/engine/ingest-lengths.ts';
import {createInventory} from '../../edge/inventory.ts';
import {cgroupSensor, vmOfScope} from '../../edge/sensors/cgroup.ts';
import {hostFixture, readFleet, type Tree} from './host-fixture.ts';

const slice = 'sys/fs/cgroup/machine.slice';
const web = `${slice}/machine-qemu\\x2d1\\x2dweb\\x2d01.scope`;

type Use = {usage: number; periods: number; throttled: number; read: number; stalled: number};

const use = (folder: string, u: Use): Tree => ({
  [`${folder}/cpu.stat`]: `usage_usec ${u.usage}\nuser_usec 1\nnr_periods ${u.periods}\nnr_throttled ${u.throttled}\n`,
  [`${folder}/cpu.max`]: '200000 100000\n',
  [`${folder}/memory.current`]: '750\n',
  [`${folder}/memory.max`]: '1000\n',
  [`${folder}/io.stat`]: `8:0 rbytes=${u.read} wbytes=${u.read * 2} rios=1\n254:0 rbytes=${u.read} wbytes=0\n`,
  [`${folder}/cpu.pressure`]: `some avg10=0.00 total=${u.stalled}\n`,
  [`${folder}/memory.pressure`]: `some avg10=0.00 total=9\nfull avg10=0.00 total=${u.stalled}\n`,
  [`${folder}/io.pressure`]: `some avg10=0.00 total=${u.stalled}\n`,
});

const before = {usage: 0, periods: 0, throttled: 0, read: 0, stalled: 0};

for (const [scope, vm] of [
  ['machine-qemu\\x2d1\\x2dweb\\x2d01.scope', 'web-01'],
  ['machine-qemu\\x2d12\\x2ddb.scope', 'db'],
  ['machine-qemu\\x2d3\\x2dcaf\\xc3\\xa9.scope', 'café'],
  ['machine-qemu-4-plain.scope', 'plain'],
  ['machine-lxc\\x2d1\\x2dbox.scope', undefined],
  ['session-1.scope', undefined],
] as const) {
  test(`the VM of scope ${scope} is ${vm}`, t => {
    t.is(vmOfScope(scope), vm);
  });
}

test('cgroup: a VM uses shares of its own limits', t => {
  const {root, change} = hostFixture(t, use(web, before));
  const sensor = cgroupSensor(root);
  readFleet(sensor, 0);
  change(use(web, {usage: 1_000_000, periods: 10, throttled: 4, read: 2048, stalled: 500_000}));
  t.deepEqual(readFleet(sensor, 1000), {
    'vms/web-01': {
      devices: {},
      cpu_used_ratio: 0.5,
      cpu_throttled_ratio: 0.4,
      memory_used_ratio: 0.75,
      io_read_bytes_per_second: 4096,
      io_write_bytes_per_second: 4096,
      pressure_cpu_ratio: 0.5,
      pressure_memory_ratio: 0.5,
      pressure_io_ratio: 0.5,
    } as never,
  });
});

test('cgroup: without limits the CPU share is of the virtual CPUs, and memory is unknown', t => {
  const unlimited = {[`${web}/cpu.max`]: 'max 100000\n', [`${web}/memory.max`]: 'max\n'};
  const vcpus = {[`${web}/libvirt/vcpu0/x`]: '', [`${web}/libvirt/vcpu1/x`]: ''};
  const {root, change} = hostFixture(t, {...use(web, before), ...unlimited, ...vcpus});
  const sensor = cgroupSensor(root);
  readFleet(sensor, 0);
  change({...use(web, {...before, usage: 500_000}), ...unlimited});
  const readings = readFleet(sensor, 1000)['vms/web-01'];
  t.is(readings?.cpu_used_ratio, 0.25);
  t.is(readings?.cpu_throttled_ratio, 0);
  t.is(readings?.memory_used_ratio, Number.NaN);
});

test('cgroup: a VM that stopped is no longer there, and one that started is', t => {
  const {root, change} = hostFixture(t, use(web, before));
  const sensor = cgroupSensor(root);
  readFleet(sensor, 0);
  const db = `${slice}/machine-qemu\\x2d2\\x2ddb.scope`;
  change({[web]: undefined, ...use(db, before)});
  t.deepEqual(Object.keys(readFleet(sensor, 1000)), ['vms/db']);
});

test('cgroup: one garbled VM does not hide the others', t => {
  const db = `${slice}/machine-qemu\\x2d2\\x2ddb.scope`;
  const {root} = hostFixture(t, {...use(web, before), ...use(db, before)});
  const sensor = cgroupSensor(root);
  const {root: bad} = hostFixture(t, {
    ...use(web, before),
    [`${web}/memory.current`]: 'lots\n',
    [`${web}/io.stat`]: 'what is this\n',
    ...use(db, before),
  });
  t.deepEqual(Object.keys(readFleet(sensor, 0)), ['vms/web-01', 'vms/db']);
  const seen: string[] = [];
  const row = (entity: string) => ({
    set: (column: string) => void seen.push(`${entity} ${column}`),
  });
  t.throws(() => cgroupSensor(bad).read(0, row), {
    code: 'SENSOR_FAILED',
    message: /memory.current/,
  });
  t.true(seen.includes('vms/db memory_used_ratio'));
  t.true(seen.includes('vms/web-01 cpu_used_ratio'));
  t.false(seen.includes('vms/web-01 memory_used_ratio'));
});

test('the inventory names the host, its size and its VMs, and is read again after ten seconds', t => {
  const {root, change} = hostFixture(t, {
    ...use(web, before),
    'proc/stat': 'cpu  1 1 1 1\ncpu0 1\ncpu1 1\n',
    'proc/meminfo': 'MemTotal: 8 kB\nMemAvailable: 4 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
    'proc/sys/kernel/random/boot_id': 'abc\n',
    'sys/class/dmi/id/sys_vendor': 'Dell Inc.\n',
    'sys/class/dmi/id/product_name': 'PowerEdge  R750\n',
    'sys/class/dmi/id/product_serial': 'ABC123\n',
  });
  const inventory = createInventory({
    root: `${root}/`,
    host: 'h01',
    rack: 'r1',
    actuatorAddress: '',
    capabilities: [],
  });
  const first = inventory(0);
  t.like(first.hosts[0], {
    host: 'h01',
    rack: 'r1',
    cpuCores: 2,
    memoryBytes: 8192,
    bootId: 'abc',
    observeOnly: true,
    hardware: 'Dell Inc. PowerEdge R750',
  });
  t.like(first.hosts[0]?.vms[0], {vm: 'web-01', cpuCores: 2, memoryBytes: 1000});
  change({[web]: undefined});
  t.is(inventory(9_999), first);
  t.deepEqual(inventory(10_000).hosts[0]?.vms, []);
});

test('the hardware is what firmware says of its model, in plain characters, and never too long', t => {
  const dmi = 'sys/class/dmi/id';
  for (const [vendor, product, hardware] of [
    [undefined, undefined, ''],
    ['Acme\n', undefined, 'Acme'],
    [undefined, 'R1\x07\u00e9 \t rev\n', 'R1 rev'],
    ['x'.repeat(200), 'R1', 'x'.repeat(LENGTHS_MAX.hardware)],
  ] as const) {
    const {root} = hostFixture(t, {
      ...(vendor && {[`${dmi}/sys_vendor`]: vendor}),
      ...(product && {[`${dmi}/product_name`]: product}),
    });
    const options = {root, host: 'h', rack: '', actuatorAddress: '', capabilities: []};
    t.is(createInventory(options)(0).hosts[0]?.hardware, hardware);
  }
  const {root} = hostFixture(t, {[`${dmi}/sys_vendor/folder`]: 'not a file'});
  const options = {root, host: 'h', rack: '', actuatorAddress: '', capabilities: []};
  t.is(createInventory(options)(0).hosts[0]?.hardware, '', 'what cannot be read');
});
