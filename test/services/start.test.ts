import {fileURLToPath} from 'node:url';
import test from 'ava';
import {runTool} from '../support/tool.ts';
import {missingTool} from './jars.ts';
import {mayStartService} from './need.ts';
import {startService} from './start.ts';

const START = fileURLToPath(new URL('./start.ts', import.meta.url));

test('start.ts says what is wrong with its arguments; --help is no mistake', async t => {
  t.like(await runTool(START, ['kafka', 'nothing']), {code: 2, stdout: ''});
  t.regex((await runTool(START)).stderr, /^which service\?\n\nusage: /);
  const help = await runTool(START, ['--help']);
  t.is(help.code, 0);
  t.regex(help.stdout, /^usage: node test\/services\/start\.ts/);
});

test.serial('a service that cannot be started says what is missing, and what to do', async t => {
  const {PATH} = process.env;
  process.env.PATH = '/nowhere';
  t.teardown(() => {
    process.env.PATH = PATH;
  });
  t.regex(missingTool('kafka') ?? '', /^java is not there: install/);
  await t.throwsAsync(startService('kafka'), {
    code: 'DEPENDENCY_UNREACHABLE',
    message: /cannot start kafka: java is not there: .*, or set FORESTAY_TEST_KAFKA to/,
  } as object);
  const {code, stderr} = await runTool(START, ['questdb']);
  t.is(code, 1);
  t.regex(stderr, /DEPENDENCY_UNREACHABLE.*cannot start questdb: java is not there/);
});

test.serial('each service is printed with its name, and nothing warns', async t => {
  if (!mayStartService(t, 'kafka') || !mayStartService(t, 'questdb')) return;
  t.timeout(12 * 60_000);
  const ran = await runTool(START, ['kafka', 'questdb'], {
    onStarted: pid => process.kill(pid, 'SIGINT'),
  });
  t.is(ran.stderr, 'kafka and questdb run until Ctrl-C\n');
  t.regex(ran.stdout, /^FORESTAY_TEST_KAFKA=127\.\S+:\d+\nFORESTAY_TEST_QUESTDB=127\.\S+:\d+\n$/);
  t.is(ran.code, 0);
});
