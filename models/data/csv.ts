/** Recorded data as text: read in pieces, split and understood strictly. */
import {createReadStream} from 'node:fs';
import {pipeline, type Readable} from 'node:stream';
import {createGunzip} from 'node:zlib';
import {ForestayError} from '../../core/domain/errors.ts';

const LINE_CHARACTERS_MAX = 1024 * 1024;

/** The file's lines, with their numbers from 1; nothing of line ends and byte order marks. */
export async function* readLines(path: string): AsyncGenerator<{line: number; text: string}> {
  let line = 0;
  let rest = '';
  try {
    for await (const chunk of openText(path)) {
      const pieces = (line === 0 ? (rest + chunk).replace(/^\ufeff/, '') : rest + chunk).split(
        '\n',
      );
      rest = pieces.pop() as string;
      if (rest.length > LINE_CHARACTERS_MAX) {
        throw unreadable(path, `line ${line + 1} has more than ${LINE_CHARACTERS_MAX} characters`);
      }
      for (const piece of pieces) yield {line: ++line, text: piece.replace(/\r$/, '')};
    }
  } catch (error) {
    if (error instanceof ForestayError) throw error;
    throw unreadable(path, (error as Error).message, error);
  }
  const last = rest.replace(/\r$/, '');
  if (last !== '') yield {line: ++line, text: last};
}

function openText(path: string): Readable {
  const file = createReadStream(path);
  if (!path.endsWith('.gz')) return file.setEncoding('utf8');
  // An error of either stream ends the loop over the last one.
  return pipeline(file, createGunzip(), () => {}).setEncoding('utf8');
}

/** Fields of a line; quotes as in RFC 4180. Undefined if a quote is not closed. */
export function splitFields(text: string): string[] | undefined {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  while (pattern.lastIndex <= text.length) {
    const match = pattern.exec(text);
    if (match === null) return undefined;
    fields.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
    if (match[3] === '') return fields;
  }
  return undefined;
}

/** A number; NaN for a missing value; undefined for anything else. */
export function parseValue(field: string): number | undefined {
  const text = field.trim();
  if (text === '' || /^(nan|null|na)$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf(inity)?$/i.test(text)) {
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** Below it a number counts seconds since 1970 (until the year 5138), from it on milliseconds. */
const SECONDS_MAX = 1e11;

/** Milliseconds since 1970; a time without a zone is UTC. Undefined for what is no time. */
export function parseTime(field: string): number | undefined {
  const text = field.trim();
  const value = parseValue(text);
  if (value !== undefined) {
    if (!Number.isFinite(value) || value < 0) return undefined;
    return value < SECONDS_MAX ? value * 1000 : value;
  }
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, day, time = '00:00', zone = 'Z'] = match;
  const ms = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}

function unreadable(path: string, why: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot read ${path}: ${why}; give a file of text, or of text that was gzipped (.gz)`,
    {details: {path}, cause},
  );
}
