import {cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {COMPONENT_CONTRACT, contractHash} from '../../core/domain/features.ts';
import {type Exit, forestay, temporaryFolder} from '../support/process.ts';
import {FREE_PORTS, startCore} from '../support/process-fleet.ts';

const MODELS = fileURLToPath(new URL('../../models/artefacts', import.meta.url));

/** Runs a core that must not start, in a folder of its own. */
async function refused(
  t: ExecutionContext,
  args: readonly string[],
  {yaml, withinMs}: {yaml?: string; withinMs?: number} = {},
): Promise<Exit> {
  const cwd = temporaryFolder(t);
  if (yaml !== undefined) writeFileSync(join(cwd, 'forestay.yaml'), yaml);
  const exit = await forestay(t, ['core', '--data', join(cwd, 'data'), ...FREE_PORTS, ...args], {
    cwd,
    ...(withinMs === undefined ? {} : {withinMs}),
  });
  t.is(exit.stdout, '');
  t.notRegex(exit.stderr, /internal error|\n {4}at /, 'an error, not a stack');
  const words = exit.stderr.replaceAll(/^.*"msg":"waiting for .*\n/gm, '');
  t.notRegex(words, /"level"/, 'what had been started was stopped without a word');
  return exit;
}

/** A port of this machine that somebody listens on, or that nobody does. */
async function port(t: ExecutionContext, state: 'taken' | 'closed'): Promise<string> {
  const server = createServer(socket => socket.destroy());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as {port: number};
  const close = () => new Promise(resolve => server.close(resolve));
  if (state === 'closed') await close();
  else t.teardown(close);
  return `127.0.0.1:${port}`;
}

test.serial('a folder has one core; the second is told whose it is', async t => {
  const data = temporaryFolder(t);
  const core = await startCore(t, data);
  const {code, stderr} = await refused(t, ['--data', data]);
  t.is(code, 7);
  t.regex(stderr, new RegExp(`\\[DATA_DIR_LOCKED\\].* process ${core.pid} .*--data`));
  // One that was killed holds nothing.
  core.signal('SIGKILL');
  await core.exit();
  const next = await startCore(t, data);
  await next.stop();
});

test.serial('a data folder that nobody can make is said', async t => {
  // Making one there with everything above it never returns in Node itself.
  const {code, stderr} = await refused(t, ['--data', '/proc/forestay/data']);
  t.is(code, 3);
  t.regex(
    stderr,
    /\[CONFIG_INVALID\] cannot make the data folder .*choose another one with --data/,
  );
});

test.serial('a spool that nobody can make is said', async t => {
  const {code, stderr} = await forestay(t, ['edge', '--spool', '/proc/forestay/spool']);
  t.is(code, 3);
  t.regex(stderr, /\[CONFIG_INVALID\] cannot use the spool .*--spool/);
  t.notRegex(stderr, /\n {4}at /);
});

for (const flag of ['--listen', '--http']) {
  test.serial(`a taken port of ${flag} is said`, async t => {
    const taken = await port(t, 'taken');
    const {code, stderr} = await refused(t, [flag, taken]);
    t.is(code, 7);
    t.regex(
      stderr,
      new RegExp(`^forestay: \\[PORT_IN_USE\\].* ${taken}: another program has the port`),
    );
  });

  test.serial(`${flag} off loopback has to be asked for twice`, async t => {
    const {code, stderr} = await refused(t, [flag, '0.0.0.0:0']);
    t.is(code, 6);
    t.regex(stderr, /\[BIND_REFUSED\].*0\.0\.0\.0.*--insecure/);
  });
}

test.serial('everything that is wrong with a configuration is said, and where', async t => {
  const yaml = [
    'core:',
    '  lissten: 127.0.0.1:1',
    'log:',
    '  kind: 7',
    'policy:',
    '  band: {enter: 1.5}',
    '',
  ].join('\n');
  const {code, stderr} = await refused(t, [], {yaml});
  t.is(code, 3);
  t.regex(stderr, /^forestay\.yaml:2:3 .*lissten/m);
  t.regex(stderr, /^forestay\.yaml:4:9 .*log\.kind/m);
  t.regex(stderr, /^forestay\.yaml:6:17 .*policy\.band\.enter/m);
});

/** Runs a core on a copy of the models that something was done to. */
async function refusedModel(t: ExecutionContext, tamper: (folder: string) => void): Promise<Exit> {
  const models = temporaryFolder(t);
  cpSync(MODELS, models, {recursive: true});
  tamper(join(models, 'component-failure'));
  return refused(t, [], {yaml: `scoring: {modelDir: ${models}}\n`});
}

test.serial('a model whose bytes are not the ones that were tested is refused', async t => {
  const {code, stderr} = await refusedModel(t, folder => {
    const path = join(folder, 'model.onnx');
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(path, bytes);
  });
  t.is(code, 3);
  t.regex(stderr, /\[MODEL_HASH_MISMATCH\]/);
});

test.serial('a model for other features is refused', async t => {
  const {code, stderr} = await refusedModel(t, folder => {
    const path = join(folder, 'model.onnx');
    const text = readFileSync(path, 'latin1');
    const own = String(contractHash(COMPONENT_CONTRACT));
    t.true(text.includes(own));
    writeFileSync(path, text.replaceAll(own, own.replace(/./g, '1')), 'latin1');
    // As if it had been trained elsewhere: nothing beside it names its bytes.
    rmSync(join(folder, 'manifest.json'));
  });
  t.is(code, 3);
  t.regex(stderr, /\[MODEL_SIGNATURE_MISMATCH\]/);
});

test.serial('without a model no core starts', async t => {
  const yaml = `scoring: {modelDir: ${temporaryFolder(t)}}\n`;
  const {code, stderr} = await refused(t, [], {yaml});
  t.is(code, 3);
  t.regex(stderr, /\[MODEL_UNREADABLE\]/);
});

for (const {what, flags, section} of [
  {what: 'broker', flags: ['--log', 'kafka'], section: 'log: {kafka: {brokers: [ADDRESS]}}'},
  {
    what: 'QuestDB',
    flags: ['--store', 'questdb'],
    section: 'store: {questdb: {address: ADDRESS}}',
  },
]) {
  test(`a ${what} that is not there is given up on, with its address`, async t => {
    const address = await port(t, 'closed');
    const yaml = `${section.replace('ADDRESS', `'${address}'`)}\n`;
    const {code, stderr} = await refused(t, flags, {yaml, withinMs: 60_000});
    t.is(code, 4);
    t.regex(stderr, new RegExp(`^forestay: \\[DEPENDENCY_UNREACHABLE\\].* ${address}\\b`, 'm'));
  });
}
