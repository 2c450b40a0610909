import {existsSync, statSync} from 'node:fs';
import type {Sensor} from '../sensor.ts';
import {readLoginRecords} from './login-records.ts';
import {createProcesses} from './processes.ts';
import {createAttempts, listNames, readText} from './procfs.ts';
import {slowSensor} from './slow.ts';

const everyMs = 10_000;

const managers = new Set(
  'apt apt-get aptitude dpkg dnf dnf-3 dnf5 dnf-automatic yum rpm zypper tdnf pacman apk unattended-upgr packagekitd'.split(
    ' ',
  ),
);
const elevators = new Set(['sudo', 'su', 'doas', 'pkexec']);
/** Held while a package manager writes. */
const locks = [
  'var/lib/dpkg/lock-frontend',
  'var/lib/dpkg/lock',
  'var/lib/apt/lists/lock',
  'var/lib/rpm/.rpm.lock',
  'usr/lib/sysimage/rpm/.rpm.lock',
];
const sessionsMax = 512;

/**
 * What people and their tools do on this host: whether a package manager works (a lock is held, or
 * one runs), sessions open, and of these the privileged: root's own, and as many others as have a
 * root's command or shell running. Only numbers.
 */
export function activitySensor(root: string): Sensor {
  const processes = createProcesses(root, (name, id) =>
    managers.has(name) ? !isWaiting(root, id) : elevators.has(name),
  );
  const columns = ['package_manager_active_ratio', 'sessions_open', 'sessions_privileged'];
  return slowSensor({name: 'activity', columns}, everyMs, (_nowMs, row) => {
    const attempts = createAttempts();
    const running = processes.count();
    const countOf = (names: ReadonlySet<string>): number =>
      [...names].reduce((sum, name) => sum + (running?.get(name) ?? 0), 0);
    attempts.attempt(() => {
      if (running === undefined) return;
      const isActive = countOf(managers) > 0 || isLockHeld(root);
      row.set('package_manager_active_ratio', Number(isActive));
    });
    attempts.attempt(() => {
      const sessions = readSessions(root);
      if (sessions === undefined) return;
      const own = sessions.filter(session => session.isRoot).length;
      row.set('sessions_open', sessions.length);
      row.set('sessions_privileged', own + Math.min(sessions.length - own, countOf(elevators)));
    });
    attempts.rethrow();
  });
}

/** Ubuntu keeps one of its upgrader all the time, which only waits for the shutdown. */
function isWaiting(root: string, id: number): boolean {
  return readText(`${root}/proc/${id}/cmdline`)?.includes('--wait-for-signal') ?? false;
}

/** /proc/locks names a file by its inode. */
function isLockHeld(root: string): boolean {
  const held = readText(`${root}/proc/locks`);
  if (held === undefined) return false;
  const inodes = new Set([...held.matchAll(/ [0-9a-f]+:[0-9a-f]+:(\d+) /g)].map(match => match[1]));
  return locks.some(lock => {
    const stat = statSync(`${root}/${lock}`, {throwIfNoEntry: false});
    return stat !== undefined && inodes.has(String(stat.ino));
  });
}

type Session = {isRoot: boolean};

/** From systemd's own files, else from utmp; undefined without either. */
function readSessions(root: string): Session[] | undefined {
  const folder = `${root}/run/systemd/sessions`;
  if (existsSync(folder))
    return listNames(folder, /^\w+$/)
      .slice(0, sessionsMax)
      .flatMap(name => {
        const text = readText(`${folder}/${name}`) ?? '';
        const field = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1];
        // Managers, greeters and jobs of cron are nobody who sits there.
        const isPerson = field('CLASS') === 'user' && field('STATE') !== 'closing';
        const isJob = field('SERVICE') === 'cron' || field('SERVICE') === 'crond';
        return isPerson && !isJob ? [{isRoot: field('UID') === '0'}] : [];
      });
  return readLoginRecords(`${root}/run/utmp`)
    ?.filter(({kind, processId}) => kind === 'session' && existsSync(`${root}/proc/${processId}`))
    .map(({user}) => ({isRoot: user === 'root'}));
}
