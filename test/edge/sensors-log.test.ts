import {appendFileSync, renameSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import test from 'ava';
import {commandsSensor} from '../../edge/sensors/commands.ts';
import {noHistories} from '../../edge/sensors/history.ts';
import {createJournal, hasJournal, parseJournalEntry} from '../../edge/sensors/journal.ts';
import {parseKernelRecord} from '../../edge/sensors/kernel-messages.ts';
import {logSensor} from '../../edge/sensors/log.ts';
import {classifyLogLine, createServiceReader} from '../../edge/sensors/log-classes.ts';
import {parseSyslogLine} from '../../edge/sensors/syslog-line.ts';
import {createTextLog} from '../../edge/sensors/text-log.ts';
import {dataPath, fakeTool} from './fake-tool.ts';
import {hostFixture, type Readings, readOnce} from './host-fixture.ts';

for (const [kind, message] of [
  ['cpu_faults', 'mce: [Hardware Error]: Machine check events logged'],
  ['cpu_faults', '[Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 6'],
  ['cpu_faults', 'CPU7: Core temperature above threshold, cpu clock throttled (total events = 1)'],
  ['memory_faults', 'EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0'],
  ['memory_faults', 'Memory failure: 0x5fe3c: recovery action for dirty LRU page: Recovered'],
  ['disk_faults', 'blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ)'],
  ['disk_faults', 'ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen'],
  ['disk_faults', 'ata3: hard resetting link'],
  ['disk_faults', 'nvme nvme0: I/O 23 QID 4 timeout, aborting'],
  ['disk_faults', 'EXT4-fs error (device sdb1): ext4_find_entry:1455: inode #2: comm ls'],
  ['disk_faults', 'Buffer I/O error on dev dm-0, logical block 0, async page read'],
  ['network_faults', 'e1000e 0000:00:1f.6 eno1: NIC Link is Down'],
  ['network_faults', 'NETDEV WATCHDOG: eth0 (ixgbe): transmit queue 3 timed out 5008 ms'],
  ['power_faults', 'usb usb1-port2: over-current condition'],
  ['stalls', 'INFO: task kworker/0:1:12 blocked for more than 120 seconds.'],
  ['stalls', 'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [qemu:4242]'],
  ['stalls', 'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:'],
  ['stalls', 'Out of memory: Killed process 4242 (mysqld) total-vm:1024kB'],
  [undefined, 'e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex'],
  [undefined, 'EXT4-fs (vda): mounted filesystem r/w with ordered data mode'],
  [undefined, 'usb 1-1: new high-speed USB device number 2 using xhci_hcd'],
] as const) {
  test(`log: of the kernel, ${message.slice(0, 50)} is of ${kind ?? 'no class'}`, t => {
    t.deepEqual(classifyLogLine({tag: 'kernel', message, priority: 6}), kind ? [kind] : []);
    t.deepEqual(classifyLogLine({tag: 'app', message, priority: 6}), [], 'only the kernel knows');
  });
}

test('log: an error is what has its priority, or in text its words', t => {
  const classes = (message: string, priority?: number) =>
    classifyLogLine({tag: 'app', message, priority});
  t.deepEqual(classes('all is well', 3), ['errors']);
  t.deepEqual(classes('connection failed', 4), []);
  t.deepEqual(classes('connection failed'), ['errors']);
  t.deepEqual(classes('terrorised'), []);
  t.deepEqual(classifyLogLine({tag: 'smartd', message: 'Currently unreadable', priority: 2}), [
    'errors',
    'disk_faults',
  ]);
});

test('services: a restart is scheduled, or a start soon after a stop, and is told once', t => {
  const read = createServiceReader();
  const told = (lines: readonly [string, number][]) =>
    lines.map(([line, second]) => read(line, second * 1000)).filter(Boolean);
  t.deepEqual(
    told([
      ['Stopping A high performance web server...', 0],
      ['Stopped A high performance web server.', 1],
      ['Starting A high performance web server...', 1],
      ['Started A high performance web server.', 2],
    ]),
    ['restarted'],
  );
  t.deepEqual(
    told([
      ['nginx.service: Main process exited, code=exited, status=1/FAILURE', 10],
      ["nginx.service: Failed with result 'exit-code'.", 10],
      ['nginx.service: Scheduled restart job, restart counter is at 1.', 11],
      ['Stopped nginx.service - A high performance web server.', 11],
      ['Started nginx.service - A high performance web server.', 12],
    ]),
    ['failed', 'restarted'],
  );
  t.deepEqual(
    told([
      ['Stopped db.service - Data.', 20],
      ['Started db.service - Data.', 90],
      ['Started cron.service - Regular jobs.', 91],
      ["app.service: Failed with result 'timeout'.", 92],
      ['Failed to start app.service - The application.', 92],
    ]),
    ['failed'],
  );
});

test('syslog: lines of both time formats, with and without a number', t => {
  t.deepEqual(
    parseSyslogLine('Nov  2 10:00:00 h01 kernel: [ 12.345678] ata3: hard resetting link'),
    {
      tag: 'kernel',
      message: 'ata3: hard resetting link',
    },
  );
  t.deepEqual(parseSyslogLine('2026-11-22T10:00:00.1+01:00 h01 systemd[1]: Started x.'), {
    tag: 'systemd',
    message: 'Started x.',
  });
  for (const line of ['', 'x', 'Nov  2 10:00:00 h01', '\0'.repeat(100)])
    t.is(parseSyslogLine(line), undefined);
});

test('kernel buffer: priority, text, no continuation; what programs wrote there is not the kernel’s', t => {
  t.deepEqual(parseKernelRecord('3,1234,5678,-;ata3: hard resetting link\n SUBSYSTEM=scsi\n'), {
    tag: 'kernel',
    message: 'ata3: hard resetting link',
    priority: 3,
  });
  t.is(parseKernelRecord('30,1,2,-;systemd[1]: x'), undefined);
  t.is(parseKernelRecord(''), undefined);
});

test('text log: only what is added counts, a torn line waits for its end', t => {
  const {root} = hostFixture(t, {log: 'old\n'});
  const path = join(root, 'log');
  const log = createTextLog(path);
  t.teardown(() => log.close());
  const lines: string[] = [];
  const read = (): boolean => log.read(line => lines.push(line));
  t.true(read());
  appendFileSync(path, 'one\ntw');
  read();
  appendFileSync(path, 'o\n');
  read();
  t.deepEqual(lines.splice(0), ['one', 'two']);

  appendFileSync(path, 'last of the old\n');
  renameSync(path, `${path}.1`);
  t.false(read());
  writeFileSync(path, 'first of the new\n');
  t.true(read());
  truncateSync(path);
  read();
  appendFileSync(path, 'after it was emptied\n');
  read();
  t.deepEqual(lines, ['last of the old', 'first of the new', 'after it was emptied']);
});

test('text log: a flood is read in bounded parts, and of a backlog only its end', t => {
  const {root} = hostFixture(t, {log: ''});
  const path = join(root, 'log');
  const log = createTextLog(path);
  t.teardown(() => log.close());
  let lines = 0;
  let last = '';
  const read = (): boolean =>
    log.read(line => {
      lines++;
      last = line;
    });
  read();
  const line = `${'x'.repeat(99)}\n`;
  appendFileSync(path, line.repeat(5_000));
  read();
  t.is(lines, Math.floor((256 * 1024) / 100));
  read();
  t.is(lines, 5_000);
  appendFileSync(path, `${line.repeat(50_000)}end\n`);
  read();
  t.is(last, 'end');
  t.true(lines < 8_000);
  appendFileSync(path, 'y'.repeat(100_000));
  read();
  appendFileSync(path, '\nnext\n');
  read();
  t.is(last, 'next');
});

const kernelLine = (message: string): string => `Nov 22 10:00:00 h01 kernel: [1.0] ${message}\n`;

test('log: what is new in syslog is counted by the minute', t => {
  const {root} = hostFixture(t, {'var/log/syslog': kernelLine('ata1: hard resetting link')});
  const sensor = logSensor(root);
  t.teardown(() => sensor.close?.());
  t.is(readOnce(sensor, 0).log_disk_faults_per_minute, 0);
  appendFileSync(
    join(root, 'var/log/syslog'),
    `${kernelLine('ata1: hard resetting link')}${kernelLine('eth0: link is down')}Nov 22 10:00:01 h01 systemd[1]: a.service: Failed with result 'core-dump'.\n`,
  );
  t.like(readOnce(sensor, 5000), {
    log_disk_faults_per_minute: 1,
    log_network_faults_per_minute: 1,
    log_stalls_per_minute: 0,
    services_failed_per_minute: 1,
    services_restarted_per_minute: 0,
  });
  t.is(readOnce(sensor, 65_000).log_disk_faults_per_minute, 0);
});

test('log: without text logs the kernel’s own buffer tells, but not of services', t => {
  const record = '4,1,2,-;EDAC MC0: 1 CE memory read error\n SUBSYSTEM=x\n';
  const {root} = hostFixture(t, {'dev/kmsg': record});
  const sensor = logSensor(root);
  t.teardown(() => sensor.close?.());
  t.is(readOnce(sensor, 0).log_memory_faults_per_minute, 0, 'what was before does not count');
  appendFileSync(join(root, 'dev/kmsg'), record);
  const readings = readOnce(sensor, 5000);
  t.is(readings.log_memory_faults_per_minute, 1);
  t.false('services_failed_per_minute' in readings);
});

test('journal: entries as journalctl prints them', t => {
  t.deepEqual(parseJournalEntry('{"_TRANSPORT":"kernel","MESSAGE":"x","PRIORITY":"3"}'), {
    tag: 'kernel',
    message: 'x',
    priority: 3,
  });
  t.like(parseJournalEntry('{"MESSAGE":null,"SYSLOG_IDENTIFIER":"app"}'), {
    message: '',
    priority: 6,
  });
  for (const line of ['', '{', '3', 'null']) t.is(parseJournalEntry(line), undefined);
  t.false(hasJournal(hostFixture(t, {'run/log/journal/README': ''}).root));
  t.true(hasJournal(hostFixture(t, {[`var/log/journal/${'a'.repeat(32)}/x`]: ''}).root));
});

test('journal: what it follows is counted, and when it ends that is a failure and no values', async t => {
  const {root} = hostFixture(t, {'proc/uptime': '1 1\n'});
  const ended = join(root, 'ended');
  const journal = createJournal(
    fakeTool(t, `cat ${dataPath('journal.ndjson')}; while [ ! -e ${ended} ]; do sleep 0.05; done`),
  );
  const log = logSensor(root, journal);
  const commands = commandsSensor(root, noHistories('commands'), journal);
  t.teardown(() => log.close?.());
  let nowMs = 0;
  let logged: Readings;
  let typed: Readings;
  do {
    await setTimeout(10);
    nowMs = (nowMs + 5000) % 50_000;
    logged = readOnce(log, nowMs);
    typed = readOnce(commands, nowMs);
  } while (!((logged.log_errors_per_minute ?? 0) > 0));
  t.like(logged, {log_errors_per_minute: 1, services_failed_per_minute: 1});
  t.is(typed.commands_package_per_minute, 1);

  writeFileSync(ended, '');
  let error: unknown;
  while (error === undefined) {
    await setTimeout(10);
    try {
      journal.poll(nowMs);
    } catch (thrown) {
      error = thrown;
    }
  }
  t.like(error, {code: 'SENSOR_FAILED'});
  t.deepEqual(Object.keys(readOnce(log, nowMs + 6000)), ['devices']);
  t.deepEqual(Object.keys(readOnce(commands, nowMs + 6000)), ['devices']);
});

test('journal: garbage is a failure that repeats none of it', async t => {
  const journal = createJournal(fakeTool(t, 'echo COMMAND=secret; exec sleep 600'));
  t.teardown(() => journal.close());
  let error: unknown;
  while (error === undefined) {
    try {
      journal.poll(0);
    } catch (thrown) {
      error = thrown;
    }
    await setTimeout(5);
  }
  t.like(error, {code: 'SENSOR_FAILED'});
  t.notRegex(String(error), /secret/);
});

test('journal: one that cannot be started is a failure, and is tried again after a minute', async t => {
  const journal = createJournal('/nowhere/journalctl');
  const failures: number[] = [];
  for (let nowMs = 0; nowMs <= 120_000; nowMs += 10_000) {
    try {
      journal.poll(nowMs);
    } catch {
      failures.push(nowMs);
    }
    await setTimeout(20);
  }
  t.deepEqual(failures, [10_000, 70_000]);
});
