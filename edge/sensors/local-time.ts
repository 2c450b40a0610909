import {readlinkSync} from 'node:fs';

/**
 * Gives the distance of the host's zone from UTC in ms, positive to the east, at a time: of the zone that
 * /etc/localtime below `root` links to, else of this process.
 */
export function createLocalTime(root: string): (nowMs: number) => number {
  const format = formatOf(zoneOf(root));
  return nowMs => {
    if (format === undefined) return -new Date(nowMs).getTimezoneOffset() * 60_000;
    const part = format.formatToParts(nowMs).find(({type}) => type === 'timeZoneName');
    const [, sign, hours, minutes] = /GMT([+-])(\d+):(\d+)/.exec(part?.value ?? '') ?? [];
    const ms = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
    return sign === '-' ? -ms : ms;
  };
}

function zoneOf(root: string): string | undefined {
  try {
    return /zoneinfo\/(.+)$/.exec(readlinkSync(`${root}/etc/localtime`))?.[1];
  } catch {
    return undefined;
  }
}

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat | undefined {
  if (timeZone === undefined) return undefined;
  try {
    return new Intl.DateTimeFormat('en-US', {timeZone, timeZoneName: 'longOffset'});
  } catch {
    return undefined;
  }
}
