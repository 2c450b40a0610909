import {once} from 'node:events';
import {createServer, type Socket} from 'node:net';
import test from 'ava';
import {openFrameStream} from '../../bench/support/stream-frames.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {startServer} from '../api/telemetry-server.ts';
import {batchBytes, blockOf, HELLO, sequencesOf} from '../engine/ingest-fixtures.ts';

const quiet = {answered: () => {}, writable: () => {}, closed: () => {}};

test('the stream of the generator is one that a core takes, beyond the windows of HTTP/2', async t => {
  const {address, log} = await startServer(t);
  const acks: number[] = [];
  let isBlocked = false;
  let seq = 0;
  const send = () => {
    while (!isBlocked && seq < 8) isBlocked = !stream.send(large(++seq));
  };
  const large = (of: number) => batchBytes(of, {blocks: [blockOf(HOST_METRICS, {rows: 400})]});
  const stream = await openFrameStream(address, HELLO, {
    ...quiet,
    answered: response => {
      if (response.case === 'ack') acks.push(Number(response.value.seq));
    },
    writable: () => {
      isBlocked = false;
      send();
    },
  });
  t.teardown(() => stream.close());
  t.true(8 * large(1).length > 4 * 65_535);
  send();
  while (acks.at(-1) !== 8) await new Promise(resolve => setTimeout(resolve, 5));
  t.deepEqual(await sequencesOf(log), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a stream that the core ends is told once', async t => {
  const {address} = await startServer(t);
  const told: string[] = [];
  const stream = await openFrameStream(address, HELLO, {...quiet, closed: why => told.push(why)});
  t.teardown(() => stream.close());
  stream.send(batchBytes(1));
  stream.send(batchBytes(3));
  while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 5));
  await new Promise(resolve => setTimeout(resolve, 20));
  t.is(told.length, 1);
});

test('pings and settings are answered', async t => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const {port} = server.address() as {port: number};
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const stream = await openFrameStream(`127.0.0.1:${port}`, HELLO, quiet);
  t.teardown(() => stream.close());
  const [socket] = await accepted;
  const frame = (type: number, payload: Buffer) =>
    Buffer.concat([Buffer.from([0, 0, payload.length, type, 0, 0, 0, 0, 0]), payload]);
  let heard = Buffer.alloc(0);
  socket.on('data', chunk => {
    heard = Buffer.concat([heard, chunk]);
  });
  socket.write(Buffer.concat([frame(4, Buffer.alloc(0)), frame(6, Buffer.from('12345678'))]));
  const answers = Buffer.concat([
    Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]),
    Buffer.from([0, 0, 8, 6, 1, 0, 0, 0, 0]),
    Buffer.from('12345678'),
  ]);
  while (!heard.includes(answers)) await new Promise(resolve => setTimeout(resolve, 5));
  t.true(heard.toString('latin1').startsWith('PRI * HTTP/2.0'));
});
