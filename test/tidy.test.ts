/** The repository keeps its own shape. Each rule is also shown to find what it forbids. */
import {globSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';

type Source = {path: string; text: string};
/** Paths, or path and what is wrong, that break the rule. */
type Rule = (sources: readonly Source[]) => string[];

const root = fileURLToPath(new URL('..', import.meta.url));
const patterns = [
  '{bench,bin,cli,core,edge,models,proto,scripts,statecharts,test,workers}/**/*.{ts,mjs,proto}',
  '{package.json,.ci/run}',
];

const sources: Source[] = globSync(patterns, {cwd: root})
  .filter(path => !path.startsWith('proto/gen/'))
  .sort()
  .map(path => ({path, text: readFileSync(join(root, path), 'utf8')}));

function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

function matching(pattern: RegExp, applies: (path: string) => boolean): Rule {
  return all => all.filter(({path, text}) => applies(path) && pattern.test(text)).map(s => s.path);
}

const isTypeScript = (path: string) => path.endsWith('.ts');
const inFolder = (path: string, ...folders: string[]) =>
  folders.some(folder => path.startsWith(`${folder}/`));

const kebabCase: Rule = all =>
  all
    .filter(({path}) => /\.(ts|mjs)$/.test(path))
    .map(({path}) => path)
    .filter(path => !/^[a-z\d]+(-[a-z\d]+)*(\.test)?\.(ts|mjs)$/.test(basename(path)));

const ports = [
  ...readFileSync(join(root, 'core/ports.ts'), 'utf8').matchAll(/^export type (\w+) = /gm),
].map(match => (match[1] as string).toLowerCase());

const adaptersNamed: Rule = all =>
  all
    .map(({path}) => path)
    .filter(path => inFolder(path, 'core/adapters'))
    .filter(path => {
      const [port, ...technology] = basename(path, '.ts').split('-');
      return !ports.includes(port as string) || technology.length === 0;
    });

function packagesOf(text: string): Set<string> {
  const specifiers = [...code(text).matchAll(/(?:from|import)\s*\(?\s*'([^'.][^']*)'/g)];
  const names = specifiers
    .map(match => match[1] as string)
    .filter(specifier => !specifier.startsWith('node:'))
    .map(specifier =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  return new Set(names);
}

const onePackage: Rule = all =>
  all
    .filter(({path}) => inFolder(path, 'core/adapters'))
    .map(({path, text}) => ({path, packages: [...packagesOf(text)]}))
    .filter(({packages}) => packages.length > 1)
    .map(({path, packages}) => `${path}: ${packages.join(', ')}`);

/** Where chance comes in: the shell of the edge, and the jitter of clients of real services. */
const chance = [
  'cli/edge.ts',
  'cli/event-stream.ts',
  'core/adapters/log-kafka',
  'core/adapters/store-questdb',
];
const usesChance: Rule = all =>
  matching(
    /\bMath\.random\b/,
    path => isTypeScript(path) && !inFolder(path, 'test', 'bench'),
  )(all.map(({path, text}) => ({path, text: code(text)})));
const noChance: Rule = all =>
  usesChance(all).filter(path => !chance.some(place => path.startsWith(place)));

const noClock: Rule = all =>
  matching(
    /\bDate\b\s*[.(]|\bset(Timeout|Interval)\b|\bperformance\.|\bhrtime\b|node:timers/,
    path => inFolder(path, 'core/domain', 'core/engine', 'statecharts'),
  )(all.map(({path, text}) => ({path, text: code(text)})));

// In two parts, so that this file does not find itself.
const marker = new RegExp(`\\b(${['TO', 'FIX'].join('DO|')}ME)\\b`);
const noMarkers = matching(marker, path => path !== 'test/tidy.test.ts');

const everyTestRuns = matching(
  /\btest(\.\w+)*\.(only|skip|todo|failing)\s*\(/,
  path => inFolder(path, 'test') && isTypeScript(path),
);

/** Files of test/ and bench/ that nothing imports and no text says how to run. */
const noOrphans: Rule = all => {
  const used = new Set<string>();
  for (const {path, text} of all) {
    for (const [, specifier] of text.matchAll(/['"`]([^'"`\s]+\.ts)['"`]/g)) {
      used.add(join(dirname(path), specifier as string));
    }
    for (const [, run] of text.matchAll(/\bnode (?:--\S+ )*([\w./-]+\.ts)\b/g))
      used.add(run as string);
  }
  return all
    .map(({path}) => path)
    .filter(path => inFolder(path, 'test', 'bench') && isTypeScript(path))
    .filter(path => !path.endsWith('.test.ts') && !used.has(path));
};

const source = (path: string, text = ''): Source => ({path, text});

const rules: {title: string; rule: Rule; broken: Source; sound: Source}[] = [
  {
    title: 'files are named in kebab-case',
    rule: kebabCase,
    broken: source('core/domain/riskBands.ts'),
    sound: source('core/domain/risk-bands.ts'),
  },
  {
    title: 'an adapter is named by its port and its technology',
    rule: adaptersNamed,
    broken: source('core/adapters/kafka-log.ts'),
    sound: source('core/adapters/log-kafka.ts'),
  },
  {
    title: 'an adapter uses one npm package',
    rule: onePackage,
    broken: source('core/adapters/log-x.ts', "import a from 'kafkajs';\nimport {b} from '@x/y/z';"),
    sound: source('core/adapters/log-x.ts', "import a from '@x/y';\nimport {b} from '@x/y/z';"),
  },
  {
    title: 'chance comes in only where it is meant to',
    rule: noChance,
    broken: source('core/engine/tick.ts', 'const jitter = Math.random();'),
    sound: source('core/engine/tick.ts', '/** No Math.random here. */'),
  },
  {
    title: 'domain, statecharts and engine read no clock and set no timer',
    rule: noClock,
    broken: source('core/engine/tick.ts', 'setTimeout(tick, 250);'),
    sound: source('core/adapters/clock-system.ts', 'setTimeout(tick, 250);'),
  },
  {
    title: 'nothing is left for later',
    rule: noMarkers,
    broken: source('core/main.ts', `// ${['TO', 'DO'].join('')}: the rest`),
    sound: source('core/main.ts', '// To do the rest is for others.'),
  },
  {
    title: 'no test is left out or runs alone',
    rule: everyTestRuns,
    broken: source(
      'test/a.test.ts',
      `${['test', 'serial', 'only'].join('.')}('x', t => t.pass());`,
    ),
    sound: source('test/a.test.ts', "test.serial('x', t => t.pass());\nmarks.skip(1);"),
  },
  {
    title: 'every file of test/ and bench/ is a test, is imported, or says how it is run',
    rule: noOrphans,
    broken: source('bench/forgotten.ts', '/** Measures. */'),
    sound: source('bench/log.ts', '/** `node bench/log.ts` prints rates. */'),
  },
];

for (const {title, rule, broken, sound} of rules) {
  test(title, t => {
    t.deepEqual(rule(sources), []);
  });

  test(`found if broken: ${title}`, t => {
    t.is(rule([broken]).length, 1);
    t.deepEqual(rule([sound]), []);
  });
}

test('the rules look at the whole product', t => {
  for (const folder of ['bench', 'cli', 'core/domain', 'core/adapters', 'edge', 'models', 'test']) {
    t.true(sources.filter(({path}) => inFolder(path, folder)).length >= 3, folder);
  }
  t.true(ports.includes('log') && ports.includes('store') && ports.includes('scorer'));
});

test('each place where chance may come in really uses it', t => {
  t.deepEqual(
    chance.filter(place => !usesChance(sources).some(path => path.startsWith(place))),
    [],
  );
});

test('a helper that is imported or started by its path is no orphan', t => {
  const helper = source('test/x/helper.ts');
  t.deepEqual(noOrphans([helper]), ['test/x/helper.ts']);
  t.deepEqual(noOrphans([helper, source('test/x/a.test.ts', "import '../x/helper.ts';")]), []);
  t.deepEqual(noOrphans([helper, source('.ci/run', 'node test/x/helper.ts kafka')]), []);
});
