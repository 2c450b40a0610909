import {execFileSync, spawn} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {ConnectionGate} from '../../core/api/connection-gate.ts';
import {createHttpServer} from '../../core/api/http-server.ts';
import {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {call, startApi} from './server.ts';

const SILENT = fileURLToPath(new URL('./silent-connections.ts', import.meta.url));
const MIB = 2 ** 20;

/** As many as are asked for, if the system lets a process have them. */
function atMost(count: number): number {
  const limit = execFileSync('sh', ['-c', 'ulimit -n'], {encoding: 'utf8'}).trim();
  return limit === 'unlimited' ? count : Math.min(count, Number(limit) - 500);
}

async function openSilently(t: ExecutionContext, address: string, count: number): Promise<void> {
  const port = address.slice(address.lastIndexOf(':') + 1);
  const child = spawn(process.execPath, [SILENT, port, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

test.serial(
  'ten thousand connections that say nothing keep nobody out, and cost little',
  async t => {
    t.timeout(120_000);
    const {api, client} = await startApi(t);
    const fleet = client(FleetService);
    await call(fleet, fleet.listHosts, {});
    const before = process.memoryUsage().rss;
    const count = atMost(10_000);
    await openSilently(t, api.grpcAddress, count);
    await openSilently(t, api.httpAddress, atMost(3000));
    t.deepEqual((await call(fleet, fleet.listHosts, {})).hosts, []);
    t.is((await fetch(`http://${api.httpAddress}/livez`)).status, 200);
    const another = client(FleetService);
    t.deepEqual((await call(another, another.listHosts, {})).hosts, []);
    const grown = (process.memoryUsage().rss - before) / MIB;
    t.true(grown < 500, `${grown} MiB`);
    t.log(`${count} silent connections of gRPC cost ${grown.toFixed(0)} MiB`);
  },
);

test.serial(
  'who sends its request a byte at a time does not get to its end, others do',
  async t => {
    const server = await createHttpServer({
      listen: '127.0.0.1:0',
      insecure: false,
      metrics: {render: async () => ({contentType: '', text: ''}), close: () => {}},
      checks: () => [],
      versions: () => ({}),
      headersMs: 500,
    });
    t.teardown(server.close);
    const port = Number(server.address.split(':')[1]);
    const slow = Array.from({length: 100}, (_, index) => {
      const socket = connect(port, '127.0.0.1');
      socket.resume();
      socket.on('error', () => {});
      // Half of them have been good once: the second request is the slow one.
      if (index % 2 === 0) socket.write('GET /livez HTTP/1.1\r\nhost: core\r\n\r\n');
      socket.write('GET /livez HTTP/1.1\r\nx-slow: ');
      const dripping = setInterval(() => void socket.write('a'), 50);
      // Not `once`: it takes the reset that ends a connection for a failure of the waiting.
      return new Promise<void>(resolve => {
        socket.on('close', () => {
          clearInterval(dripping);
          resolve();
        });
      });
    });
    t.is((await fetch(`http://${server.address}/livez`)).status, 200);
    await Promise.all(slow);
    t.is((await fetch(`http://${server.address}/livez`)).status, 200);
  },
);

/** A socket that knows whether it is open. */
class FakeSocket extends EventEmitter {
  open = true;
  spoke = false;

  destroy(): void {
    this.open = false;
    this.emit('close');
  }
}

const asSocket = (socket: FakeSocket) => socket as unknown as Socket;

test('when there is no room the oldest silent connection goes, and none that has spoken', t => {
  const gate = new ConnectionGate({
    connectionsMax: 3,
    silentMs: 60_000,
    hasSpoken: socket => (socket as unknown as FakeSocket).spoke,
  });
  t.teardown(() => gate.close());
  const sockets = Array.from({length: 6}, () => new FakeSocket());
  const [a, b, c, d, e, f] = sockets as [
    FakeSocket,
    FakeSocket,
    FakeSocket,
    FakeSocket,
    FakeSocket,
    FakeSocket,
  ];
  for (const socket of [a, b, c]) t.true(gate.admit(asSocket(socket)));
  gate.heard(asSocket(a));
  b.spoke = true;
  t.true(gate.admit(asSocket(d)));
  t.deepEqual(
    sockets.map(({open}) => open),
    [true, true, false, true, true, true],
  );
  d.spoke = true;
  t.false(gate.admit(asSocket(e)), 'all have spoken');
  t.false(e.open);
  t.deepEqual(gate.counts(), {open: 3, silent: 0});
  a.destroy();
  t.true(gate.admit(asSocket(f)));
  gate.close();
  t.false(f.open);
  t.true(b.open);
});
