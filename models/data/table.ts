import {access} from 'node:fs/promises';
import {ForestayError} from '../../core/domain/errors.ts';
import {parseValue, readLines, splitFields} from './csv.ts';

/** A CSV file by columns; all columns are as long as `rows`. */
export type TextTable = {
  readonly path: string;
  readonly header: readonly string[];
  readonly rows: number;
  /** The texts of a column. @throws {ForestayError} `TRAINING_DATA_INVALID` if there is not one. */
  texts(name: string): readonly string[];
  /** The numbers of a column; NaN where empty. @throws as `texts`, also for what is no number. */
  numbers(name: string): Float64Array;
};

/**
 * Reads a whole CSV file, with a header, plain or gzipped. Empty lines at its end are none, unless
 * it has but one column: then they are missing values.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` when it cannot be read, is cut off, or a row has
 *   another number of fields than the header.
 */
export async function readTable(path: string): Promise<TextTable> {
  const columns: string[][] = [];
  let header: readonly string[] = [];
  let rows = 0;
  let emptyLine = 0;
  try {
    for await (const {line, text} of readLines(path)) {
      if (text === '' && header.length > 1) {
        emptyLine ||= line;
        continue;
      }
      const fields = splitFields(emptyLine === 0 ? text : '');
      if (line === 1) {
        header = fields ?? [];
        columns.push(...header.map(() => []));
      } else if (fields?.length === header.length) {
        rows++;
        for (const [index, field] of fields.entries()) (columns[index] as string[]).push(field);
      } else {
        const count = fields?.length ?? 'broken';
        throw invalid(path, `line ${emptyLine || line} has ${count} fields, not ${header.length}`);
      }
    }
  } catch (cause) {
    if (cause instanceof ForestayError && cause.code === 'TRAINING_DATA_INVALID') throw cause;
    throw invalid(path, 'it cannot be read to its end', cause);
  }
  if (header.length === 0 || rows === 0)
    throw invalid(path, `it has ${rows} rows below its header`);
  const texts = (name: string) => {
    const index = header.indexOf(name);
    if (index < 0) throw invalid(path, `it has no column ${name}, only ${header.join(', ')}`);
    const times = header.filter(other => other === name).length;
    if (times > 1) throw invalid(path, `it has column ${name} ${times} times`);
    return columns[index] as string[];
  };
  const numbers = (name: string) =>
    Float64Array.from(texts(name), (text, row) => {
      const value = parseValue(text);
      if (value !== undefined) return value;
      throw invalid(path, `row ${row + 1} of ${name} is "${text}", which is no number`);
    });
  return {path, header, rows, texts, numbers};
}

/** The file itself, or the same with `.gz`; undefined if neither is there. */
export async function findTable(path: string): Promise<string | undefined> {
  for (const name of [path, `${path}.gz`]) {
    if (
      await access(name).then(
        () => true,
        () => false,
      )
    )
      return name;
  }
  return undefined;
}

/** {@link readTable} of a file that may be gzipped. */
export async function readTableAt(path: string): Promise<TextTable> {
  const found = await findTable(path);
  if (found === undefined) throw invalid(path, 'neither it nor the same with .gz is there');
  return readTable(found);
}

function invalid(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot use ${path}: ${reason}; check the file against its layout (docs/how-to/backtest.md; of rows to train on docs/how-to/train.md)`,
    {details: {path}, cause},
  );
}
