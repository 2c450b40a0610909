import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type ConfigInputs, configEntries, configJsonSchema, loadConfig} from '../core/config.ts';
import {DEFAULT_CONFIG} from '../core/config-schema.ts';
import {isForestayError} from '../core/domain/errors.ts';

function folder(t: ExecutionContext, files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'forestay-config-'));
  t.teardown(() => rmSync(path, {recursive: true}));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

function load(cwd: string, inputs: ConfigInputs = {}) {
  return loadConfig({systemFile: join(cwd, 'system.yaml'), ...inputs, cwd});
}

function problemsOf(t: ExecutionContext, cwd: string, inputs: ConfigInputs = {}): string[] {
  const error = t.throws(() => load(cwd, inputs));
  t.true(isForestayError(error, 'CONFIG_INVALID'));
  return (error?.message ?? '').split('\n').slice(1);
}

test('without any source every value is its default and has no origin', t => {
  const cwd = folder(t);
  const {config, origins} = load(cwd);
  t.deepEqual(config, {
    ...DEFAULT_CONFIG,
    core: {...DEFAULT_CONFIG.core, dataDir: join(cwd, '.forestay')},
  });
  t.is(origins.size, 0);
});

test('a flag wins over the environment, over files in order, over the folder, over the system', t => {
  const cwd = folder(t, {
    'system.yaml': 'ticks: {tickMs: 11}\n',
    'forestay.yaml': 'ticks: {tickMs: 12}\n',
    'a.yaml': 'ticks: {tickMs: 13}\n',
    'b.yaml': 'ticks: {tickMs: 14}\n',
  });
  const tickMs = (inputs: ConfigInputs) => {
    const {config, origins} = load(cwd, inputs);
    return [config.ticks.tickMs, origins.get('ticks.tickMs')];
  };
  const env = {FORESTAY_TICKS__TICK_MS: '15'};
  const files = ['a.yaml', 'b.yaml'];
  const flags = {'ticks.tickMs': {flag: '--tick', value: 16}};
  t.deepEqual(tickMs({systemFile: join(cwd, 'none.yaml')}), [12, 'forestay.yaml:1:17']);
  t.deepEqual(tickMs({files}), [14, 'b.yaml:1:17']);
  t.deepEqual(tickMs({files, env}), [15, 'environment FORESTAY_TICKS__TICK_MS']);
  t.deepEqual(tickMs({files, env, flags}), [16, 'flag --tick']);
  rmSync(join(cwd, 'forestay.yaml'));
  t.deepEqual(tickMs({}), [11, 'system.yaml:1:17']);
});

test('every problem of every source is reported with its place, unknown keys with a guess', t => {
  const cwd = folder(t, {
    'forestay.yaml': [
      'log:',
      '  kafka:',
      '    brokers: broker:9092',
      'policy:',
      '  band:',
      '    enter: 1.5',
      '    levae: 0.1',
      '  mode: automatic',
      'polcy: {}',
      '',
    ].join('\n'),
  });
  const env = {FORESTAY_CORE__LISTEN: 'nowhere', HOME: '/root'};
  const flags = {'log.kind': {flag: '--log', value: 'papyrus'}};
  const problems = problemsOf(t, cwd, {env, flags});
  t.deepEqual(problems.toSorted(), [
    'environment FORESTAY_CORE__LISTEN  core.listen: expected HOST:PORT',
    'flag --log  log.kind: Invalid option: expected one of "memory"|"segments"|"kafka"',
    'forestay.yaml:3:14  log.kafka.brokers: Invalid input: expected array, received string',
    'forestay.yaml:6:12  policy.band.enter: Too big: expected number to be <=1',
    'forestay.yaml:7:5  policy.band.levae: unknown key; did you mean "leave"?',
    'forestay.yaml:8:9  policy.mode: Invalid option: expected one of "observe"|"advise"|"approve"|"auto"',
    'forestay.yaml:9:1  polcy: unknown key; did you mean "policy"?',
  ]);
});

test('an unknown key that resembles nothing is answered with the known ones', t => {
  const cwd = folder(t, {'forestay.yaml': 'hypervisor: {zzzzzz: 1}\n'});
  t.deepEqual(problemsOf(t, cwd), [
    'forestay.yaml:1:14  hypervisor.zzzzzz: unknown key; known keys are kind',
  ]);
});

test('a band that would be left as soon as it is entered is refused', t => {
  const cwd = folder(t, {'forestay.yaml': 'policy:\n  band: {enter: 0.2, leave: 0.3}\n'});
  const [problem] = problemsOf(t, cwd);
  t.regex(problem ?? '', /^forestay\.yaml:2:\d+ {2}policy\.band\.leave: must be below band\.enter/);
});

test('a host that would be fenced before it is suspected is refused', t => {
  for (const field of ['fenceAfterMs', 'fenceAtRiskAfterMs']) {
    const text = `policy:\n  silence: {staleAfterMs: 9000, ${field}: 8000}\n`;
    const [problem] = problemsOf(t, folder(t, {'forestay.yaml': text}));
    t.regex(problem ?? '', new RegExp(`policy.silence.${field}: must be staleAfterMs or more`));
  }
});

