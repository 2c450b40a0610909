import {once} from 'node:events';
import {connect, createServer} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {startTcpProxy} from '../support/tcp-proxy.ts';

/** A server that gives back what it gets, behind a proxy. */
async function startEcho(t: ExecutionContext) {
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as {port: number};
  const proxy = await startTcpProxy(() => `127.0.0.1:${port}`);
  t.teardown(async () => {
    await proxy.close();
    server.close();
  });
  const client = async () => {
    const [host = '', at] = proxy.address.split(':');
    const socket = connect(Number(at), host);
    socket.on('error', () => {});
    let heard = '';
    socket.setEncoding('utf8').on('data', text => {
      heard += text;
    });
    return {
      socket,
      heard: () => heard,
      say: (text: string) => void socket.write(text),
      async hears(text: string) {
        while (!heard.includes(text)) await sleep(2);
      },
    };
  };
  return {proxy, client};
}

test('what goes in comes out, both ways, slowed down or not', async t => {
  const {proxy, client} = await startEcho(t);
  const one = await client();
  one.say('hello');
  await one.hears('hello');
  proxy.delay(5);
  proxy.throttle(10_000);
  one.say('slowly');
  await one.hears('slowly');
  t.is(one.heard(), 'helloslowly');
});

test('a held network loses nothing: what was said comes through when it heals', async t => {
  const {proxy, client} = await startEcho(t);
  const old = await client();
  old.say('a');
  await old.hears('a');
  proxy.hold();
  old.say('b');
  const fresh = await client();
  fresh.say('c');
  await sleep(30);
  t.is(old.heard() + fresh.heard(), 'a');
  proxy.heal();
  await old.hears('b');
  await fresh.hears('c');
  t.pass();
});

test('a cut network breaks old connections and new ones, until it heals', async t => {
  const {proxy, client} = await startEcho(t);
  const old = await client();
  old.say('a');
  await old.hears('a');
  proxy.cut();
  await once(old.socket, 'close');
  const refused = await client();
  await once(refused.socket, 'close');
  proxy.heal();
  const fresh = await client();
  fresh.say('b');
  await fresh.hears('b');
  t.is(refused.heard(), '');
});
