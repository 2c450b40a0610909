import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {type AddressInfo, createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {forestay, start} from './run.ts';

test('a core starts on free ports, says where, answers, and ends with 0 on SIGTERM', async t => {
  const data = mkdtempSync(join(tmpdir(), 'forestay-core-'));
  t.teardown(() => rmSync(data, {recursive: true}));
  const free = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const core = start(['core', '--data', data, ...free, '--hypervisor', 'none'], {cwd: data});
  t.teardown(() => core.signal('SIGKILL'));
  await core.until('"httpAddress"');
  const {grpcAddress, httpAddress} = JSON.parse(core.stderr().split('\n')[0] ?? '');
  const status = await forestay(['status', '-o', 'json', '--server', grpcAddress]);
  t.is(status.code, 0);
  t.regex(JSON.parse(status.stdout).version, /^\d/);
  t.is((await fetch(`http://${httpAddress}/livez`)).status, 200);
  const versions = await (await fetch(`http://${httpAddress}/version`)).json();
  t.like(versions, {version: JSON.parse(status.stdout).version});
  const paused = await forestay(['pause', '--server', grpcAddress, '--comment', 'test']);
  t.is(paused.code, 0);

  const second = ['core', '--data', data, ...free, '--hypervisor', 'none'];
  const locked = await forestay(second, {cwd: data});
  t.is(locked.code, 7);
  t.regex(locked.stderr, /\[DATA_DIR_LOCKED\]/);

  core.signal('SIGTERM');
  const {code, stdout, stderr} = await core.done;
  t.is(code, 0);
  t.is(stdout, '');
  t.regex(stderr, /"msg":"stopped"/);
});

test('a core whose lock was removed leaves its folder to the one that took it', async t => {
  const data = mkdtempSync(join(tmpdir(), 'forestay-core-'));
  t.teardown(() => rmSync(data, {recursive: true}));
  const free = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const command = ['core', '--data', data, ...free, '--store', 'memory', '--hypervisor', 'none'];
  const first = start(command, {cwd: data});
  t.teardown(() => first.signal('SIGKILL'));
  await first.until('"httpAddress"');
  rmSync(join(data, 'log', 'lock'));
  const second = start(command, {cwd: data});
  t.teardown(() => second.signal('SIGKILL'));
  await second.until('"httpAddress"');
  const {grpcAddress} = JSON.parse(first.stderr().split('\n')[0] ?? '');
  await forestay(['pause', '--server', grpcAddress, '--comment', 'test']);
  const {code, stderr} = await first.done;
  t.is(code, 7);
  t.regex(stderr, /DATA_DIR_LOCKED.*removed or taken/);
  second.signal('SIGTERM');
  t.is((await second.done).code, 0);
});

test('Ctrl-C that comes twice, as through npm, still ends a core in order', async t => {
  const data = mkdtempSync(join(tmpdir(), 'forestay-core-'));
  t.teardown(() => rmSync(data, {recursive: true}));
  const free = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
  const core = start(['core', '--data', data, ...free, '--hypervisor', 'none'], {cwd: data});
  t.teardown(() => core.signal('SIGKILL'));
  await core.until('"httpAddress"');
  core.signal('SIGINT');
  await core.until('finishing what was taken');
  core.signal('SIGINT');
  const {code, stderr} = await core.done;
  t.is(code, 0);
  t.regex(stderr, /"msg":"stopped"/);
});

/** A server that takes connections and never says a word; gives its address. */
async function silentServer(t: ExecutionContext) {
  const server = createServer().listen(0, '127.0.0.1');
  const sockets: Socket[] = [];
  server.on('connection', socket => sockets.push(socket.on('error', () => {})));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const {service, yaml} of [
  {service: 'Kafka', yaml: (at: string) => `log: {kind: kafka, kafka: {brokers: ['${at}']}}\n`},
  {
    service: 'QuestDB',
    yaml: (at: string) =>
      `log: {kind: memory}\nstore: {kind: questdb, questdb: {address: '${at}'}}\n`,
  },
]) {
  test(`a core that waits for ${service} says so, and a signal ends it`, async t => {
    const data = mkdtempSync(join(tmpdir(), 'forestay-core-'));
    t.teardown(() => rmSync(data, {recursive: true}));
    const address = await silentServer(t);
    const config = join(data, 'forestay.yaml');
    writeFileSync(config, yaml(address));
    const free = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
    const core = start(['core', '--config', config, '--data', data, ...free], {cwd: data});
    t.teardown(() => core.signal('SIGKILL'));
    await core.until(`waiting for ${service} at ${address} (up to 15 s)`);
    core.signal('SIGTERM');
    const {code, stderr} = await core.done;
    t.is(code, 0);
    t.regex(stderr, /SIGTERM: stopped before it was ready/);
  });
}
