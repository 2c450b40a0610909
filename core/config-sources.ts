import {readFileSync} from 'node:fs';
import {relative} from 'node:path';
import {isAlias, isMap, isScalar, LineCounter, type Node, parse, parseDocument} from 'yaml';

/** Where a value was written: `forestay.yaml:4:14`, `environment FORESTAY_…` or `flag --…`. */
export type Origin = {
  /** Of the value. */
  value: string;
  /** Of the key; the same for flags and the environment. */
  key: string;
};

/** One thing that is wrong with the configuration, and where. */
export type Problem = {at: string; path: string; message: string};

/** Values by dotted path. A map is an assignment as well, with `undefined` for a value. */
export type Source = {
  assignments: {path: readonly string[]; value: unknown; origin: Origin}[];
  problems: Problem[];
};

/** Reads a YAML file. An unreadable one is a problem, unless it is `optional` and not there. */
export function readFileSource(path: string, cwd: string, optional: boolean): Source {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const message = missing ? 'no such file' : (error as Error).message;
    const problems = missing && optional ? [] : [{at: path, path: '', message}];
    return {assignments: [], problems};
  }
  const shown = relative(cwd, path);
  return parseYamlSource(text, shown.startsWith('..') ? path : shown);
}

/** Parses the text of a YAML file; `name` is how it is called in problems. */
export function parseYamlSource(text: string, name: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, prettyErrors: false});
  const place = (offset: number) => {
    const {line, col} = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const source: Source = {assignments: [], problems: []};
  for (const error of document.errors) {
    source.problems.push({at: place(error.pos[0]), path: '', message: error.message});
  }
  const walk = (node: Node | null, path: readonly string[], keyAt: string): void => {
    const at = node?.range ? place(node.range[0]) : keyAt;
    const target = isAlias(node) ? node.resolve(document) : node;
    if (!isMap(target)) {
      const value = target === null || target === undefined ? null : target.toJS(document);
      source.assignments.push({path, value, origin: {value: at, key: keyAt}});
      return;
    }
    if (path.length > 0) {
      source.assignments.push({path, value: undefined, origin: {value: at, key: keyAt}});
    }
    for (const pair of target.items) {
      const key = pair.key as Node;
      const name = isScalar(key) ? String(key.value) : String(key);
      walk(pair.value as Node | null, [...path, name], key.range ? place(key.range[0]) : at);
    }
  };
  const isEmpty = document.contents === null || (isScalar(document.contents) && text.trim() === '');
  if (source.problems.length > 0 || isEmpty) return source;
  if (!isMap(document.contents)) {
    source.problems.push({at: `${name}:1:1`, path: '', message: 'expected keys and values'});
    return source;
  }
  try {
    walk(document.contents, [], '');
  } catch (error) {
    // Aliases of aliases of aliases: the parser counts them, and gives up in time.
    if (!(error instanceof ReferenceError)) throw error;
    source.problems.push({at: `${name}:1:1`, path: '', message: error.message});
  }
  return source;
}

/** What a value at a path has to be, as far as text must know it. */
export type TextShape = 'text' | 'list' | 'other';

/** Reads `FORESTAY_CORE__LISTEN`: two underscores between levels, one between words. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  shapeAt: (path: readonly string[]) => TextShape,
): Source {
  const source: Source = {assignments: [], problems: []};
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (text === undefined || !/^FORESTAY_[A-Z0-9_]*[A-Z0-9]__[A-Z0-9]/.test(name)) continue;
    const path = name.slice('FORESTAY_'.length).split('__').map(camelCase);
    const at = `environment ${name}`;
    source.assignments.push({
      path,
      value: fromText(text, shapeAt(path)),
      origin: {value: at, key: at},
    });
  }
  return source;
}

/** Flags by dotted path; undefined ones were not given. */
export function readFlags(
  flags: Readonly<Record<string, {flag: string; value: unknown} | undefined>>,
  shapeAt: (path: readonly string[]) => TextShape,
): Source {
  const source: Source = {assignments: [], problems: []};
  for (const [dotted, given] of Object.entries(flags)) {
    if (given?.value === undefined) continue;
    const path = dotted.split('.');
    const at = `flag ${given.flag}`;
    const value =
      typeof given.value === 'string' ? fromText(given.value, shapeAt(path)) : given.value;
    source.assignments.push({path, value, origin: {value: at, key: at}});
  }
  return source;
}

function camelCase(words: string): string {
  return words.toLowerCase().replace(/_([a-z0-9])/g, (_match, letter: string) => {
    return letter.toUpperCase();
  });
}

function fromText(text: string, shape: TextShape): unknown {
  if (shape === 'text') return text;
  if (shape === 'list' && !text.trimStart().startsWith('[')) {
    return text.split(',').map(part => part.trim());
  }
  try {
    return parse(text);
  } catch {
    // Not YAML: the schema will say what it should have been.
    return text;
  }
}
