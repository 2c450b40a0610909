import {createHash} from 'node:crypto';
import {appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync} from 'node:fs';
import {join} from 'node:path';
import {ForestayError} from '../../core/domain/errors.ts';

/** Results of finished tasks, by what was asked: a training that was stopped goes on behind them. */
export type Results = {
  readonly known: number;
  get(key: string): unknown;
  /** Durable when it returns, short of a power cut. */
  put(key: string, value: unknown): void;
};

/**
 * Opens the results in `folder`. Those of a training with other options are refused; half a line at
 * the end, as a kill leaves it, is cut off.
 *
 * @param options All that results depend on: data, seed, code version. Plain JSON.
 * @throws {ForestayError} `INVALID_ARGUMENT` if the folder is of another training, or damaged.
 */
export function openResults(folder: string, options: unknown): Results {
  mkdirSync(folder, {recursive: true});
  const path = join(folder, 'results.ndjson');
  const head = createHash('sha256').update(JSON.stringify(options)).digest('hex');
  const [first, ...lines] = readWhole(path);
  if (first === undefined) appendFileSync(path, `${JSON.stringify({head, options})}\n`);
  else if (parse(folder, first).head !== head) throw foreign(folder);
  const results = new Map<string, unknown>();
  for (const line of lines) {
    const {key, value} = parse(folder, line);
    if (typeof key !== 'string') throw damaged(folder);
    results.set(key, value);
  }
  return {
    known: results.size,
    get: key => results.get(key),
    put(key, value) {
      results.set(key, value);
      appendFileSync(path, `${JSON.stringify({key, value})}\n`);
    },
  };
}

/** Whole lines; what a kill left of another is cut off. */
function readWhole(path: string): string[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  return whole.split('\n').filter(line => line !== '');
}

function parse(folder: string, line: string): {head?: unknown; key?: unknown; value?: unknown} {
  try {
    return JSON.parse(line) ?? {};
  } catch (cause) {
    throw damaged(folder, cause);
  }
}

function damaged(folder: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot resume the training in ${folder}: its results are damaged; remove the folder to begin anew`,
    {details: {folder}, cause},
  );
}

function foreign(folder: string): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot resume the training in ${folder}: it was begun with other options; give those, or ` +
      'remove the folder to begin anew',
    {details: {folder}},
  );
}