test('no more than a fifth of the small VMs is held back for a trial, whatever is asked for', t => {
  const asked = (share: number) =>
    problemsOf(t, folder(t, {'forestay.yaml': `policy:\n  holdBack: {share: ${share}}\n`}))[0];
  t.regex(asked(0.21) ?? '', /policy\.holdBack\.share: Too big/);
  t.regex(asked(-0.1) ?? '', /policy\.holdBack\.share: Too small/);
});

test('text that is not YAML is reported with its line', t => {
  const cwd = folder(t, {'forestay.yaml': 'core:\n  listen: "127.0.0.1:1\n'});
  const [problem] = problemsOf(t, cwd);
  t.regex(problem ?? '', /^forestay\.yaml:\d:\d+ {2}/);
  t.regex(
    problemsOf(t, folder(t, {'forestay.yaml': '- 1\n'}))[0] ?? '',
    /expected keys and values/,
  );
});

test('a key given twice is a problem, not a silent choice', t => {
  const cwd = folder(t, {'forestay.yaml': 'ticks: {tickMs: 100, tickMs: 200}\n'});
  t.regex(problemsOf(t, cwd)[0] ?? '', /unique/);
});

test('a named file that is not there is a problem; the usual ones may be missing', t => {
  const cwd = folder(t);
  t.deepEqual(problemsOf(t, cwd, {files: ['absent.yaml']}), [
    `${join(cwd, 'absent.yaml')}  no such file`,
  ]);
  t.regex(problemsOf(t, cwd, {files: ['.']})[0] ?? '', /EISDIR/);
});

test('an empty file, and one of comments, set nothing', t => {
  t.notThrows(() => load(folder(t, {'forestay.yaml': ''})));
  t.notThrows(() => load(folder(t, {'forestay.yaml': '# nothing yet\n'})));
});

test('__proto__ is an unknown key like any other', t => {
  const cwd = folder(t, {'forestay.yaml': '__proto__: {core: {insecure: true}}\n'});
  t.regex(problemsOf(t, cwd)[0] ?? '', /^forestay\.yaml:1:1 {2}__proto__: unknown key/);
});

test('environment variables become numbers, switches and lists; text stays text', t => {
  const env = {
    FORESTAY_POLICY__BAND__ENTER_HOLD_MS: '5000',
    FORESTAY_CORE__INSECURE: 'true',
    FORESTAY_LOG__KAFKA__BROKERS: 'a:9092, b:9092',
    FORESTAY_LOG__KAFKA__TOPIC_PREFIX: '123',
    FORESTAY_UNRELATED: 'x',
  };
  const {config} = load(folder(t), {env});
  t.is(config.policy.band.enterHoldMs, 5000);
  t.true(config.core.insecure);
  t.deepEqual(config.log.kafka.brokers, ['a:9092', 'b:9092']);
  t.is(config.log.kafka.topicPrefix, '123');
});

test('an environment variable that is no YAML is a wrong type at its own name', t => {
  const problems = problemsOf(t, folder(t), {env: {FORESTAY_TICKS__TICK_MS: '[1'}});
  t.regex(
    problems[0] ?? '',
    /^environment FORESTAY_TICKS__TICK_MS {2}ticks\.tickMs: Invalid input/,
  );
});

test('a folder given relative is taken from the working directory, from home after a tilde', t => {
  const cwd = folder(t);
  const dataDir = (value: string) =>
    load(cwd, {flags: {'core.dataDir': {flag: '--data', value}}}).config.core.dataDir;
  t.is(dataDir('state'), join(cwd, 'state'));
  t.is(dataDir('/srv/forestay'), '/srv/forestay');
  t.false(dataDir('~/state').includes('~'));
});

test('an alias in YAML stands for what it names', t => {
  const yaml = 'log: {kafka: {brokers: &b [k:9092]}}\n';
  const {config} = load(folder(t, {'forestay.yaml': yaml}));
  t.deepEqual(config.log.kafka.brokers, ['k:9092']);
});

test('the JSON Schema describes every value that the configuration has', t => {
  const schema = configJsonSchema() as {properties: Record<string, unknown>};
  t.deepEqual(Object.keys(schema.properties), Object.keys(DEFAULT_CONFIG));
  const paths = configEntries(DEFAULT_CONFIG).map(entry => entry.path);
  t.true(paths.includes('policy.band.enter'));
  t.true(paths.includes('log.kafka.brokers'));
});

test('aliases that would unfold without end are a problem, not an internal error', t => {
  const levels = ['a: &l0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level <= 6; level++) {
    const items = Array.from({length: 10}, () => `*l${level - 1}`).join(', ');
    levels.push(`b${level}: &l${level} [${items}]`);
  }
  const cwd = folder(t, {'forestay.yaml': levels.join('\n')});
  t.regex(problemsOf(t, cwd).join('\n'), /forestay\.yaml:1:1 {2}Excessive alias count/);
});
