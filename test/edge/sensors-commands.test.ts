import {appendFileSync, mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'ava';
import {limitNotes} from '../../edge/note.ts';
import {createSampler} from '../../edge/sampler.ts';
import {COMMAND_CLASSES, classifyCommand} from '../../edge/sensors/command-classes.ts';
import {createCommandHistory} from '../../edge/sensors/command-history.ts';
import {classOfAuthLine, createAuditReader} from '../../edge/sensors/command-records.ts';
import {commandsSensor} from '../../edge/sensors/commands.ts';
import {noHistories} from '../../edge/sensors/history.ts';
import fc from '../support/fast-check.ts';
import {hostFixture, readOnce} from './host-fixture.ts';

const minuteMs = 60_000;
const nothingKept = noHistories('commands');

for (const [command, kind] of [
  ['/sbin/reboot', 'power'],
  ['/usr/sbin/shutdown -r +5', 'power'],
  ['/bin/systemctl reboot', 'power'],
  ['systemctl --force --force poweroff', 'power'],
  ['/sbin/init 6', 'power'],
  ['/sbin/init q', 'other'],
  ['kexec -e', 'power'],
  ['ipmitool chassis power cycle', 'power'],
  ['ipmitool -I open power off', 'power'],
  ['ipmitool power status', 'other'],
  ['/usr/bin/apt-get -y dist-upgrade', 'package'],
  ['DEBIAN_FRONTEND=noninteractive apt install x', 'package'],
  ['/usr/bin/dnf5 upgrade', 'package'],
  ['systemctl restart nginx.service', 'service'],
  ['service ssh restart', 'service'],
  ['systemctl stop libvirtd', 'vm'],
  ['/usr/bin/virsh migrate --live web qemu+ssh://h02/system', 'vm'],
  ['qemu-img convert a b', 'vm'],
  ['modprobe -r ixgbe', 'kernel'],
  ['update-initramfs -u', 'kernel'],
  ['grub2-mkconfig -o /boot/grub2/grub.cfg', 'kernel'],
  ['sysctl -w vm.swappiness=1', 'kernel'],
  ['/sbin/mkfs.ext4 /dev/sdb1', 'storage'],
  ['mdadm --manage /dev/md0 --fail /dev/sdb', 'storage'],
  ['/bin/bash -c "apt update && reboot"', 'power'],
  ["sh -c 'dnf -y update; systemctl restart app'", 'package'],
  ['nice -n 10 timeout 30s apt update', 'package'],
  ['env -i PATH=/bin reboot', 'power'],
  ['/bin/cat /var/log/reboot.log', 'other'],
  ['/usr/bin/vi /etc/apt/sources.list', 'other'],
  ['/bin/bash', 'other'],
  ['', 'other'],
] as const) {
  test(`commands: ${command || 'nothing'} is of class ${kind}`, t => {
    t.is(classifyCommand(command), kind);
  });
}

test('commands: whatever is typed is of some class', t => {
  const words = fc.constantFrom(
    'sudo',
    'sh',
    '-c',
    'init',
    'ipmitool',
    'power',
    '"',
    ';',
    '&&',
    'a=b',
  );
  const typed = fc.array(fc.oneof(words, fc.string())).map(parts => parts.join(' '));
  fc.assert(fc.property(typed, command => COMMAND_CLASSES.includes(classifyCommand(command))));
  t.pass();
});

const sudo = (command: string, user = 'root', what = '') =>
  `Nov 22 10:00:00 h01 sudo[4711]:    alice : ${what}TTY=pts/0 ; PWD=/home/alice ; USER=${user} ; COMMAND=${command}`;

for (const [line, kind] of [
  [sudo('/usr/sbin/reboot'), 'power'],
  [
    `2026-11-22T10:00:00.123456+00:00 h01 sudo:    alice : PWD=/ ; USER=root ; COMMAND=/usr/bin/apt x`,
    'package',
  ],
  [sudo('/usr/bin/psql', 'postgres'), undefined],
  [sudo('/usr/sbin/reboot', 'root', 'command not allowed ; '), undefined],
  [sudo('/usr/sbin/reboot', 'root', '3 incorrect password attempts ; '), undefined],
  ['Nov  2 10:00:00 h01 su[12]: (to root) alice on pts/0', 'other'],
  ['Nov  2 10:00:00 h01 su[12]: FAILED SU (to root) alice on pts/0', undefined],
  ['Nov  2 10:00:00 h01 su[12]: (to bob) alice on pts/0', undefined],
  ['Nov  2 10:00:00 h01 doas: alice ran command halt as root from /home/alice', 'power'],
  ['Nov  2 10:00:00 h01 sudo: pam_unix(sudo:session): session opened for user root', undefined],
  ['Nov  2 10:00:00 h01 sshd[9]: Accepted publickey for root', undefined],
  ['reboot', undefined],
] as const) {
  test(`commands: ${kind ?? 'nobody'} is told by ${line.slice(16)}`, t => {
    t.is(classOfAuthLine(line), kind);
  });
}

const call = (id: number, auid: number, euid = 0) =>
  `type=SYSCALL msg=audit(1700000000.123:${id}): arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=2 auid=${auid} uid=${auid} euid=${euid} comm="x" exe="/x"`;
const started = (id: number, ...words: string[]) =>
  `type=EXECVE msg=audit(1700000000.123:${id}): argc=${words.length} ${words.map((word, index) => `a${index}=${word}`).join(' ')}`;

test('commands: of the audit log count programs that people start as root', t => {
  const read = createAuditReader();
  const kinds = [
    call(1, 1000),
    started(1, '"systemctl"', '"reboot"'),
    call(2, 4_294_967_295),
    started(2, '"reboot"'),
    call(3, 1000, 1000),
    started(3, '"reboot"'),
    call(4, 1000),
    started(4, '"sudo"', '"reboot"'),
    // sh -c, and "apt update" in hexadecimal because of its blank.
    call(5, 1000),
    started(5, '"sh"', '"-c"', '61707420757064617465'),
    started(5, '"reboot"'),
  ].map(read);
  t.deepEqual(
    kinds.filter(kind => kind !== undefined),
    ['power', 'package'],
  );
});

function host(t: Parameters<typeof hostFixture>[0], tree: Parameters<typeof hostFixture>[1] = {}) {
  const fixture = hostFixture(t, {'proc/uptime': '5000.00 1\n', ...tree});
  const append = (path: string, ...lines: string[]): void => {
    mkdirSync(dirname(join(fixture.root, path)), {recursive: true});
    appendFileSync(join(fixture.root, path), lines.map(line => `${line}\n`).join(''));
  };
  return {...fixture, append};
}

test('commands: those of the last minute are counted by class, and what was before is not', t => {
  const {root, append} = host(t, {'var/log/auth.log': `${sudo('/sbin/reboot')}\n`});
  const sensor = commandsSensor(root, nothingKept);
  t.is(readOnce(sensor, 0).commands_power_per_minute, 0);
  append('var/log/auth.log', sudo('/usr/bin/apt x'), sudo('/usr/bin/apt y'), sudo('/bin/ls'));
  const readings = readOnce(sensor, 5000);
  t.like(readings, {commands_package_per_minute: 2, commands_other_per_minute: 1});
  t.is(readings.commands_power_per_minute, 0);
  t.is(readOnce(sensor, 60_000).commands_package_per_minute, 2);
  t.is(readOnce(sensor, 65_000).commands_package_per_minute, 0);
  sensor.close?.();
});

test('commands: no log that tells, no values', t => {
  const {root, append} = host(t);
  const sensor = commandsSensor(root, nothingKept);
  t.deepEqual(Object.keys(readOnce(sensor, 0)), ['devices']);
  append('var/log/secure', sudo('/sbin/reboot'));
  t.is(readOnce(sensor, 5000).commands_power_per_minute, 1, 'a log that is new is read whole');
  sensor.close?.();
});

test('commands: once the audit log tells what is started, sudo does not tell it again', t => {
  const {root, append} = host(t, {'var/log/auth.log': '', 'var/log/audit/audit.log': ''});
  const sensor = commandsSensor(root, nothingKept);
  readOnce(sensor, 0);
  append('var/log/audit/audit.log', call(1, 1000), started(1, '"reboot"'));
  append('var/log/auth.log', sudo('/sbin/reboot'));
  t.is(readOnce(sensor, 5000).commands_power_per_minute, 1);
  sensor.close?.();
});

test('commands: no text of a command, and nobody’s name, is in rows, notes, counters or what is kept', t => {
  const secret = 'hunter2-Zebra';
  const {root, append, change} = host(t, {'var/log/auth.log': '', 'var/log/audit/audit.log': ''});
  const told: unknown[] = [];
  const history = {load: () => undefined, keep: (value: unknown) => void told.push(value)};
  const sensor = commandsSensor(root, history);
  const sampler = createSampler({
    sensors: [sensor],
    fleets: [],
    hostRow: nowMs => ({set: (...row) => void told.push([nowMs, ...row])}),
    vmRow: () => ({set() {}}),
    note: limitNotes(line => told.push(line), 0),
  });
  sampler.sample(0);
  append('var/log/auth.log', sudo(`/usr/bin/mysql -p${secret}`), sudo(`/sbin/reboot ${secret}`));
  sampler.sample(5000);
  append('var/log/audit/audit.log', call(1, 1000), started(1, '"apt"', `"${secret}"`));
  append('var/log/audit/audit.log', `type=EXECVE msg=audit(${secret}): a0="${secret}`);
  sampler.sample(10_000);
  // A log that cannot be read any more.
  change({'var/log/auth.log': undefined});
  mkdirSync(join(root, 'var/log/auth.log'));
  sampler.sample(100_000);
  told.push(sampler.counters);
  const text = JSON.stringify(told);
  t.regex(text, /commands_power_per_minute",1/);
  t.is(sampler.counters.failures.commands, 1);
  t.notRegex(text, new RegExp(`${secret}|alice|mysql|pts`));
  sensor.close?.();
});

test('affinity: the share of earlier spells of a class that were followed by a boot, with doubts', t => {
  const history = createCommandHistory();
  t.is(history.rebootAffinity(0), 0);
  // Three spells of packages, a day apart; the first two were followed by a boot.
  for (const day of [0, 1, 2]) history.add('package', day * 1440 * minuteMs);
  history.addBoot(20 * minuteMs);
  history.addBoot((1440 + 30) * minuteMs);
  const nowMs = 3 * 1440 * minuteMs;
  t.is(history.rebootAffinity(nowMs), 0, 'none was seen just now');
  history.add('other', nowMs);
  t.is(history.rebootAffinity(nowMs), 0, 'others were never followed');
  history.add('package', nowMs);
  t.is(history.rebootAffinity(nowMs), 2 / 5, 'the spell of now is not counted');
  t.is(history.rebootAffinity(nowMs + 10 * minuteMs), 2 / 5);
  t.is(history.rebootAffinity(nowMs + 11 * minuteMs), 0);
});

test('affinity: commands ten minutes apart at most are one spell, boots a minute apart one boot', t => {
  const history = createCommandHistory();
  t.true(history.add('package', 0));
  t.false(history.add('package', 10 * minuteMs));
  t.true(history.add('package', 21 * minuteMs));
  t.true(history.addBoot(5 * minuteMs));
  t.false(history.addBoot(5 * minuteMs + 59_000));
});

test('affinity: it outlives the reboot, is bounded, and may be anything', t => {
  const {root, append, change} = host(t, {'var/log/auth.log': ''});
  let kept: unknown;
  const history = {
    load: () => kept,
    keep(value: unknown) {
      kept = structuredClone(value);
    },
  };
  let nowMs = 10_000_000;
  for (let boot = 0; boot < 3; boot++) {
    const sensor = commandsSensor(root, history);
    readOnce(sensor, nowMs);
    append('var/log/auth.log', sudo('/usr/bin/apt x'));
    readOnce(sensor, nowMs + 5000);
    readOnce(sensor, nowMs + 65_000);
    sensor.close?.();
    nowMs += 1440 * minuteMs;
    change({'proc/uptime': `${(1440 * minuteMs - 600_000) / 1000} 1\n`});
  }
  const sensor = commandsSensor(root, history);
  readOnce(sensor, nowMs);
  append('var/log/auth.log', sudo('/usr/bin/apt x'));
  t.is(readOnce(sensor, nowMs + 5000).commands_reboot_affinity_ratio, 3 / 5);
  sensor.close?.();

  const long = createCommandHistory({boots: Array.from({length: 1000}, (_, index) => index * 1e7)});
  t.is((long.toKeep().boots as number[]).length, 64);
  for (const value of [3, 'x', {boots: 'x', commands: {power: [null, 'x']}}])
    t.is(createCommandHistory(value).rebootAffinity(0), 0);
});
