import type {GenService, GenServiceMethods} from '@bufbuild/protobuf/codegenv2';
import type * as grpc from '@grpc/grpc-js';
import {type Command, InvalidArgumentError} from 'commander';
import {parseAddress} from '../core/domain/address.ts';
import {ForestayError, toErrorCode} from '../core/domain/errors.ts';
import type {ServiceClient, UnaryCall} from '../proto/grpc.ts';
import {EXIT} from './exit-codes.ts';

/** What every command that talks to a core takes. */
export type ClientOptions = {server: string; timeout: number};

export function addClientOptions(command: Command): Command {
  return command
    .option('--server <host:port>', 'the core to ask', parseServer, '127.0.0.1:7443')
    .option('--timeout <seconds>', 'give up after this long', parseSeconds, 10);
}

export type Connection = {
  client<Methods extends GenServiceMethods>(service: GenService<Methods>): ServiceClient<Methods>;
  /** Calls a unary method under the deadline; failures become errors of ours. */
  call<Request, Response>(
    client: grpc.Client,
    method: UnaryCall<Request, Response>,
    request: Request,
  ): Promise<Response>;
  /** Reads a stream to its end; interrupting it ends the process with 130. */
  read<Event>(stream: grpc.ClientReadableStream<Event>): AsyncIterable<Event>;
};

/** Opens clients for as long as `use` runs. */
export async function withCore<Result>(
  {server, timeout}: ClientOptions,
  use: (core: Connection) => Promise<Result>,
): Promise<Result> {
  // Loaded here: `forestay --help` has no use for gRPC.
  const [{Metadata}, {createClient}, {readErrorInfo}] = await Promise.all([
    import('@grpc/grpc-js'),
    import('../proto/grpc.ts'),
    import('../proto/rich-errors.ts'),
  ]);
  const toError = (error: grpc.ServiceError) =>
    explain(error, server, timeout, readErrorInfo(error)?.reason);
  const opened: grpc.Client[] = [];
  const interrupt = () => process.exit(EXIT.interrupted);
  process.once('SIGINT', interrupt);
  try {
    return await use({
      client(service) {
        const client = createClient(service, server);
        opened.push(client);
        return client;
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
        try {
          yield* stream as AsyncIterable<never>;
        } catch (error) {
          throw toError(error as grpc.ServiceError);
        }
      },
    });
  } finally {
    process.off('SIGINT', interrupt);
    for (const client of opened) client.close();
  }
}

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
    return new ForestayError(
      'SERVER_UNREACHABLE',
      `cannot reach a core at ${server}; start one with "forestay core", or name it with --server`,
      {retryable: true, cause: error},
    );
  }
  if (error.code === UNIMPLEMENTED) {
    return new ForestayError(
      'SERVER_UNREACHABLE',
      `what answers at ${server} is no core, or a core of another version; name yours with --server`,
      {cause: error},
    );
  }
  if (error.code === DEADLINE_EXCEEDED) {
    return new ForestayError(
      'TIMED_OUT',
      `no answer from ${server} within ${timeout} s; try again, or allow more with --timeout`,
      {retryable: true, cause: error},
    );
  }
  return error;
}

function parseServer(text: string): string {
  if (parseAddress(text) === undefined) throw new InvalidArgumentError('Expected HOST:PORT.');
  return text;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('Expected seconds above 0.');
}
