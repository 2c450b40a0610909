import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {formatAddress} from '../domain/address.ts';
import {bindFailure, checkBind} from '../domain/bind.ts';
import {ConnectionGate} from './connection-gate.ts';
import type {Metrics} from './metrics.ts';
import type {Check} from './status.ts';

export type HttpServerOptions = {
  listen: string;
  insecure: boolean;
  metrics: Metrics;
  checks(): readonly Check[];
  /** What `/version` answers. */
  versions(): Readonly<Record<string, unknown>>;
  /** For the whole of a request's head: who sends a byte a second does not get to its end. */
  headersMs?: number;
};

export type HttpServer = {address: string; close(): Promise<void>};

const CONNECTIONS_MAX = 1000;
const HEADERS_MS = 5000;

type Answer = {status: number; contentType: string; body: string};
type Route = (request: IncomingMessage, url: URL) => Answer | Promise<Answer>;

/**
 * Serves `/livez`, `/readyz[?verbose]`, `/metrics` and `/version`.
 *
 * @throws {ForestayError} `BIND_REFUSED` off loopback without `insecure`, `PORT_IN_USE`.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const {host, port} = checkBind('HTTP', options.listen, options.insecure);
  const routes = routesOf(options);
  const {headersMs = HEADERS_MS} = options;
  const gate = new ConnectionGate({connectionsMax: CONNECTIONS_MAX, silentMs: headersMs});
  const server = createServer(
    {
      requestTimeout: 2 * headersMs,
      headersTimeout: headersMs,
      keepAliveTimeout: headersMs,
      connectionsCheckingInterval: headersMs / 5,
    },
    (request, response) => {
      gate.heard(request.socket);
      void answer(routes, request, response);
    },
  );
  server.on('connection', socket => gate.admit(socket));
  await listen(server, host, port).catch(error => {
    gate.close();
    throw error;
  });
  return {
    address: formatAddress({host, port: (server.address() as AddressInfo).port}),
    close: () =>
      new Promise(resolve => {
        gate.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function routesOf({metrics, checks, versions}: HttpServerOptions): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    // It answers: the event loop turns. Nothing else is asked, so that a broker's outage restarts
    // nobody.
    ['/livez', () => text(200, 'ok\n')],
    ['/readyz', (_request, url) => readiness(checks(), url.searchParams.has('verbose'))],
    ['/version', () => json(versions())],
    [
      '/metrics',
      async request => {
        const accept = request.headers.accept ?? '';
        const {contentType, text: body} = await metrics.render(
          accept.includes('application/openmetrics-text'),
        );
        return {status: 200, contentType, body};
      },
    ],
  ]);
}

function readiness(checks: readonly Check[], verbose: boolean): Answer {
  const ready = checks.every(check => check.ok);
  const lines = checks
    .filter(check => verbose || !check.ok)
    .map(({name, ok, message}) => {
      const detail = message === '' ? '' : `: ${message}`;
      return ok ? `[+]${name} ok${detail}` : `[-]${name} failed${detail}`;
    });
  return text(ready ? 200 : 503, [...lines, ready ? 'ready' : 'not ready', ''].join('\n'));
}

async function answer(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const {status, contentType, body} = await respond(routes, request).catch(() =>
    text(500, 'internal error; the log of the core has it\n'),
  );
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function respond(
  routes: ReadonlyMap<string, Route>,
  request: IncomingMessage,
): Promise<Answer> {
  const url = URL.parse(request.url ?? '', 'http://core');
  const route = url && routes.get(url.pathname);
  if (!url || !route) return text(404, `not found; there are ${[...routes.keys()].join(' ')}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET\n');
  return route(request, url);
}

function text(status: number, body: string): Answer {
  return {status, contentType: 'text/plain; charset=utf-8', body};
}

function json(value: unknown): Answer {
  return {status: 200, contentType: 'application/json', body: `${JSON.stringify(value)}\n`};
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(bindFailure('HTTP', formatAddress({host, port}), error)));
    server.listen(port, host, resolve);
  });
}
