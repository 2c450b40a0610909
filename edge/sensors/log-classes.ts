/** What lines of the log are counted as. */
export const LOG_CLASSES = [
  'errors',
  'cpu_faults',
  'memory_faults',
  'disk_faults',
  'network_faults',
  'power_faults',
  'stalls',
] as const;

export type LogClass = (typeof LOG_CLASSES)[number];

/** The first that matches; memory before CPU, since both are told by machine checks. */
const faults: readonly (readonly [LogClass, RegExp])[] = [
  [
    'stalls',
    /blocked for more than \d+ seconds|soft lockup|hard lockup|rcu.*(detected stalls?|self-detected stall)|out of memory|oom-kill|invoked oom-killer|watchdog: BUG|workqueue lockup/i,
  ],
  [
    'memory_faults',
    /EDAC .*(\bCE\b|\bUE\b|error)|memory failure|hwpoison|corrected (memory|DRAM) error|uncorrected.*memory|DRAM ECC error|memory (read|scrubbing) error/i,
  ],
  [
    'cpu_faults',
    /machine check|\bmce:.*(hardware error|CPU \d+|events? logged)|\[hardware error\]|temperature above threshold|clock throttled|thermal.*(critical|shutdown)/i,
  ],
  [
    'disk_faults',
    /I\/O error|medium error|critical (medium|target|space allocation) error|ata\d+(\.\d+)?: (hard resetting|soft resetting|exception|failed command|SError|.*link is slow)|nvme.*(timeout|controller is down|resetting controller|abort status|I\/O \d+ QID)|(EXT4-fs|XFS|BTRFS).*(error|corrupt|shutdown|forced readonly)|rejecting I\/O|task abort|unrecovered read|remounting filesystem read-only|currently unreadable|prefailure/i,
  ],
  [
    'network_faults',
    /link is (down|not ready)|NIC link is down|link down|NETDEV WATCHDOG|transmit queue \d+ timed out|detected tx unit hang|carrier lost|lost carrier|tx timeout|adapter reset/i,
  ],
  [
    'power_faults',
    /power suppl(y|ies).*(fail|lost|fault|removed|remove)|over-?current|under-?voltage|AC (power )?lost|power (failure|lost|redundancy lost)|PSU.*(fail|fault)/i,
  ],
];

/** Programs that speak of hardware: the kernel and those that read it for people. */
const hardwareTags = /^(kernel|mcelog|rasdaemon|smartd|ipmievd|ipmiseld|multipathd)$/;
const errorText = /\b(error|failed|failure|fatal|panic|critical|segfault|cannot|unable to)\b/i;
const errorPriority = 3;
const textMax = 2_048;

export type LogLine = {
  tag: string;
  message: string;
  /** 0 to 7; undefined in text logs, where words stand in for it. */
  priority: number | undefined;
};

/** The classes of a line: `errors` by itself, and at most one of the others. */
export function classifyLogLine({tag, message, priority}: LogLine): LogClass[] {
  const text = message.slice(0, textMax);
  const isError = priority === undefined ? errorText.test(text) : priority <= errorPriority;
  const classes: LogClass[] = isError ? ['errors'] : [];
  const fault = hardwareTags.test(tag)
    ? faults.find(([, pattern]) => pattern.test(text))
    : undefined;
  if (fault !== undefined) classes.push(fault[0]);
  return classes;
}

export type ServiceChange = 'restarted' | 'failed';

const stopsMax = 64;
const restartMs = 60_000;

/**
 * Reads what the service manager says: a restart it has scheduled, or a service that is started
 * within a minute after it was stopped; and what failed. Names stay inside.
 */
export function createServiceReader(): (
  message: string,
  nowMs: number,
) => ServiceChange | undefined {
  const stopped = new Map<string, number>();
  let isScheduled = false;
  return (message, nowMs) => {
    if (/: Scheduled restart job/.test(message)) {
      isScheduled = true;
      return 'restarted';
    }
    if (/: Failed with result |: Unit entered failed state|^Failed to start /.test(message))
      // The first says it of whatever fails; the last repeats it for people.
      return /^Failed to start /.test(message) ? undefined : 'failed';
    const [, act, service] = /^(Stopped|Started) (.*?)\.?$/.exec(message) ?? [];
    if (service === undefined) return undefined;
    if (act === 'Stopped') {
      // The stop that belongs to a scheduled restart was counted with it.
      if (!isScheduled) stopped.set(service, nowMs);
      isScheduled = false;
      if (stopped.size > stopsMax) stopped.delete(stopped.keys().next().value as string);
      return undefined;
    }
    const stoppedMs = stopped.get(service);
    stopped.delete(service);
    return stoppedMs !== undefined && nowMs - stoppedMs <= restartMs ? 'restarted' : undefined;
  };
}
