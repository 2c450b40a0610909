import {createServer, type Server, type Socket} from 'node:net';
import {Client, credentials, Server as GrpcServer, ServerCredentials} from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {Servers} from '../../cli/servers.ts';

/** A gRPC server without a service: it can be reached. */
async function serve(t: ExecutionContext): Promise<string> {
  const server = new GrpcServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  t.teardown(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

/** Takes connections and ends them at once. */
async function refuse(t: ExecutionContext): Promise<string> {
  const server: Server = createServer((socket: Socket) => socket.destroy());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as {port: number}).port}`;
}

const open = (address: string) => new Client(address, credentials.createInsecure());

test('the first core that can be reached is asked', async t => {
  const [down, up] = [await refuse(t), await serve(t)];
  const servers = new Servers([down, up], open);
  t.true(await servers.choose());
  t.is(servers.current, up);
});

test('after a break another core is asked, though the one that broke takes connections', async t => {
  const [first, down, other] = [await serve(t), await refuse(t), await serve(t)];
  const servers = new Servers([first, down, other], open);
  t.true(await servers.choose());
  await servers.moveOn();
  t.is(servers.current, other);
  await servers.moveOn();
  t.is(servers.current, first);
});

test('a core that alone can be reached is asked again, and none is told', async t => {
  const [up, down] = [await serve(t), await refuse(t)];
  const servers = new Servers([up, down], open);
  t.true(await servers.choose());
  await servers.moveOn();
  t.is(servers.current, up);
  t.false(await new Servers([down, await refuse(t)], open).choose());
});
