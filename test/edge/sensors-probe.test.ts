import {existsSync, readFileSync} from 'node:fs';
import {setTimeout} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {createProbe} from '../../edge/probe.ts';
import {createTool} from '../../edge/probe-tool.ts';
import {fakeTool, gone} from './fake-tool.ts';
import {hostFixture} from './host-fixture.ts';

const signal = new AbortController().signal;
const even = {next: () => 0.5};

/** A script that says a process number in a file: its own, or of what it puts in the background. */
function numbered(t: ExecutionContext, script: (say: (what: '$$' | '$!') => string) => string) {
  const {root} = hostFixture(t);
  const file = `${root}/pid`;
  return {
    path: fakeTool(
      t,
      script(what => `echo ${what} > ${file}.new; mv ${file}.new ${file}`),
    ),
    async processId() {
      while (!existsSync(file)) await setTimeout(5);
      return Number(readFileSync(file, 'utf8'));
    },
  };
}

test('a tool gives what it prints and its exit code', async t => {
  const tool = createTool(fakeTool(t, 'echo "$1 $LC_ALL"; exit 4'));
  t.deepEqual(await tool.run(['x'], signal), {text: 'x C\n', exitCode: 4});
});

test('a tool that is not there is a failure that names it', async t => {
  const tool = createTool('/nowhere/smartctl');
  await t.throwsAsync(tool.run(['-x'], signal), {
    code: 'SENSOR_FAILED',
    message: /cannot run \/nowhere\/smartctl -x/,
  });
});

test('a tool that hangs is killed at its deadline with whatever it has started', async t => {
  const {path, processId} = numbered(t, say => `sleep 600 & ${say('$!')}; wait`);
  const tool = createTool(path, {deadlineMs: 2_000});
  await t.throwsAsync(tool.run([], signal), {code: 'SENSOR_FAILED', message: /more than 2000 ms/});
  await gone(await processId());
  // Its place is free again.
  await t.throwsAsync(tool.run([], signal), {message: /more than 2000 ms/});
});

test('a tool that hands its output to a child and goes cannot outstay its deadline', async t => {
  const tool = createTool(fakeTool(t, 'sleep 600 & exit 0'), {deadlineMs: 200});
  await t.throwsAsync(tool.run([], signal), {message: /more than 200 ms/});
});

test('a tool that prints without end is killed at its bound', async t => {
  const {path, processId} = numbered(t, say => `${say('$$')}; exec yes`);
  const tool = createTool(path, {bytesMax: 10_000});
  await t.throwsAsync(tool.run([], signal), {message: /printed more than 10000 bytes/});
  await gone(await processId());
});

test('a tool is stopped with its probe', async t => {
  const {path, processId} = numbered(t, say => `${say('$$')}; exec sleep 600`);
  const stopping = new AbortController();
  const running = createTool(path).run([], stopping.signal);
  const id = await processId();
  stopping.abort();
  await t.throwsAsync(running, {message: /was stopped/});
  await gone(id);
});

test('the same call is not made again while the last one is still there', async t => {
  const tool = createTool(fakeTool(t, 'exec sleep 600'));
  const stopping = new AbortController();
  const first = tool.run(['a'], stopping.signal);
  await t.throwsAsync(tool.run(['a'], signal), {message: /still hangs/});
  stopping.abort();
  await t.throwsAsync(first);
});

test('a probe gives its last answer, asks again when a period is over, and one at a time', async t => {
  let asked = 0;
  let answer = (_: string): void => {};
  const probe = createProbe(1000, even, () => {
    asked++;
    return new Promise<string>(resolve => {
      answer = resolve;
    });
  });
  t.is(probe.read(0), undefined);
  t.is(probe.read(5000), undefined);
  t.is(asked, 1, 'it still runs');
  answer('first');
  await setTimeout(0);
  t.is(probe.read(500), 'first');
  t.is(asked, 1);
  t.is(probe.read(1000), 'first');
  t.is(asked, 2);
  // The answer is as old as its question.
  t.is(probe.read(3000), 'first');
  t.is(probe.read(3001), undefined);
  answer('second');
  await setTimeout(0);
  t.is(probe.read(3002), 'second');
});

test('a clock that goes back delays a probe by no more than a period', async t => {
  let asked = 0;
  const probe = createProbe(1000, even, async () => ++asked);
  probe.read(1_000_000);
  await setTimeout(0);
  probe.read(999_500);
  t.is(asked, 1);
  probe.read(10);
  t.is(asked, 2);
});

test('periods differ by up to a tenth', t => {
  for (const [random, dueMs] of [
    [0, 900],
    [0.999, 1099],
  ] as const) {
    let asked = 0;
    const probe = createProbe(1000, {next: () => random}, () => {
      asked++;
      throw new Error('none');
    });
    probe.read(0);
    probe.read(dueMs - 2);
    t.is(asked, 1);
  }
});

test('a run that fails is one failure, and so are many parts of one run', async t => {
  const probe = createProbe(1000, even, async ({failed}) => {
    failed(new Error('a part'));
    failed(new Error('another'));
    throw new Error('the whole');
  });
  probe.read(0);
  await setTimeout(0);
  t.throws(() => probe.rethrow(), {message: 'a part'});
  t.notThrows(() => probe.rethrow());
});

test('a closed probe asks no more and says nothing of being stopped', async t => {
  let asked = 0;
  const probe = createProbe(1000, even, async ({signal: stopping}) => {
    asked++;
    await new Promise((_, reject) => {
      stopping.addEventListener('abort', () => reject(new Error('stopped')));
    });
  });
  probe.read(0);
  probe.close();
  await setTimeout(0);
  t.notThrows(() => probe.rethrow());
  probe.read(10_000);
  t.is(asked, 1);
});
