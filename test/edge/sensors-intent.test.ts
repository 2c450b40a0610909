import {statSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {activitySensor} from '../../edge/sensors/activity.ts';
import {compareReleases, isNewerInstalled} from '../../edge/sensors/kernel-version.ts';
import {shutdownSensor} from '../../edge/sensors/shutdown.ts';
import fc from '../support/fast-check.ts';
import {hostFixture, readFailing, readOnce, type Tree} from './host-fixture.ts';
import {loginRecord, writeBytes} from './login-fixture.ts';

test('shutdown: one that is scheduled, and the seconds to it', t => {
  const {root, change} = hostFixture(t, {'run/systemd/system/x': ''});
  const sensor = shutdownSensor(root);
  t.is(readOnce(sensor, 0).shutdown_scheduled_ratio, 0);
  t.false('shutdown_in_seconds' in readOnce(sensor, 0));
  const path = 'run/systemd/shutdown/scheduled';
  change({[path]: 'USEC=300000000\nWARN_WALL=1\nMODE=reboot\n'});
  t.like(readOnce(sensor, 2000), {shutdown_scheduled_ratio: 1, shutdown_in_seconds: 298});
  t.like(readOnce(sensor, 310_000), {shutdown_scheduled_ratio: 1, shutdown_in_seconds: 0});
  t.is(readOnce(sensor, 901_000).shutdown_scheduled_ratio, 0, 'it was never carried out');
  change({[path]: 'USEC=300000000\nMODE=dry-reboot\n'});
  t.is(readOnce(sensor, 4000).shutdown_scheduled_ratio, 0);
  change({[path]: 'nonsense\n'});
  t.like(readFailing(sensor, 6000).error, {code: 'SENSOR_FAILED'});
});

test('shutdown: kexec, and the watchdog that is nearest to its end', t => {
  const watchdog = (name: string, state: string, left: number) => ({
    [`sys/class/watchdog/${name}/state`]: `${state}\n`,
    [`sys/class/watchdog/${name}/timeleft`]: `${left}\n`,
    [`sys/class/watchdog/${name}/timeout`]: '60\n',
  });
  const {root} = hostFixture(t, {
    'sys/kernel/kexec_loaded': '1\n',
    ...watchdog('watchdog0', 'active', 45),
    ...watchdog('watchdog1', 'active', 30),
    ...watchdog('watchdog2', 'inactive', 0),
  });
  t.like(readOnce(shutdownSensor(root), 0), {
    kexec_loaded_ratio: 1,
    watchdog_left_ratio: 0.5,
    devices: {watchdog_left_ratio: 'watchdog1'},
  });
});

test('shutdown: a marker, or files of the core that are newer than the boot, ask for a reboot', t => {
  const required = (tree: Tree, uptimeSeconds = 0): number | undefined => {
    const {root} = hostFixture(t, {'run/x': '', 'proc/uptime': `${uptimeSeconds} 1\n`, ...tree});
    return readOnce(shutdownSensor(root), Date.now()).reboot_required_ratio;
  };
  const glibc = {'usr/lib64/libc.so.6': '', 'var/lib/rpm/rpmdb.sqlite': ''};
  t.is(required({}), 0);
  t.is(required({'run/reboot-required': ''}), 1);
  t.is(required({'run/reboot-needed': ''}), 1);
  t.is(required(glibc, 3600), 1);
  t.is(required(glibc, -3600), 0, 'booted after the installation');
  t.is(required({'usr/lib64/libc.so.6': ''}, 3600), 0, 'Debian leaves a marker');
});

for (const [running, installed, isNewer] of [
  ['6.1.0-9-amd64', ['6.1.0-13-amd64', '6.1.0-9-amd64'], true],
  ['6.1.0-13-amd64', ['6.1.0-13-amd64', '6.1.0-9-amd64'], false],
  ['6.8.0-99-generic', ['6.8.0-100-generic'], true],
  ['6.8.0-45-generic', ['6.8.0-100-lowlatency'], false],
  ['6.1.0-9-cloud-amd64', ['6.1.0-13-amd64'], false],
  ['5.14.0-427.13.1.el9_4.x86_64', ['5.14.0-503.11.1.el9_5.x86_64'], true],
  ['5.14.0-503.11.1.el9_5.x86_64', ['5.14.0-503.11.1.el9_5.x86_64+debug'], false],
  ['5.14.0-427.el9.x86_64', ['0-rescue-3d1219c7c4c5404aaa1f6d2a48adfda4'], false],
  ['6.9.0-rc7', ['6.9.0'], true],
  ['6.9.0', ['6.9.0-rc7'], false],
  ['6.4.0-150600.21-default', ['6.4.0-150600.23.7-default'], true],
  ['6.1.0-9-amd64', ['6.1.0-13-amd64.old'], false],
] as const) {
  test(`kernels: on ${running} with ${installed.join(' and ')} there is ${isNewer ? 'a' : 'no'} newer one`, t => {
    t.is(isNewerInstalled(running, installed), isNewer);
  });
}

test('kernels: releases are ordered whichever comes first', t => {
  const release = fc.stringMatching(/^\d{1,2}\.\d{1,2}\.\d{1,2}(-rc\d|-\d{1,3}-(generic|amd64)|)$/);
  fc.assert(
    fc.property(release, release, release, (a, b, c) => {
      t.is(Math.sign(compareReleases(a, b)), -Math.sign(compareReleases(b, a)) + 0 || 0);
      if (compareReleases(a, b) < 0 && compareReleases(b, c) < 0) t.true(compareReleases(a, c) < 0);
    }),
  );
  t.pass();
});

test('kernels: images in /boot count, else modules that are whole; without both nothing is known', t => {
  const osrelease = {'proc/sys/kernel/osrelease': '6.1.0-9-amd64\n'};
  const newer = (tree: Tree): number | undefined => {
    const {root} = hostFixture(t, {...osrelease, ...tree});
    return readOnce(shutdownSensor(root), 0).kernel_newer_installed_ratio;
  };
  t.is(newer({'boot/vmlinuz-6.1.0-13-amd64': ''}), 1);
  t.is(newer({'lib/modules/6.1.0-13-amd64/modules.dep': ''}), 1);
  t.is(newer({'lib/modules/6.1.0-13-amd64/left-over': ''}), Number.NaN);
  t.is(newer({'boot/vmlinuz-6.1.0-9-amd64': '', 'lib/modules/6.1.0-13-amd64/modules.dep': ''}), 0);
  t.is(newer({}), Number.NaN);
});

const running = (id: number, name: string, arguments_ = '') => ({
  [`proc/${id}/comm`]: `${name}\n`,
  [`proc/${id}/cmdline`]: arguments_,
});

test('activity: a package manager that runs is at work; one that waits for the shutdown is not', t => {
  const {root, change} = hostFixture(t, running(1, 'systemd'));
  const sensor = activitySensor(root);
  t.is(readOnce(sensor, 0).package_manager_active_ratio, 0);
  change(running(812, 'unattended-upgr', '/usr/bin/python3\0x\0--wait-for-signal\0'));
  t.is(readOnce(sensor, 10_000).package_manager_active_ratio, 0);
  change(running(900, 'apt-get'));
  t.is(readOnce(sensor, 19_999).package_manager_active_ratio, 0, 'it is looked at every 10 s');
  t.is(readOnce(sensor, 20_000).package_manager_active_ratio, 1);
  change({'proc/900': undefined});
  t.is(readOnce(sensor, 30_000).package_manager_active_ratio, 0);
});

test('activity: a shell that becomes a package manager is seen at the next look', t => {
  const {root, change} = hostFixture(t, running(900, 'bash'));
  const sensor = activitySensor(root);
  readOnce(sensor, 0);
  change(running(900, 'dnf'));
  t.is(readOnce(sensor, 10_000).package_manager_active_ratio, 1);
});

test('activity: a lock that is held is work, by whomever', t => {
  const {root, change} = hostFixture(t, {
    ...running(1, 'systemd'),
    'var/lib/dpkg/lock-frontend': '',
  });
  const {ino} = statSync(join(root, 'var/lib/dpkg/lock-frontend'));
  const sensor = activitySensor(root);
  t.is(readOnce(sensor, 0).package_manager_active_ratio, 0);
  change({'proc/locks': `1: POSIX  ADVISORY  WRITE 900 fe:00:${ino} 0 EOF\n`});
  t.is(readOnce(sensor, 10_000).package_manager_active_ratio, 1);
});

test('activity: sessions of people, and of these root and those who became it', t => {
  const session = (uid: number, more = 'CLASS=user\nSTATE=active\n') =>
    `# This is private data. Do not parse.\nUID=${uid}\nUSER=x\n${more}`;
  const {root, change} = hostFixture(t, {
    'run/systemd/sessions/1': session(0),
    'run/systemd/sessions/2': session(1000),
    'run/systemd/sessions/3': session(1001),
    'run/systemd/sessions/4': session(0, 'CLASS=manager\nSTATE=active\n'),
    'run/systemd/sessions/5': session(0, 'CLASS=user\nSTATE=closing\n'),
    'run/systemd/sessions/6': session(0, 'CLASS=user\nSTATE=active\nSERVICE=cron\n'),
    ...running(1, 'systemd'),
  });
  const sensor = activitySensor(root);
  t.like(readOnce(sensor, 0), {sessions_open: 3, sessions_privileged: 1});
  change(running(50, 'sudo'));
  t.like(readOnce(sensor, 10_000), {sessions_open: 3, sessions_privileged: 2});
  change({...running(51, 'sudo'), ...running(52, 'su'), ...running(53, 'su')});
  t.is(readOnce(sensor, 20_000).sessions_privileged, 3, 'not more than there are');
});

test('activity: without systemd utmp tells of sessions, but for those whose process is gone', t => {
  const {root} = hostFixture(t, {...running(70, 'sshd'), ...running(71, 'sshd'), 'run/x': ''});
  writeBytes(root, 'run/utmp', [
    loginRecord(2, 'reboot', 0, 0),
    loginRecord(7, 'alice', 70, 0),
    loginRecord(7, 'root', 71, 0),
    loginRecord(7, 'bob', 72, 0),
  ]);
  t.like(readOnce(activitySensor(root), 0), {sessions_open: 2, sessions_privileged: 1});
});

test('activity: a utmp of something else is a failure', t => {
  const {root} = hostFixture(t, {...running(1, 'init'), 'run/utmp': 'not records '.repeat(100)});
  const {readings, error} = readFailing(activitySensor(root), 0);
  t.like(error, {code: 'SENSOR_FAILED'});
  t.is(readings.package_manager_active_ratio, 0);
});

test('activity: a process that goes while it is looked at is nobody', t => {
  const {root} = hostFixture(t, running(1, 'init'));
  symlinkSync('/nowhere', join(root, 'proc/2'));
  t.is(readOnce(activitySensor(root), 0).package_manager_active_ratio, 0);
});
