import {once} from 'node:events';
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {type Address, formatAddress, isLoopback, parseAddress} from '../core/domain/address.ts';
import {ForestayError} from '../core/domain/errors.ts';

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
  const address = checkAddress('HTTP', listen, insecure);
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

/** HOST:PORT that may be bound: nobody is authenticated, so only this machine unless `insecure`. */
export function checkAddress(what: string, listen: string, insecure: boolean): Address {
  const address = parseAddress(listen);
  if (address === undefined)
    throw new ForestayError(
      'CONFIG_INVALID',
      `cannot bind ${what} to "${listen}": expected HOST:PORT, for instance 127.0.0.1:7071`,
      {details: {listen}},
    );
  if (insecure || isLoopback(address.host)) return address;
  throw new ForestayError(
    'BIND_REFUSED',
    `cannot bind ${what} to ${listen}: nobody is authenticated yet, so only this machine may ` +
      'reach it; bind 127.0.0.1, or add --insecure if the network is yours',
    {details: {listen}},
  );
}

async function bind(server: Server, {host, port}: Address): Promise<void> {
  const bound = once(server, 'listening');
  server.listen(port, host);
  try {
    await bound;
  } catch (error) {
    throw bindFailure(formatAddress({host, port}), error);
  }
}

function bindFailure(listen: string, cause: unknown): ForestayError {
  const isInUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
  const advice = isInUse
    ? 'another program has the port; stop it, or choose another port (0 takes a free one)'
    : 'the address is not one of this machine, or the port needs a privilege';
  return new ForestayError(
    isInUse ? 'PORT_IN_USE' : 'BIND_REFUSED',
    `cannot bind HTTP to ${listen}: ${advice}`,
    {details: {listen}, cause},
  );
}
