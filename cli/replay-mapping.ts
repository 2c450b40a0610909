import {readFileSync} from 'node:fs';
import {type Document, isMap, LineCounter, type Node, parseDocument, type Scalar} from 'yaml';
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
  // An empty file changes nothing.
  const given: unknown = document.toJS() ?? base;
  const result = mappingSchema.safeParse(
    isMap(document.contents) ? {...base, ...(given as object)} : given,
  );
  if (result.success) return result.data;
  const problems = result.error.issues
    .map(({path: keys, message, ...issue}) => {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
      const where = [...keys, ...unknown] as string[];
      return {where, message, offset: offsetOf(document, where, unknown.length > 0)};
    })
    .sort((a, b) => a.offset - b.offset)
    .map(({where, message, offset}) => `${at(offset)}: ${where.join('.')}: ${message}`);
  throw invalid(problems.join('\n'), result.error);
}

/** Where a value begins in the text, or its key. */
function offsetOf(document: Document, path: readonly string[], key: boolean): number {
  const parent = key ? document.getIn(path.slice(0, -1), true) : undefined;
  const pair = isMap<Scalar>(parent)
    ? parent.items.find(item => item.key.value === path.at(-1))
    : undefined;
  const node = pair?.key ?? document.getIn(path, true);
  return (node as Node | undefined)?.range?.[0] ?? 0;
}

function invalid(message: string, cause: unknown): ForestayError {
  return new ForestayError('CONFIG_INVALID', message, {cause});
}
