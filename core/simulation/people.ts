/** What people and programs are doing on a host, and what waits for its next boot. */

/** Counts of the last minute, each decayed; by position in {@link People.minute}. */
export const COUNTERS = [
  'power',
  'package',
  'service',
  'kernel',
  'storage',
  'vm',
  'other',
  'errors',
  'cpu-faults',
  'memory-faults',
  'disk-faults',
  'network-faults',
  'power-faults',
  'stalls',
  'services-restarted',
  'services-failed',
] as const;
export type Counter = (typeof COUNTERS)[number];
/** The first so many counters are classes of commands. */
export const COMMANDS = 7;

export const CHANGES = ['kernel', 'firmware', 'package', 'resize', 'migration'] as const;
export type Change = (typeof CHANGES)[number];

export type People = {
  sessions: number;
  privileged: number;
  /** Package managers at work, with somebody at the keyboard or not. */
  packageManagers: number;
  rebootRequired: number;
  kernelNewer: number;
  kexecLoaded: number;
  /** When scheduled shutdowns are due. */
  readonly shutdownsMs: number[];
  /** When a watchdog that nobody feeds any more bites; NaN: it is fed. */
  watchdogAtMs: number;
  /** Since when and until when the balancer takes connections away; NaN: it does not. */
  drainFromMs: number;
  drainUntilMs: number;
  /** Firmware that waits for the boot. */
  firmwareNewer: number;
  readonly minute: Float64Array;
};

export function nobody(): People {
  return {
    sessions: 0,
    privileged: 0,
    packageManagers: 0,
    rebootRequired: 0,
    kernelNewer: 0,
    kexecLoaded: 0,
    shutdownsMs: [],
    watchdogAtMs: Number.NaN,
    drainFromMs: Number.NaN,
    drainUntilMs: Number.NaN,
    firmwareNewer: 0,
    minute: new Float64Array(COUNTERS.length),
  };
}

/** Something that somebody does: a state that is set or changed by `amount`, or so many events. */
export type Step = {
  readonly atMs: number;
  readonly does:
    | 'session'
    | 'privileged'
    | 'package-manager'
    | 'reboot-required'
    | 'kernel-newer'
    | 'firmware-newer'
    | 'kexec-loaded'
    | 'shutdown'
    | 'shutdown-cancelled'
    | 'watchdog'
    | 'drain'
    | `changed-${Change}`
    | Counter;
  /** Events; sessions more or less; a flag; when the shutdown, the watchdog or the drain is due. */
  readonly amount: number;
};

export type ChangeTimes = Record<Change, number>;

export function applyStep(people: People, changes: ChangeTimes, step: Step): void {
  const {does, amount} = step;
  switch (does) {
    case 'session':
      people.sessions += amount;
      break;
    case 'privileged':
      people.privileged += amount;
      break;
    case 'package-manager':
      people.packageManagers += amount;
      break;
    case 'reboot-required':
      people.rebootRequired = amount;
      break;
    case 'kernel-newer':
      people.kernelNewer = amount;
      break;
    case 'firmware-newer':
      people.firmwareNewer = amount;
      break;
    case 'kexec-loaded':
      people.kexecLoaded = amount;
      break;
    case 'shutdown':
      people.shutdownsMs.push(amount);
      break;
    case 'shutdown-cancelled':
      people.shutdownsMs.splice(people.shutdownsMs.indexOf(amount) >>> 0, 1);
      break;
    case 'watchdog':
      people.watchdogAtMs = amount;
      break;
    case 'drain':
      people.drainFromMs = step.atMs;
      people.drainUntilMs = amount;
      break;
    case 'changed-kernel':
    case 'changed-firmware':
    case 'changed-package':
    case 'changed-resize':
    case 'changed-migration':
      changes[does.slice('changed-'.length) as Change] = step.atMs;
      break;
    default:
      count(people, does, amount);
  }
}

export function count({minute}: People, counter: Counter, events: number): void {
  const at = COUNTERS.indexOf(counter);
  minute[at] = (minute[at] as number) + events;
}

/** Lets the counts of the last minute fade. */
export function fadeCounts({minute}: People, seconds: number): void {
  const left = Math.exp(-seconds / 60);
  for (let at = 0; at < minute.length; at++) {
    const value = (minute[at] as number) * left;
    minute[at] = value < 1e-3 ? 0 : value;
  }
}
