/** What the compiler must refuse, or accept, of the contracts in core/domain. */
import {spawnSync} from 'node:child_process';
import {globSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import test, {type ExecutionContext} from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** Errors of each snippet, as TSnnnn, compiled with the repository's own options. */
function compile(
  t: ExecutionContext,
  snippets: Readonly<Record<string, string>>,
): Record<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-types-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const names = Object.keys(snippets);
  for (const [index, snippet] of Object.values(snippets).entries()) {
    const text = snippet.replaceAll('DOMAIN', join(root, 'core/domain'));
    writeFileSync(join(folder, `s${index}.ts`), `${text}\nexport {};\n`);
  }
  const options = {types: []};
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: options,
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  const {stdout} = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const errors: Record<string, string[]> = Object.fromEntries(names.map(name => [name, []]));
  for (const [, index, code] of stdout.matchAll(/^s(\d+)\.ts\(\d+,\d+\): error (TS\d+)/gm)) {
    errors[names[Number(index)] as string]?.push(code as string);
  }
  return errors;
}

const effect = `const effect = {
  kind: 'fence-host' as const, host: 'h', vm: '', targetHost: '', weightPercent: 0, deadlineMs: 1,
};`;

const refused: Record<string, string> = {
  'an enum': 'export enum Color {Red}',
  'a parameter property': 'export class A {constructor(readonly a: number) {}}',
  'an element that may be missing': 'export const first: number = [1, 2].slice(0)[0];',
  'undefined for an optional property':
    "import type {Tick} from 'DOMAIN/records.ts';\nexport const t: Partial<Tick> = {control: undefined};",
  'an unused local': 'const unused = 1;',
  'a case that falls through':
    'export function f(a: number): number {\n  let b = 0;\n  switch (a) {\n    case 1:\n      b = 1;\n    case 2:\n      b += 2;\n  }\n  return b;\n}',
  'an unknown error code':
    "import {ForestayError} from 'DOMAIN/errors.ts';\nexport const e = new ForestayError('NO_SUCH_CODE', 'x');",
  'asking for an unknown error code':
    "import {isForestayError} from 'DOMAIN/errors.ts';\nexport const e = isForestayError(1, 'NO_SUCH_CODE');",
  'an unknown effect': `import type {Effect} from 'DOMAIN/effects.ts';\n${effect}\nexport const e: Effect = {...effect, kind: 'explode'};`,
  'an effect without a deadline': `import type {Effect} from 'DOMAIN/effects.ts';\n${effect}\nconst {deadlineMs, ...rest} = effect;\nexport const e: Effect = rest;\nexport const d = deadlineMs;`,
  'an unknown action':
    "import type {ActionKind} from 'DOMAIN/decision.ts';\nexport const a: ActionKind = 'pray';",
  'an unknown mode': "import type {Mode} from 'DOMAIN/policy.ts';\nexport const m: Mode = 'yolo';",
  'a sixth state':
    "import type {TopState} from 'DOMAIN/fleet-state.ts';\nexport const s: TopState = 'broken';",
  'writing to a feature':
    "import {FEATURES} from 'DOMAIN/features.ts';\n(FEATURES[0] as (typeof FEATURES)[number]).name = 'x';",
  'a record of the inbox without its request id':
    "import type {InboxRecord} from 'DOMAIN/records.ts';\nexport const r: InboxRecord = {atMs: 1, author: 'a', kind: 'pause', comment: ''};",
};

const accepted: Record<string, string> = {
  'an effect': `import type {Effect} from 'DOMAIN/effects.ts';\n${effect}\nexport const e: Effect = effect;`,
  'an error with a known code':
    "import {ForestayError} from 'DOMAIN/errors.ts';\nexport const e = new ForestayError('NOT_FOUND', 'x');",
  'a record of the inbox':
    "import type {InboxRecord} from 'DOMAIN/records.ts';\nexport const r: InboxRecord = {requestId: 'r', atMs: 1, author: 'a', kind: 'pause', comment: ''};",
  'a switch over all outcomes': `import type {Decision} from 'DOMAIN/decision.ts';
export function word(outcome: Decision['outcome']): string {
  switch (outcome) {
    case 'acted':
      return 'did';
    case 'would-act':
      return 'would do';
    case 'blocked':
      return 'was kept from';
    case 'no-action':
      return 'left';
  }
}`,
};

test('the compiler refuses what the contracts exclude, and nothing that they allow', t => {
  const errors = compile(t, {...refused, ...accepted});
  for (const what of Object.keys(refused)) t.not(errors[what]?.length, 0, `accepted: ${what}`);
  for (const what of Object.keys(accepted)) t.deepEqual(errors[what], [], `refused: ${what}`);
  // Each for its own reason: a path that does not resolve would refuse everything.
  const unresolved = Object.entries(errors).filter(([, codes]) => codes.includes('TS2307'));
  t.deepEqual(unresolved, []);
});

/** Modules of core/domain that are shapes and nothing else. */
const shapes = ['fleet-state', 'fleet', 'observed', 'records'];

test('modules of shapes have no behaviour; every other module of core/domain has a test', async t => {
  for (const shape of shapes) {
    const module: object = await import(pathToFileURL(join(root, `core/domain/${shape}.ts`)).href);
    t.deepEqual(Object.keys(module), [], shape);
  }
  const tests = globSync('test/domain/*.test.ts', {cwd: root})
    .map(path => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  const untested = globSync('*.ts', {cwd: join(root, 'core/domain')})
    .map(file => file.slice(0, -3))
    .filter(name => !shapes.includes(name) && !tests.includes(`/domain/${name}.ts'`));
  t.deepEqual(untested, []);
});
