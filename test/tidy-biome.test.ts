/** Biome holds lines, names and folders. Planted violations show that it really does. */
import {spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));
const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');

type Plant = {path: string; text: string};
type Diagnostic = {category: string; severity: string; message: string; location: {path: string}};

/** What Biome says of files that lie in a tree with the repository's own configuration. */
function lint(t: ExecutionContext, plants: readonly Plant[]): Diagnostic[] {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-tidy-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  for (const name of ['biome.json', 'package.json']) {
    copyFileSync(join(root, name), join(folder, name));
  }
  for (const {path, text} of plants) {
    mkdirSync(dirname(join(folder, path)), {recursive: true});
    writeFileSync(join(folder, path), text);
  }
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const {stdout} = spawnSync(process.execPath, args, {cwd: folder, encoding: 'utf8'});
  return (JSON.parse(stdout) as {diagnostics: Diagnostic[]}).diagnostics;
}

/** Of each folder: what it must not import, and what it may. */
const folders: Record<string, {never: readonly string[]; may: readonly string[]}> = {
  'core/domain': {
    never: ['../ports.ts', '../engine/tick.ts', '../../proto/codec.ts', 'xstate', 'node:fs'],
    may: ['./risk.ts'],
  },
  'core/domain/anomaly': {
    never: ['../../ports.ts', '../../engine/tick.ts', '../../../proto/codec.ts', 'xstate'],
    may: ['./scales.ts', '../risk.ts'],
  },
  statecharts: {
    never: ['../core/ports.ts', '../core/engine/tick.ts', '../proto/codec.ts', 'node:fs', 'pino'],
    may: ['./host.ts', 'xstate', '../core/domain/risk.ts'],
  },
  'core/engine': {
    never: ['../adapters/log-kafka.ts', '../../proto/codec.ts', 'kafkajs', '../main.ts', 'pino'],
    may: [
      './tick.ts',
      '../domain/risk.ts',
      '../ports.ts',
      '../../statecharts/host.ts',
      'node:zlib',
    ],
  },
  'core/adapters': {
    never: ['../engine/tick.ts', './store-sqlite.ts', '../main.ts', '../../cli/main.ts', 'xstate'],
    may: ['../domain/risk.ts', '../ports.ts', '../../proto/codec.ts', 'kafkajs', 'node:fs'],
  },
  'core/api': {
    never: ['../adapters/log-kafka.ts', '../main.ts', '../../statecharts/host.ts', 'kafkajs'],
    may: ['./paging.ts', '../domain/risk.ts', '../engine/ingest.ts', '@grpc/grpc-js', 'node:http'],
  },
  'core/simulation': {
    never: [
      '../engine/tick.ts',
      '../adapters/log-memory.ts',
      'kafkajs',
      '../../statecharts/host.ts',
    ],
    may: ['./world.ts', '../domain/risk.ts', '../ports.ts', '../../proto/codec.ts'],
  },
  models: {
    never: [
      '../core/engine/tick.ts',
      '../core/adapters/log-kafka.ts',
      '../statecharts/host.ts',
      '../edge/agent.ts',
      '../cli/main.ts',
    ],
    may: ['../core/domain/risk.ts', '../core/ports.ts', '../proto/codec.ts', 'onnxruntime-node'],
  },
  workers: {
    never: ['../core/engine/tick.ts', '../core/main.ts', '../edge/agent.ts', '../bench/main.ts'],
    may: ['../core/domain/risk.ts', '../core/ports.ts', '../models/session.ts', 'node:os'],
  },
  edge: {
    never: [
      '../core/ports.ts',
      '../core/engine/tick.ts',
      '../statecharts/host.ts',
      '../cli/main.ts',
    ],
    may: ['./spool.ts', '../core/domain/risk.ts', '../proto/codec.ts', '@grpc/grpc-js', 'node:fs'],
  },
};

function importing(folder: string, kind: string, specifiers: readonly string[]): Plant[] {
  return specifiers.map((specifier, index) => ({
    path: `${folder}/${kind}-${index}.ts`,
    text: `import * as other from '${specifier}';\n\nexport const imported = other;\n`,
  }));
}

test('what a folder must not import is reported, import by import', t => {
  const plants = Object.entries(folders).flatMap(([folder, {never}]) =>
    importing(folder, 'never', never),
  );
  const reported = lint(t, plants)
    .filter(({category}) => category === 'lint/style/noRestrictedImports')
    .map(({location}) => location.path);
  t.deepEqual(
    plants.map(({path}) => path).filter(path => !reported.includes(path)),
    [],
  );
});

test('what a folder may import is not reported', t => {
  const plants = Object.entries(folders).flatMap(([folder, {may}]) =>
    importing(folder, 'may', may),
  );
  const reported = lint(t, plants).filter(
    ({category}) => category === 'lint/style/noRestrictedImports',
  );
  t.deepEqual(reported, []);
});

const worldly = ['Date', 'process', 'setTimeout', 'setInterval', 'performance', 'fetch'];

test('domain, statecharts and engine reach for no clock, timer, process or network', t => {
  const plants = ['core/domain', 'statecharts', 'core/engine'].flatMap(folder =>
    worldly.map(name => ({
      path: `${folder}/${name.toLowerCase()}.ts`,
      text: `export const reached = ${name};\n`,
    })),
  );
  const elsewhere = plants.map(({text}, index) => ({path: `core/api/free-${index}.ts`, text}));
  const reported = lint(t, [...plants, ...elsewhere])
    .filter(({category}) => category === 'lint/style/noRestrictedGlobals')
    .map(({location}) => location.path);
  t.deepEqual(reported.sort(), plants.map(({path}) => path).sort());
});

