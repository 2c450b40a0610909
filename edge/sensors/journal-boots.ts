import type {Run} from '../probe.ts';
import type {Tool} from '../probe-tool.ts';
import {type Boots, bootsOfLives, type JournalLife} from './boot-records.ts';
import {garbled} from './procfs.ts';

/** What journald says last. @see man 7 sd-messages: SD_MESSAGE_JOURNAL_STOP */
const stopMessage = 'd93fb3c9c24d451a97cea615ce59c00b';
const listBoots = ['--list-boots', '--quiet', '--output=json'];
const listStops = [
  '--quiet',
  '--output=json',
  '--output-fields=_BOOT_ID',
  `MESSAGE_ID=${stopMessage}`,
];
const livesMax = 200;

/** Boots as the journal knows them. Errors: `SENSOR_FAILED`. */
export async function askJournalBoots(journalctl: Tool, {signal}: Run): Promise<Boots> {
  const lives = await journalctl.run(listBoots, signal);
  const stops = await journalctl.run(listStops, signal);
  return bootsOfLives(parseLives(lives.text), parseStops(stops.text));
}

/** A JSON array; older versions print a table whatever they are told, which is refused. */
export function parseLives(text: string): JournalLife[] {
  const list = parse(text);
  if (!Array.isArray(list)) throw garbled('journalctl --list-boots', text);
  return list.slice(-livesMax).map(life => {
    const {boot_id: id, first_entry: first, last_entry: last} = Object(life);
    if (typeof id !== 'string' || !Number.isFinite(first) || !Number.isFinite(last))
      throw garbled('journalctl --list-boots', JSON.stringify(life));
    return {id, firstMs: first / 1000, lastMs: last / 1000};
  });
}

/** One JSON object a line. */
export function parseStops(text: string): {id: string; atMs: number}[] {
  return text.split('\n').flatMap(line => {
    const {_BOOT_ID: id, __REALTIME_TIMESTAMP: at} = Object(line === '' ? undefined : parse(line));
    return typeof id === 'string' && Number(at) > 0 ? [{id, atMs: Number(at) / 1000}] : [];
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
