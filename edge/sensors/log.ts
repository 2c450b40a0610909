import type {Sensor} from '../sensor.ts';
import type {Journal} from './journal.ts';
import {createKernelMessages} from './kernel-messages.ts';
import {classifyLogLine, createServiceReader, LOG_CLASSES, type LogLine} from './log-classes.ts';
import {createMinuteCounts} from './minute-counts.ts';
import {createAttempts} from './procfs.ts';
import {slowSensor} from './slow.ts';
import {parseSyslogLine} from './syslog-line.ts';
import {createTextLog} from './text-log.ts';

const everyMs = 5_000;

/**
 * Counts of the last minute: errors, faults by what they are of, stalls, services that were
 * restarted or failed. From the journal if it is given, else the first of syslog, messages and
 * kern.log, else the kernel's own buffer, which knows of no services. No text leaves the sensor.
 */
export function logSensor(root: string, journal?: Journal): Sensor {
  const counts = createMinuteCounts([...LOG_CLASSES, 'restarted', 'failed']);
  const readService = createServiceReader();
  const textLog = (name: string) => createTextLog(`${root}/var/log/${name}`);
  const logs = [textLog('syslog'), textLog('messages')];
  const kernelLog = textLog('kern.log');
  const kernel = createKernelMessages(`${root}/dev/kmsg`);
  let lastMs = 0;

  const count = (line: LogLine): void => {
    for (const kind of classifyLogLine(line)) counts.add(kind, lastMs);
    const change = line.tag === 'systemd' ? readService(line.message, lastMs) : undefined;
    if (change !== undefined) counts.add(change, lastMs);
  };
  const countText = (line: string): void => {
    const parsed = parseSyslogLine(line);
    if (parsed !== undefined) count({...parsed, priority: undefined});
  };
  journal?.onEntry(count);

  const columns = [
    ...LOG_CLASSES.map(kind => `log_${kind}_per_minute`),
    'services_restarted_per_minute',
    'services_failed_per_minute',
  ];
  const sensor = slowSensor({name: 'log', columns}, everyMs, (nowMs, row) => {
    lastMs = nowMs;
    const attempts = createAttempts();
    let seesServices = false;
    let seesKernel = false;
    attempts.attempt(() => {
      journal?.poll(nowMs);
      seesServices = journal?.isOpen ?? logs.some(log => log.read(countText));
      seesKernel = seesServices;
      if (journal === undefined && !seesKernel)
        seesKernel = kernelLog.read(countText) || kernel.read(count);
    });
    if (seesKernel)
      for (const kind of LOG_CLASSES)
        row.set(`log_${kind}_per_minute`, counts.perMinute(kind, nowMs));
    if (seesServices) {
      row.set('services_restarted_per_minute', counts.perMinute('restarted', nowMs));
      row.set('services_failed_per_minute', counts.perMinute('failed', nowMs));
    }
    attempts.rethrow();
  });
  const close = (): void => {
    journal?.close();
    kernel.close();
    for (const log of [...logs, kernelLog]) log.close();
  };
  return {...sensor, close};
}
