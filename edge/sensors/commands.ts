import type {Sensor} from '../sensor.ts';
import {COMMAND_CLASSES, type CommandClass} from './command-classes.ts';
import {createCommandHistory} from './command-history.ts';
import {classOfAuthLine, classOfMessage, createAuditReader} from './command-records.ts';
import type {History} from './history.ts';
import type {Journal} from './journal.ts';
import {createMinuteCounts} from './minute-counts.ts';
import {createAttempts, readText} from './procfs.ts';
import {slowSensor} from './slow.ts';
import {createTextLog} from './text-log.ts';

const everyMs = 5_000;
const keepEveryMs = 60_000;

/**
 * How many privileged commands of each class were run in the last minute, and how often such
 * commands were followed by a boot before. From the journal if it is given, else auth.log or
 * secure; from the audit log as well if it records what people start. Nothing of a command but its
 * class leaves the function that reads it. Without any of them all is NaN.
 */
export function commandsSensor(root: string, kept: History, journal?: Journal): Sensor {
  const counts = createMinuteCounts(COMMAND_CLASSES);
  const history = createCommandHistory(kept.load());
  const authLogs = ['auth.log', 'secure'].map(name => createTextLog(`${root}/var/log/${name}`));
  const audit = createTextLog(`${root}/var/log/audit/audit.log`);
  const readAudit = createAuditReader();
  let lastMs = 0;
  let keptMs = Number.NaN;
  let isChanged = false;
  // Commands that sudo starts are in the audit log too, if any are: then that alone counts.
  let isAudited = false;

  const count = (kind: CommandClass | undefined): void => {
    if (kind === undefined) return;
    counts.add(kind, lastMs);
    if (history.add(kind, lastMs)) isChanged = true;
  };
  journal?.onEntry(({tag, message}) => {
    if (!isAudited) count(classOfMessage(tag, message));
  });

  const readLogs = (): boolean => {
    const attempts = createAttempts();
    let isKnown = journal?.isOpen ?? false;
    attempts.attempt(() => {
      const isThere = audit.read(line => {
        const kind = readAudit(line);
        if (kind !== undefined) isAudited = true;
        count(kind);
      });
      if (isThere) isKnown = true;
    });
    for (const log of journal === undefined ? authLogs : [])
      attempts.attempt(() => {
        const isThere = log.read(line => {
          if (!isAudited) count(classOfAuthLine(line));
        });
        if (isThere) isKnown = true;
      });
    attempts.rethrow();
    return isKnown;
  };
  const keep = (): void => {
    if (!isChanged || Math.abs(lastMs - keptMs) < keepEveryMs) return;
    keptMs = lastMs;
    isChanged = false;
    kept.keep(history.toKeep());
  };
  const columns = [
    ...COMMAND_CLASSES.map(kind => `commands_${kind}_per_minute`),
    'commands_reboot_affinity_ratio',
  ];
  const sensor = slowSensor({name: 'commands', columns}, everyMs, (nowMs, row) => {
    lastMs = nowMs;
    if (!readLogs()) return;
    const uptimeSeconds = Number.parseFloat(readText(`${root}/proc/uptime`) ?? 'NaN');
    if (uptimeSeconds >= 0 && history.addBoot(nowMs - uptimeSeconds * 1000)) isChanged = true;
    for (const kind of COMMAND_CLASSES)
      row.set(`commands_${kind}_per_minute`, counts.perMinute(kind, nowMs));
    row.set('commands_reboot_affinity_ratio', history.rebootAffinity(nowMs));
    keep();
  });
  const close = (): void => {
    for (const log of [...authLogs, audit]) log.close();
  };
  return {...sensor, close};
}
