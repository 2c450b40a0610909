/** Folders of recorded data as rows of hosts, in the order of time. */
import {readdirSync} from 'node:fs';
import {join, matchesGlob} from 'node:path';
import {ForestayError} from '../core/domain/errors.ts';
import {fnv1a32} from '../core/domain/hash.ts';
import {type MetricSet, metricSet} from '../core/domain/metric-sets.ts';
import {parseTime, parseValue, readLines, splitFields} from '../models/data/csv.ts';
import type {Mapping} from './replay-mapping.ts';

export type ReplayRow = {
  host: string;
  atMs: number;
  set: MetricSet;
  /** In the order of the set's columns; NaN is missing. */
  values: readonly number[];
};

export type Format = 'smd' | 'csv';

/** Files that follow one another in time. */
export type Recording = {host: string; paths: readonly string[]};

/** Called for a row that cannot be understood; throw to stop there. */
export type BadRow = (error: ForestayError) => void;

const HOST = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const FILES: Readonly<Record<Format, {pattern: RegExp; words: string}>> = {
  smd: {
    pattern: /^(machine-\d+-\d+)_(?:train|test)\.csv(?:\.gz)?$/,
    words: 'machine-X-Y_train.csv or machine-X-Y_test.csv',
  },
  csv: {pattern: /^(.+?)\.csv(?:\.gz)?$/, words: 'NAME.csv'},
};

/** The recordings of a folder. Throws `INVALID_ARGUMENT` if there are none. */
export function findRecordings(folder: string, format: Format, glob = '*'): Recording[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter(name => matchesGlob(name, glob));
  } catch (error) {
    throw invalid(`cannot read the folder ${folder}: ${(error as Error).message}`, error);
  }
  const paths = new Map<string, string[]>();
  // The first two weeks of a machine are its `train`, the next its `test`.
  for (const name of names.sort().reverse()) {
    const host = FILES[format].pattern.exec(name)?.[1];
    if (host === undefined) continue;
    paths.set(host, [...(paths.get(host) ?? []), join(folder, name)]);
  }
  if (paths.size === 0) {
    const among = glob === '*' ? '' : ` of those that match ${glob}`;
    throw invalid(
      `nothing to replay in ${folder}: no file${among} is called ${FILES[format].words} (or .csv.gz)`,
    );
  }
  return [...paths].map(([host, of]) => ({host, paths: of})).reverse();
}

/**
 * All rows, merged by time; rows of one recording keep their order. Reads as far as rows are taken.
 * Throws `INVALID_ARGUMENT` for a header or a file that cannot be used.
 */
export async function* mergeRows(
  recordings: readonly Recording[],
  mapping: Mapping,
  badRow: BadRow,
): AsyncGenerator<ReplayRow> {
  const heads: {row: ReplayRow; rest: AsyncGenerator<ReplayRow>}[] = [];
  try {
    for (const recording of recordings) {
      const rest = readRecording(recording, mapping, badRow);
      const first = await rest.next();
      if (!first.done) heads.push({row: first.value, rest});
    }
    while (heads.length > 0) {
      const earliest = heads.reduce((a, b) => (b.row.atMs < a.row.atMs ? b : a));
      yield earliest.row;
      const next = await earliest.rest.next();
      if (next.done) heads.splice(heads.indexOf(earliest), 1);
      else earliest.row = next.value;
    }
  } finally {
    // Who takes no more rows lets go of the files.
    for (const {rest} of heads) await rest.return(undefined);
  }
}

async function* readRecording(
  {host, paths}: Recording,
  mapping: Mapping,
  badRow: BadRow,
): AsyncGenerator<ReplayRow> {
  /** Rows of each host so far: their time, if they have none of their own. */
  const counts = new Map<string, number>();
  const startMs = Date.parse(mapping.start);
  for (const path of paths) {
    let header: Header | undefined;
    for await (const {line, text} of readLines(path)) {
      const at = `${path}:${line}`;
      if (header === undefined) {
        header = readHeader(at, text, mapping);
        continue;
      }
      try {
        const row = readRow(at, text, header, host);
        const count = counts.get(row.host) ?? 0;
        counts.set(row.host, count + 1);
        row.atMs ??= startMs + count * mapping.intervalSeconds * 1000;
        yield {...row, atMs: row.atMs};
      } catch (error) {
        if (!(error instanceof ForestayError)) throw error;
        badRow(error);
      }
    }
    if (header === undefined)
      throw invalid(`${path} is empty: its first line must name its columns`);
  }
}

type Header = {
  fields: readonly string[];
  set: MetricSet;
  /** Where the set's columns are. */
  valueIndexes: readonly number[];
  timeIndex: number;
  hostIndex: number;
};

function readHeader(at: string, text: string, mapping: Mapping): Header {
  const fields = splitFields(text)?.map(field => field.trim()) ?? [];
  const indexOf = (name: string | undefined): number => {
    const index = name === undefined ? -1 : fields.indexOf(name);
    if (index < 0 && name !== undefined) throw invalid(`${at}: no column is called ${name}`);
    return index;
  };
  const timeIndex = indexOf(
    mapping.timestamp ?? (fields.includes('timestamp') ? 'timestamp' : undefined),
  );
  const hostIndex = indexOf(mapping.host);
  for (const name of Object.keys(mapping.columns)) indexOf(name);
  const valueIndexes = fields
    .keys()
    .filter(index => index !== timeIndex && index !== hostIndex)
    .filter(index => !mapping.ignore.includes(fields[index] as string))
    .toArray();
  const columns = valueIndexes.map(index => {
    const field = fields[index] as string;
    return mapping.columns[field] ?? field;
  });
  const wrong = columns.find((column, index) => column === '' || columns.indexOf(column) !== index);
  if (wrong !== undefined || columns.length === 0) {
    throw invalid(`${at}: ${JSON.stringify(wrong ?? text)} is repeated or no name of a column`);
  }
  const hash = fnv1a32(columns.join('\n')).toString(16).padStart(8, '0');
  const set = metricSet(mapping.metricSet ?? `csv.${hash}`, 'host', columns);
  return {fields, set, valueIndexes, timeIndex, hostIndex};
}

type PlainRow = Omit<ReplayRow, 'atMs'> & {atMs: number | undefined};

function readRow(at: string, text: string, header: Header, fileHost: string): PlainRow {
  const {fields: names, set, valueIndexes, timeIndex, hostIndex} = header;
  const fields = splitFields(text);
  if (fields?.length !== names.length) {
    const found = fields === undefined ? 'a quote is not closed' : `${fields.length} fields`;
    throw invalid(`${at}: ${found}, the header names ${names.length}`);
  }
  const host = hostIndex < 0 ? fileHost : (fields[hostIndex] as string).trim();
  if (!HOST.test(host)) throw invalid(`${at}: ${JSON.stringify(host)} is no name of a host`);
  const timeField = timeIndex < 0 ? undefined : (fields[timeIndex] as string);
  const atMs = timeField === undefined ? undefined : parseTime(timeField);
  if (timeField !== undefined && atMs === undefined) {
    throw invalid(`${at}: ${JSON.stringify(timeField)} in column ${names[timeIndex]} is no time`);
  }
  const values = valueIndexes.map(index => {
    const value = parseValue(fields[index] as string);
    if (value !== undefined) return value;
    throw invalid(
      `${at}: ${JSON.stringify(fields[index])} in column ${names[index]} is no number; correct it, ` +
        'or leave the column out (`ignore` of the mapping)',
    );
  });
  return {host, set, atMs, values};
}

function invalid(message: string, cause?: unknown): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', message, {cause});
}
