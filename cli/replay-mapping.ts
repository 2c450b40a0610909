import {readFileSync} from 'node:fs';
import {LineCounter, parseDocument} from 'yaml';
import {z} from 'zod';
import {ForestayError} from '../core/domain/errors.ts';

/** How columns of recorded data become metrics, hosts and times. */
export type Mapping = z.output<typeof mappingSchema>;

const mappingSchema = z.strictObject({
  /** Metric of a column; a column that is not named here keeps its name. */
  columns: z.record(z.string(), z.string().min(1)).default({}),
  /** Columns to leave out. */
  ignore: z.array(z.string()).default([]),
  /** Column of the time: seconds or milliseconds since 1970, or ISO 8601. */
  timestamp: z.string().min(1).optional(),
  /** Without such a column: time between two rows of a host, and of its first row. */
  intervalSeconds: z.number().positive().default(60),
  start: z.iso.datetime({offset: true}).default('2020-01-01T00:00:00Z'),
  /** Column of the host; without it a file is a host. */
  host: z.string().min(1).optional(),
  /** Name of the metric set; without it one is made of the columns. */
  metricSet: z.string().min(1).optional(),
});

/**
 * The Server Machine Dataset: 38 metrics scaled to 0..1, a row a minute, no times. Only what is a
 * ratio anyway has a metric of ours; the others keep their names, for their units are unknown.
 */
export const SMD_MAPPING: Mapping = mappingSchema.parse({
  columns: {
    cpu_r: 'cpu_utilisation_ratio',
    mem_u: 'memory_used_ratio',
    disk_u: 'disk_busy_ratio',
  },
  metricSet: 'smd.v1',
});

export const CSV_MAPPING: Mapping = mappingSchema.parse({});

/** What the file says goes over `base`. Throws `CONFIG_INVALID` with file, line and column. */
export function readMapping(path: string, base: Mapping): Mapping {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw invalid(`cannot read the mapping ${path}: ${(error as Error).message}`, error);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, prettyErrors: false});
  const at = (offset: number) => {
    const {line, col} = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(`${at(broken.pos[0])}: ${broken.message}`, broken);
  const given: unknown = document.toJS() ?? {};
  const result = mappingSchema.safeParse(typeof given === 'object' ? {...base, ...given} : given);
  if (result.success) return result.data;
  const problems = result.error.issues.map(issue => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const where = [...issue.path, ...keys] as string[];
    const node = where.length > 0 ? document.getIn(where, true) : document.contents;
    const offset = (node as {range?: [number, number, number]} | undefined)?.range?.[0] ?? 0;
    return `${at(offset)}: ${where.join('.')}: ${issue.message}`;
  });
  throw invalid(problems.join('\n'), result.error);
}

function invalid(message: string, cause: unknown): ForestayError {
  return new ForestayError('CONFIG_INVALID', message, {cause});
}
