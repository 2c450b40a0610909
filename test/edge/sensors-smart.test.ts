import test, {type ExecutionContext} from 'ava';
import {createDefectGrowth} from '../../edge/sensors/defect-growth.ts';
import {noHistories} from '../../edge/sensors/history.ts';
import {ipmiSensor} from '../../edge/sensors/ipmi.ts';
import {parsePower, parseSensors, summarise} from '../../edge/sensors/ipmi-report.ts';
import {type SmartOptions, smartSensor} from '../../edge/sensors/smart.ts';
import {parseDrive, parseScan} from '../../edge/sensors/smart-report.ts';
import {dataPath, dataText, fakeTool, readUntil} from './fake-tool.ts';
import {hostFixture, readOnce} from './host-fixture.ts';

const random = {next: () => 0.5};
const hourMs = 3_600_000;

/** Answers as smartctl would for the drives of data/smartctl-scan.json. */
const scanned = `case "$*" in *--scan*) cat ${dataPath('smartctl-scan.json')}; exit 0;; esac\n`;
const drives = `case "$*" in
  "-j -x -n standby,0 /dev/sda") cat ${dataPath('smartctl-ata.json')}; exit 64;;
  "-j -x -n standby,0 -d nvme /dev/nvme0") cat ${dataPath('smartctl-nvme.json')}; exit 8;;
  "-j -x -n standby,0 -d megaraid,8 /dev/bus/0") cat ${dataPath('smartctl-sas.json')};;
  *) exit 1;;
esac`;

function smart(t: ExecutionContext, script: string, options: Partial<SmartOptions> = {}) {
  const history = noHistories('smart');
  const sensor = smartSensor({path: fakeTool(t, script), history, random, ...options});
  t.teardown(() => sensor.close?.());
  return sensor;
}

test('smart: of each number the worst drive counts, and is named', async t => {
  const sensor = smart(t, scanned + drives);
  t.deepEqual(readOnce(sensor, 0), {devices: {}} as never, 'nobody waits for the first answer');
  const {readings, errors} = await readUntil(sensor, 0, it => 'disk_age_hours' in it);
  t.deepEqual(errors, []);
  t.like(readings, {
    disk_failing_ratio: 1 / 3,
    disk_reallocated_sectors: 24,
    disk_pending_sectors: 8,
    disk_uncorrectable_sectors: 5,
    disk_link_errors: 17,
    disk_wear_ratio: 1.03,
    disk_temperature_celsius: 61,
    disk_age_hours: 41_520,
  });
  t.false('disk_new_defects_per_day' in readings, 'it was watched for no time');
  t.like(readings.devices, {
    disk_failing_ratio: '/dev/nvme0',
    disk_reallocated_sectors: '/dev/sda',
    disk_wear_ratio: '/dev/nvme0',
  });
});

test('smart: a drive that hangs is one failure, and the others are read', async t => {
  const hang = `case "$*" in *sda*) exec sleep 600;; esac\n`;
  const sensor = smart(t, scanned + hang + drives, {limits: {deadlineMs: 3_000}});
  const {readings, errors} = await readUntil(sensor, 0, it => 'disk_age_hours' in it);
  t.is(errors.length, 1);
  t.like(errors[0], {code: 'SENSOR_FAILED'});
  t.regex(String(errors[0]), /sda took more than 3000 ms/);
  t.is(readings.disk_age_hours, 9000);
});

for (const [what, script] of [
  ['prints garbage', 'echo "%PDF-1.4"'],
  ['prints nothing', 'exit 0'],
  ['prints JSON that is no report', 'echo "[1, 2]"'],
  ['names devices without names', 'echo \'{"devices": [{"protocol": "ATA"}]}\''],
  ['fails', 'exit 1'],
] as const) {
  test(`smart: a tool that ${what} is a failure and no value`, async t => {
    const sensor = smart(t, script);
    const {readings, errors} = await readUntil(sensor, 0, (_, thrown) => thrown.length > 0);
    t.deepEqual(readings, {devices: {}} as never);
    t.like(errors[0], {code: 'SENSOR_FAILED'});
    t.notThrows(() => readOnce(sensor, 1), 'one run, one failure');
  });
}

test('smart: an answer is used for three periods and no longer', async t => {
  const once = `if [ -e "$0.once" ]; then exec sleep 600; fi
case "$*" in *bus*) touch "$0.once";; esac\n`;
  const sensor = smart(t, once + scanned + drives, {periodMs: 1000});
  await readUntil(sensor, 0, it => 'disk_age_hours' in it);
  t.is(readOnce(sensor, 3000).disk_age_hours, 41_520);
  t.false('disk_age_hours' in readOnce(sensor, 3001));
});

test('smart: new defects are those since the agent looks, also after it was restarted', async t => {
  let kept: unknown;
  const history = {
    load: () => kept,
    keep(value: unknown) {
      kept = structuredClone(value);
    },
  };
  const before = smart(t, scanned + drives, {history});
  await readUntil(before, 0, it => 'disk_age_hours' in it);
  t.deepEqual(kept, {
    '/dev/sda': [[0, 37]],
    '/dev/nvme0': [[0, 2]],
    '/dev/bus/0 megaraid,8': [[0, 10]],
  });
  (kept as Record<string, unknown>)['/dev/sda'] = [[0, 27]];
  const after = smart(t, scanned + drives, {history});
  const {readings} = await readUntil(after, 48 * hourMs, it => 'disk_age_hours' in it);
  t.is(readings.disk_new_defects_per_day, 5);
});

