/** A network between two parties that a test can slow down, hold up and cut. */
import {once} from 'node:events';
import {createServer, connect as dial, type Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {parseAddress} from '../../core/domain/address.ts';

export type TcpProxy = {
  /** HOST:PORT to connect to. */
  address: string;
  /** Everything takes so much longer, each way. */
  delay(ms: number): void;
  /** No connection carries more than this, each way. */
  throttle(bytesPerSecond: number): void;
  /** Connections stay, and new ones are taken, but nothing comes through before {@link heal}. */
  hold(): void;
  /** Connections break; new ones break at once. */
  cut(): void;
  /** As if nothing had ever been. */
  heal(): void;
  close(): Promise<void>;
};

/** `target` is asked for its HOST:PORT at every connection. */
export async function startTcpProxy(target: () => string): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let bytesPerSecond = Number.POSITIVE_INFINITY;
  let isCut = false;
  let held: PromiseWithResolvers<void> | undefined;

  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    // Who breaks a connection, and how, is a matter of the two ends.
    return socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  };
  const pump = async (from: Socket, to: Socket): Promise<void> => {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await held?.promise;
        const waitMs = delayMs + (1000 * chunk.length) / bytesPerSecond;
        if (waitMs > 0) await sleep(waitMs);
        if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      }
      to.end();
    } catch {
      to.destroy();
    }
  };
  const server = createServer(client => {
    keep(client);
    if (isCut) return void client.destroy();
    const {host, port} = parseAddress(target()) ?? {host: '127.0.0.1', port: 0};
    const upstream = keep(dial(port, host));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.once('close', () => other.destroy());
      void pump(one, other);
    }
  });
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a proxy needs a port');
  return {
    address: `127.0.0.1:${bound.port}`,
    delay(ms) {
      delayMs = ms;
    },
    throttle(limit) {
      bytesPerSecond = limit;
    },
    hold() {
      held ??= Promise.withResolvers();
    },
    cut() {
      isCut = true;
      breakAll();
    },
    heal() {
      delayMs = 0;
      bytesPerSecond = Number.POSITIVE_INFINITY;
      isCut = false;
      held?.resolve();
      held = undefined;
    },
    async close() {
      held?.resolve();
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}
