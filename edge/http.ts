import {once} from 'node:events';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {type Address, formatAddress} from '../core/domain/address.ts';
import {bindFailure, checkBind} from '../core/domain/bind.ts';

export type HttpEndpoint = {address: string; close(): Promise<void>};

/**
 * Serves `/livez` and `/metrics`.
 *
 * @throws {ForestayError} `CONFIG_INVALID`, `BIND_REFUSED` off loopback without `insecure`,
 *   `PORT_IN_USE`.
 */
export async function serveHttp(
  listen: string,
  insecure: boolean,
  metrics: () => string,
): Promise<HttpEndpoint> {
  const address = checkBind('HTTP', listen, insecure);
  const server = createServer({requestTimeout: 10_000}, (request, response) => {
    const path = request.url?.split('?')[0];
    const body = path === '/livez' ? 'ok\n' : path === '/metrics' ? metrics() : undefined;
    response.writeHead(body === undefined ? 404 : 200, {'content-type': 'text/plain'});
    response.end(body ?? 'not found: try /livez or /metrics\n');
  });
  server.maxConnections = 100;
  await bind(server, address);
  const {port} = server.address() as AddressInfo;
  return {
    address: formatAddress({host: address.host, port}),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bind(server: Server, {host, port}: Address): Promise<void> {
  const bound = once(server, 'listening');
  server.listen(port, host);
  try {
    await bound;
  } catch (error) {
    throw bindFailure('HTTP', formatAddress({host, port}), error);
  }
}