test('smart: a host without drives that tell has no values and no failure', async t => {
  const sensor = smart(t, 'echo \'{"smartctl": {"exit_status": 0}}\'');
  const {errors} = await readUntil(sensor, 0, () => true);
  t.deepEqual(errors, []);
  t.deepEqual(parseScan('{"smartctl": {}}'), []);
});

test('smart: a device that smartctl does not know is a failure that says so', t => {
  t.throws(() => parseDrive(dataText('smartctl-unknown.json'), 1, '/dev/vda'), {
    code: 'SENSOR_FAILED',
    message: /smartctl \/dev\/vda, exit code 1.*Unable to detect/,
  });
});

test('smart: a drive behind a controller that does not answer is a failure that says which', t => {
  const message = 'Smartctl open device: /dev/bus/0 [megaraid_disk_09] failed: INQUIRY failed';
  const text = JSON.stringify({smartctl: {messages: [{string: message, severity: 'error'}]}});
  t.throws(() => parseDrive(text, 2, '/dev/bus/0 megaraid,9'), {
    code: 'SENSOR_FAILED',
    message: /\/dev\/bus\/0 megaraid,9, exit code 2/,
  });
});

test('smart: a drive that sleeps is left alone', t => {
  const text = '{"smartctl": {"messages": [{"string": "Device is in STANDBY mode, exit(0)"}]}}';
  t.is(parseDrive(text, 0, '/dev/sda'), undefined);
});

test('smart: wear of an SSD is what its normalised life has lost', t => {
  const ssd = (attributes: object[], more: object = {}) =>
    parseDrive(JSON.stringify({ata_smart_attributes: {table: attributes}, ...more}), 0, 'x');
  t.is(ssd([{id: 231, value: 80, raw: {value: 0}}])?.wearRatio, 1 - 0.8);
  t.is(ssd([{id: 177, value: 200, raw: {value: 0}}])?.wearRatio, 0);
  t.is(ssd([{id: 233, value: 50}], {endurance_used: {current_percent: 7}})?.wearRatio, 0.07);
  t.is(ssd([])?.wearRatio, Number.NaN);
  t.is(ssd([])?.isFailing, undefined);
});

test('defects: none is said in the first hour, then at least a day is divided by', t => {
  const growth = createDefectGrowth();
  t.is(growth.perDay('a', 10, 0), Number.NaN);
  t.is(growth.perDay('a', 11, hourMs - 1), Number.NaN);
  t.is(growth.perDay('a', 12, hourMs), 2);
  t.is(growth.perDay('a', 14, 48 * hourMs), 2);
  t.is(growth.perDay('b', Number.NaN, 0), Number.NaN);
});

test('defects: what is older than seven days is forgotten, and so is a drive that was replaced', t => {
  const growth = createDefectGrowth();
  for (let hour = 0; hour <= 240; hour++) growth.perDay('a', hour < 24 ? 0 : 70, hour * hourMs);
  t.is(growth.perDay('a', 77, 240 * hourMs), 1, 'only the last seven days');
  t.true((growth.points().a?.length ?? 0) <= 170);
  t.is(growth.perDay('a', 1, 241 * hourMs), Number.NaN);
});

test('defects: what was kept may be anything', t => {
  for (const kept of [undefined, 3, 'x', [1], {a: 1}, {a: [1, 'x', [1], [null, 2]]}])
    t.is(createDefectGrowth(kept).perDay('a', 1, 0), Number.NaN);
});

test('ipmi: a supply without input fails, an empty bay does not, limits are of what can be read', async t => {
  const {root} = hostFixture(t, {'dev/ipmi0': ''});
  const path = fakeTool(
    t,
    `case "$*" in "sdr elist all") cat ${dataPath('ipmitool-sdr.txt')};; *) cat ${dataPath('ipmitool-dcmi.txt')};; esac`,
  );
  const sensor = ipmiSensor({path, root, random});
  t.teardown(() => sensor.close?.());
  const {readings, errors} = await readUntil(sensor, 0, it => 'power_draw_watts' in it);
  t.deepEqual(errors, []);
  t.like(readings, {
    power_supplies_failed_ratio: 0.5,
    power_draw_watts: 214,
    ipmi_sensors_critical_ratio: 1 / 7,
    devices: {
      power_supplies_failed_ratio: 'PS2 Status 10.2',
      ipmi_sensors_critical_ratio: 'CPU1 Temp',
    },
  });
});

test('ipmi: without DCMI the sensor of the board tells the watts', t => {
  const sensors = parseSensors(dataText('ipmitool-sdr.txt'));
  t.is(parsePower('DCMI request failed because: Invalid command (c1)'), Number.NaN);
  t.is(summarise(sensors, Number.NaN).powerWatts, 126);
  t.is(summarise(sensors.slice(0, 3), Number.NaN).suppliesFailedRatio, Number.NaN);
});

test('ipmi: a host without a controller is not asked, and that is no failure', async t => {
  const sensor = ipmiSensor({path: fakeTool(t, 'exit 1'), root: hostFixture(t).root, random});
  readOnce(sensor, 0);
  await new Promise(resolve => setTimeout(resolve, 50));
  t.deepEqual(readOnce(sensor, 1), {devices: {}} as never);
});

test('ipmi: garbage is a failure', async t => {
  const {root} = hostFixture(t, {'dev/ipmi0': ''});
  const sensor = ipmiSensor({path: fakeTool(t, 'echo Unable to open'), root, random});
  t.teardown(() => sensor.close?.());
  const {errors} = await readUntil(sensor, 0, (_, thrown) => thrown.length > 0);
  t.like(errors[0], {code: 'SENSOR_FAILED'});
  t.regex(String(errors[0]), /cannot understand ipmitool sdr elist all/);
});
