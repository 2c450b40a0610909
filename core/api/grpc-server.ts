import {type AddressInfo, createServer, type Server} from 'node:net';
import type {DescService} from '@bufbuild/protobuf';
import type {GenService, GenServiceMethods} from '@bufbuild/protobuf/codegenv2';
import * as grpc from '@grpc/grpc-js';
import {HealthImplementation} from 'grpc-health-check';
import {Health} from '../../proto/gen/health_pb.ts';
import {addService, type Handlers} from '../../proto/grpc.ts';
import {formatAddress} from '../domain/address.ts';
import {bindFailure, checkBind} from '../domain/bind.ts';
import {within} from '../domain/concurrency.ts';
import type {Clock} from '../ports.ts';
import {ConnectionGate} from './connection-gate.ts';
import {addReflection} from './reflection.ts';

/** A service with its handlers, ready to be added to a server. */
export type ServiceBinding = {service: DescService; addTo(server: grpc.Server): void};

export function bindService<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
  handlers: Handlers<Methods>,
): ServiceBinding {
  return {service, addTo: server => addService(server, service, handlers)};
}

export type GrpcServerOptions = {
  /** HOST:PORT; port 0 takes a free one. */
  listen: string;
  insecure: boolean;
  services: readonly ServiceBinding[];
  clock: Clock;
  /** Health says NOT_SERVING until this is true, and again when it is not. */
  isReady(): boolean;
};

export type GrpcServer = {
  /** With the real port. */
  address: string;
  /** Takes no new calls, lets running ones end until the deadline, then ends them. */
  close(deadlineMs: number): Promise<void>;
};

/** Above the largest batch that ingest takes, so that ingest says what is wrong with a larger one. */
const MESSAGE_BYTES_MAX = 16 * 2 ** 20;
const HEALTH_EVERY_MS = 250;
/** An edge has one; each costs about 20 KiB, and its streams. */
const CONNECTIONS_MAX = 20_000;
/** A client speaks first, and at once. */
const SILENT_MS = 10_000;

const serverOptions: grpc.ServerOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc.keepalive_time_ms': 25_000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Of one connection; a client with more to ask waits, or opens another.
  'grpc.max_concurrent_streams': 1000,
  // Without any call; clients open another one when they have one.
  'grpc.max_connection_idle_ms': 600_000,
};

/**
 * Serves gRPC with health and reflection.
 *
 * @throws {ForestayError} `BIND_REFUSED` off loopback without `insecure`, `PORT_IN_USE`.
 */
export async function createGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const {listen, insecure, services, clock, isReady} = options;
  const {host, port} = checkBind('gRPC', listen, insecure);
  const server = new grpc.Server(serverOptions);
  for (const service of services) service.addTo(server);
  const health = new HealthImplementation({});
  health.addToServer(server);
  const descriptors = services.map(({service}) => service);
  addReflection(server, [...descriptors, Health]);

  const stopHealth = keepHealth(
    health,
    ['', ...descriptors.map(service => service.typeName)],
    isReady,
    clock,
  );
  const address = formatAddress({host, port});
  const gate = new ConnectionGate({
    connectionsMax: CONNECTIONS_MAX,
    silentMs: SILENT_MS,
    hasSpoken: ({bytesRead}) => bytesRead > 0,
  });
  try {
    const listener = await listenFor(server, gate, {host, port});
    return {
      address: formatAddress({host, port: (listener.address() as AddressInfo).port}),
      async close(deadlineMs) {
        stopHealth();
        listener.close();
        gate.close();
        await shutDown(server, deadlineMs, clock);
      },
    };
  } catch (error) {
    gate.close();
    stopHealth();
    server.forceShutdown();
    throw bindFailure('gRPC', address, error);
  }
}

/** Until the returned function is called, which says NOT_SERVING for the last time. */
function keepHealth(
  health: HealthImplementation,
  names: readonly string[],
  isReady: () => boolean,
  clock: Clock,
): () => void {
  let shown: boolean | undefined;
  const show = (serving: boolean) => {
    if (serving === shown) return;
    shown = serving;
    for (const name of names) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  const stopped = new AbortController();
  const poll = async () => {
    while (!stopped.signal.aborted) {
      show(isReady());
      await clock.sleep(HEALTH_EVERY_MS, stopped.signal);
    }
    show(false);
  };
  void poll();
  return () => {
    stopped.abort();
    show(false);
  };
}

/** grpc-js binds ports itself and has no limit: the gate stands before it. */
function listenFor(
  server: grpc.Server,
  gate: ConnectionGate,
  {host, port}: {host: string; port: number},
): Promise<Server> {
  const {injectConnection} = server.createConnectionInjector(
    grpc.ServerCredentials.createInsecure(),
  );
  const listener = createServer({noDelay: true}, socket => {
    if (gate.admit(socket)) injectConnection(socket);
  });
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, host, () => resolve(listener));
  });
}

async function shutDown(server: grpc.Server, deadlineMs: number, clock: Clock): Promise<void> {
  const drained = new Promise<void>(resolve => server.tryShutdown(() => resolve()));
  if (!(await within(clock, deadlineMs, drained))) server.forceShutdown();
}