const lines = (count: number) =>
  Array.from({length: count}, (_, n) => `export const n${n} = ${n};\n`);
const body = (count: number) => `${'  calls.push(1);\n'.repeat(count)}`;
const long = (count: number) => `export function long(calls: number[]): void {\n${body(count)}}\n`;

const habits: Record<string, Plant> = {
  'style/noExcessiveLinesPerFile': {path: 'core/long.ts', text: lines(401).join('')},
  'complexity/noExcessiveLinesPerFunction': {path: 'core/long-function.ts', text: long(71)},
  'style/useFilenamingConvention': {path: 'core/camelCase.ts', text: 'export const a = 1;\n'},
  'style/noEnum': {path: 'core/an-enum.ts', text: 'export enum Color {\n  Red,\n}\n'},
  'style/noParameterProperties': {
    path: 'core/a-class.ts',
    text: 'export class A {\n  constructor(readonly a: number) {}\n}\n',
  },
  'style/useConsistentTypeDefinitions': {
    path: 'core/a-type.ts',
    text: 'export interface A {\n  a: number;\n}\n',
  },
  'performance/noBarrelFile': {path: 'core/a-barrel.ts', text: "export * from './a-type.ts';\n"},
  'correctness/useImportExtensions': {
    path: 'core/no-extension.ts',
    text: "import {a} from './a-type';\n\nexport const b = a;\n",
  },
  'correctness/noUndeclaredDependencies': {
    path: 'core/undeclared.ts',
    text: "import pad from 'left-pad';\n\nexport const b = pad;\n",
  },
  'suspicious/noConsole': {path: 'core/talks.ts', text: "console.log('x');\n"},
  'suspicious/noExplicitAny': {path: 'core/anything.ts', text: 'export type A = any;\n'},
  'suspicious/noImportCycles': {
    path: 'core/cycle-one.ts',
    text: "import {two} from './cycle-two.ts';\n\nexport const one = () => two;\n",
  },
  'style/useErrorCause': {
    path: 'core/forgets-cause.ts',
    text: "try {\n  JSON.parse('x');\n} catch (_error) {\n  throw new Error('bad');\n}\n",
  },
  'nursery/useExhaustiveSwitchCases': {
    path: 'core/forgets-case.ts',
    text: "export function f(kind: 'a' | 'b'): void {\n  switch (kind) {\n    case 'a':\n      break;\n  }\n}\n",
  },
  'nursery/noMisusedPromises': {
    path: 'core/asks-promise.ts',
    text: 'async function done(): Promise<boolean> {\n  return true;\n}\n\nexport function f(): number {\n  return done() ? 1 : 0;\n}\n',
  },
  'nursery/noFloatingPromises': {
    path: 'core/floats.ts',
    text: 'async function work(): Promise<void> {}\n\nexport function start(): void {\n  work();\n}\n',
  },
};
const companion = {
  path: 'core/cycle-two.ts',
  text: "import {one} from './cycle-one.ts';\n\nexport const two = () => one;\n",
};

test('long files, long functions and every other habit we gave up are errors', t => {
  const diagnostics = lint(t, [...Object.values(habits), companion]);
  for (const [rule, {path}] of Object.entries(habits)) {
    const found = diagnostics.find(
      ({category, location}) => category === `lint/${rule}` && location.path === path,
    );
    t.is(found?.severity, 'error', `${rule} does not report ${path}`);
  }
});

test('a file of 400 lines and a function of 70 are not too long', t => {
  const diagnostics = lint(t, [
    {path: 'core/long.ts', text: lines(400).join('')},
    {path: 'core/long-function.ts', text: long(68)},
  ]);
  t.deepEqual(
    diagnostics.filter(({category}) => category.includes('noExcessiveLines')),
    [],
  );
});

type Configuration = {
  linter: {rules: Record<string, string | Record<string, string | {level: string}>>};
  overrides: {includes: string[]; linter: {rules: {style?: {noRestrictedImports?: object}}}}[];
};
const {linter, overrides} = JSON.parse(
  readFileSync(join(root, 'biome.json'), 'utf8'),
) as Configuration;

test('every rule that biome.json makes an error has its planted violation here', t => {
  const errors = Object.entries(linter.rules).flatMap(([group, rules]) =>
    typeof rules === 'string'
      ? []
      : Object.entries(rules)
          .filter(([, rule]) => (typeof rule === 'string' ? rule : rule.level) === 'error')
          .map(([name]) => `${group}/${name}`),
  );
  t.deepEqual(errors.sort(), Object.keys(habits).sort());
});

test('every folder of the architecture that has rules has them in biome.json, and no other', t => {
  const held = overrides
    .filter(override => override.linter.rules.style?.noRestrictedImports !== undefined)
    .flatMap(({includes}) => includes);
  t.deepEqual(
    held.sort(),
    Object.keys(folders)
      // All folders of the domain are held by one rule; one of them stands here for all.
      .map(folder => (folder === 'core/domain/anomaly' ? 'core/domain/*/**' : `${folder}/**`))
      .sort(),
  );
});
