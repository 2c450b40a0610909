import type {GenService, GenServiceMethods} from '@bufbuild/protobuf/codegenv2';
import type * as grpc from '@grpc/grpc-js';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {ForestayError, toErrorCode} from '../core/domain/errors.ts';
import type {ServiceClient, UnaryCall} from '../proto/grpc.ts';
import {EXIT} from './exit-codes.ts';
import {parseServers, Servers} from './servers.ts';

/** What every command that talks to a core takes. */
export type ClientOptions = {server: readonly string[]; timeout: number};

export function addClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--server <host:port>', 'the core to ask; of several, a,b,c, one that answers')
        .argParser(parseServers)
        .default(['127.0.0.1:7443'], '127.0.0.1:7443'),
    )
    .option('--timeout <seconds>', 'give up after this long', parseSeconds, 10);
}

export type Connection = {
  /** The core that is asked. */
  server(): string;
  /** After a break: asks another one from now on, if several are named and one can be reached. */
  moveOn(): Promise<void>;
  /** A client of the core that is asked now; closed at the end. */
  client<Methods extends GenServiceMethods>(service: GenService<Methods>): ServiceClient<Methods>;
  /** Calls a unary method under the deadline; failures become errors of ours. */
  call<Request, Response>(
    client: grpc.Client,
    method: UnaryCall<Request, Response>,
    request: Request,
  ): Promise<Response>;
  /**
   * Reads a stream to its end; interrupting it ends the process with 130. Only its first answer is
   * under the deadline.
   */
  read<Event>(stream: grpc.ClientReadableStream<Event>): AsyncIterable<Event>;
};

/** Opens clients for as long as `use` runs. */
export async function withCore<Result>(
  {server, timeout}: ClientOptions,
  use: (core: Connection) => Promise<Result>,
): Promise<Result> {
  // Loaded here: `forestay --help` has no use for gRPC.
  const [{Client, credentials, Metadata}, {createClient}, {readErrorInfo}] = await Promise.all([
    import('@grpc/grpc-js'),
    import('../proto/grpc.ts'),
    import('../proto/rich-errors.ts'),
  ]);
  const servers = new Servers(
    server,
    address => new Client(address, credentials.createInsecure(), DIRECT),
  );
  const toError = (error: grpc.ServiceError) =>
    explain(error, servers.current, timeout, readErrorInfo(error)?.reason);
  const opened = new Map<string, grpc.Client>();
  const interrupt = () => process.exit(EXIT.interrupted);
  process.once('SIGINT', interrupt);
  try {
    if (!(await servers.choose())) throw unreachable(server.join(' or '));
    return await use({
      server: () => servers.current,
      moveOn: () => servers.moveOn(),
      client<Methods extends GenServiceMethods>(service: GenService<Methods>) {
        const key = `${service.typeName} ${servers.current}`;
        const client = opened.get(key) ?? createClient(service, servers.current);
        opened.set(key, client);
        return client as ServiceClient<Methods>;
      },
      call: (client, method, request) =>
        new Promise((resolve, reject) => {
          const options = {deadline: Date.now() + timeout * 1000};
          method.call(client, request, new Metadata(), options, (error, response) => {
            if (error) reject(toError(error));
            else resolve(response as never);
          });
        }),
      async *read(stream) {
        let isLate = false;
        const timer = setTimeout(() => {
          isLate = true;
          stream.cancel();
        }, timeout * 1000);
        try {
          for await (const event of stream) {
            clearTimeout(timer);
            yield event;
          }
        } catch (error) {
          if (isLate) throw unanswered(servers.current, timeout);
          throw toError(error as grpc.ServiceError);
        } finally {
          clearTimeout(timer);
        }
      },
    });
  } finally {
    process.off('SIGINT', interrupt);
    for (const client of opened.values()) client.close();
  }
}

/** As of every client of ours: a proxy for the web knows no cores. */
const DIRECT = {'grpc.enable_http_proxy': 0};

const DEADLINE_EXCEEDED = 4;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

function explain(
  error: grpc.ServiceError,
  server: string,
  timeout: number,
  reason: string | undefined,
): Error {
  const code = toErrorCode(reason);
  if (code !== undefined) {
    return new ForestayError(code, error.details, {retryable: error.code === UNAVAILABLE});
  }
  if (error.code === UNAVAILABLE) {
    return unreachable(server, error);
  }
  if (error.code === UNIMPLEMENTED) {
    return new ForestayError(
      'SERVER_UNREACHABLE',
      `what answers at ${server} is no core, or a core of another version; name yours with --server`,
      {cause: error},
    );
  }
  if (error.code === DEADLINE_EXCEEDED) {
    return unanswered(server, timeout, error);
  }
  return error;
}

function unanswered(server: string, timeout: number, cause?: Error): ForestayError {
  return new ForestayError(
    'TIMED_OUT',
    `no answer from ${server} within ${timeout} s; try again, or allow more with --timeout`,
    {retryable: true, cause},
  );
}

function unreachable(server: string, cause?: Error): ForestayError {
  return new ForestayError(
    'SERVER_UNREACHABLE',
    `cannot reach a core at ${server}; start one with "forestay core", or name it with --server`,
    {retryable: true, cause},
  );
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('Expected seconds above 0.');
}
