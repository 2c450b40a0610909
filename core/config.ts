import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import {z} from 'zod';
import {type Config, configSchema} from './config-schema.ts';
import {
  type Origin,
  type Problem,
  readEnvironment,
  readFileSource,
  readFlags,
  type Source,
  type TextShape,
} from './config-sources.ts';
import {ForestayError} from './domain/errors.ts';
import {closestWord} from './domain/spelling.ts';

export type {Config} from './config-schema.ts';

export type ConfigInputs = {
  /** By dotted path, with the flag's name for messages: `{'core.listen': {flag: '--listen', …}}`. */
  flags?: Readonly<Record<string, {flag: string; value: unknown} | undefined>>;
  env?: Readonly<Record<string, string | undefined>>;
  /** `--config` files; later ones win. */
  files?: readonly string[];
  cwd?: string;
  /** Read before everything else, if it is there. */
  systemFile?: string;
};

/** Where each value came from, by dotted path; what is not in here is a default. */
export type Origins = ReadonlyMap<string, string>;

/**
 * Reads the configuration: flags win over the environment, over `files` in order, over
 * `./forestay.yaml`, over the system's file, over defaults. Paths in it become absolute, from `cwd`.
 *
 * @throws {ForestayError} `CONFIG_INVALID`, one line a problem: `file:line:col  path: message`.
 */
export function loadConfig(inputs: ConfigInputs = {}): {config: Config; origins: Origins} {
  const cwd = inputs.cwd ?? process.cwd();
  const sources = [
    readFileSource(inputs.systemFile ?? '/etc/forestay/forestay.yaml', cwd, true),
    readFileSource(join(cwd, 'forestay.yaml'), cwd, true),
    ...(inputs.files ?? []).map(file => readFileSource(resolve(cwd, file), cwd, false)),
    readEnvironment(inputs.env ?? {}, textShapeAt),
    readFlags(inputs.flags ?? {}, textShapeAt),
  ];
  const {tree, origins} = mergeSources(sources);
  const parsed = configSchema.safeParse(tree);
  const problems = [
    ...sources.flatMap(source => source.problems),
    ...(parsed.success ? [] : parsed.error.issues.flatMap(issue => toProblems(issue, origins))),
  ];
  if (!parsed.success || problems.length > 0) throw invalid(problems);
  const {core, scoring} = parsed.data;
  const config: Config = {
    ...parsed.data,
    core: {...core, dataDir: absolutePath(cwd, core.dataDir)},
    scoring: {...scoring, modelDir: absolutePath(cwd, scoring.modelDir)},
  };
  return {config, origins: new Map([...origins].map(([path, origin]) => [path, origin.value]))};
}

/** The configuration as a JSON Schema, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, {io: 'input'});
}

/** Every value with its dotted path, in the order of the configuration. Lists are values. */
export function configEntries(config: Config): {path: string; value: unknown}[] {
  const entries: {path: string; value: unknown}[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      entries.push({path, value});
      return;
    }
    for (const [key, child] of Object.entries(value)) walk(child, path ? `${path}.${key}` : key);
  };
  walk(config, '');
  return entries;
}

function absolutePath(cwd: string, path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(cwd, path);
}

type Tree = {[key: string]: unknown};

function mergeSources(sources: readonly Source[]): {tree: Tree; origins: Map<string, Origin>} {
  // Without a prototype, a key such as `__proto__` is a key like any other: unknown.
  const emptyTree = (): Tree => Object.create(null) as Tree;
  const tree = emptyTree();
  const origins = new Map<string, Origin>();
  for (const {path, value, origin} of sources.flatMap(source => source.assignments)) {
    let parent = tree;
    for (const key of path.slice(0, -1)) {
      if (!isTree(parent[key])) parent[key] = emptyTree();
      parent = parent[key] as Tree;
    }
    const last = path.at(-1) as string;
    if (value !== undefined) parent[last] = value;
    else if (!isTree(parent[last])) parent[last] = emptyTree();
    origins.set(path.join('.'), origin);
  }
  return {tree, origins};
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toProblems(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, Origin>): Problem[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') {
    return [
      {
        at: placeOf(path, origins)?.value ?? 'default',
        path: path.join('.'),
        message: issue.message,
      },
    ];
  }
  const known = Object.keys(shapeOf(schemaAt(path)) ?? {});
  return issue.keys.map(key => {
    const guess = closestWord(key, known);
    const hint = guess ? `did you mean "${guess}"?` : `known keys are ${known.join(', ')}`;
    return {
      at: placeOf([...path, key], origins)?.key ?? 'default',
      path: [...path, key].join('.'),
      message: `unknown key; ${hint}`,
    };
  });
}

/** Origin of the value, or of the nearest thing around it. */
function placeOf(
  path: readonly string[],
  origins: ReadonlyMap<string, Origin>,
): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin) return origin;
  }
  return undefined;
}

type Definition = {
  type: string;
  innerType?: z.ZodType;
  shape?: Record<string, z.ZodType>;
};

function definitionOf(schema: z.ZodType): Definition {
  const definition = schema.def as unknown as Definition;
  return definition.innerType ? definitionOf(definition.innerType) : definition;
}

function shapeOf(schema: z.ZodType | undefined): Record<string, z.ZodType> | undefined {
  return schema && definitionOf(schema).shape;
}

function schemaAt(path: readonly string[]): z.ZodType | undefined {
  let schema: z.ZodType | undefined = configSchema;
  for (const key of path) {
    if (!schema) return undefined;
    schema = shapeOf(schema)?.[key];
  }
  return schema;
}

function textShapeAt(path: readonly string[]): TextShape {
  const schema = schemaAt(path);
  if (!schema) return 'other';
  const {type} = definitionOf(schema);
  if (type === 'array') return 'list';
  return type === 'string' || type === 'enum' ? 'text' : 'other';
}

function invalid(problems: readonly Problem[]): ForestayError {
  const lines = problems.map(
    ({at, path, message}) => `${at}  ${path ? `${path}: ` : ''}${message}`,
  );
  return new ForestayError(
    'CONFIG_INVALID',
    `configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${lines.join('\n')}`,
    {details: {problems: problems.length}},
  );
}
