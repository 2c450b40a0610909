/**
 * The bridge from protobuf-es descriptors to grpc-js. Reflection, server and client all take the
 * service definition that is made here.
 */

import type {DescMessage, DescService, MessageInitShape, MessageShape} from '@bufbuild/protobuf';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import type {GenService, GenServiceMethods} from '@bufbuild/protobuf/codegenv2';
import * as grpc from '@grpc/grpc-js';

/** What a sender may give: a message, the fields of one, or bytes that are encoded already. */
export type Outgoing<Schema extends DescMessage> = MessageInitShape<Schema> | Uint8Array;

type Method = GenServiceMethods[string];
type Input<M extends Method> = MessageShape<M['input']>;
type Output<M extends Method> = Outgoing<M['output']>;

/** The grpc-js handler of a method, by its kind. */
type Handler<M extends Method> = M['methodKind'] extends 'unary'
  ? grpc.handleUnaryCall<Input<M>, Output<M>>
  : M['methodKind'] extends 'server_streaming'
    ? grpc.handleServerStreamingCall<Input<M>, Output<M>>
    : M['methodKind'] extends 'client_streaming'
      ? grpc.handleClientStreamingCall<Input<M>, Output<M>>
      : grpc.handleBidiStreamingCall<Input<M>, Output<M>>;

/** One handler a method, typed by the service. */
export type Handlers<Methods extends GenServiceMethods> = {
  [Name in keyof Methods]: Handler<Methods[Name]>;
};

/** A unary method of a client. */
export type UnaryCall<Request, Response> = (
  request: Request,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: grpc.requestCallback<Response>,
) => grpc.ClientUnaryCall;

type CallOf<M extends Method, Request, Response> = M['methodKind'] extends 'unary'
  ? UnaryCall<Request, Response>
  : M['methodKind'] extends 'server_streaming'
    ? (request: Request, options?: grpc.CallOptions) => grpc.ClientReadableStream<Response>
    : M['methodKind'] extends 'client_streaming'
      ? (callback: grpc.requestCallback<Response>) => grpc.ClientWritableStream<Request>
      : (options?: grpc.CallOptions) => grpc.ClientDuplexStream<Request, Response>;

/** A client with one function a method, typed by the service. */
export type ServiceClient<Methods extends GenServiceMethods> = grpc.Client & {
  [Name in keyof Methods]: CallOf<
    Methods[Name],
    Outgoing<Methods[Name]['input']>,
    MessageShape<Methods[Name]['output']>
  >;
};

/** The service as grpc-js wants it. Method names are the generated ones (`ingest`). */
export function toServiceDefinition(service: DescService): grpc.ServiceDefinition {
  return Object.fromEntries(
    service.methods.map(method => {
      const {methodKind} = method;
      const definition: grpc.MethodDefinition<unknown, unknown> = {
        path: `/${service.typeName}/${method.name}`,
        requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
        responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
        requestSerialize: serialiser(method.input),
        requestDeserialize: bytes => fromBinary(method.input, bytes),
        responseSerialize: serialiser(method.output),
        responseDeserialize: bytes => fromBinary(method.output, bytes),
        originalName: method.localName,
      };
      return [method.localName, definition];
    }),
  );
}

/** Adds the handlers of a service to a server, with types that fit. */
export function addService<Methods extends GenServiceMethods>(
  server: grpc.Server,
  service: GenService<Methods>,
  handlers: Handlers<Methods>,
): void {
  server.addService(toServiceDefinition(service as DescService), handlers as never);
}

/** Opens a client of a service. It connects at its first call; `close()` it. */
export function createClient<Methods extends GenServiceMethods>(
  service: GenService<Methods>,
  address: string,
  options: grpc.ClientOptions = {},
  credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
): ServiceClient<Methods> {
  const definition = toServiceDefinition(service as DescService);
  const Client = grpc.makeGenericClientConstructor(definition, service.typeName);
  // A proxy for the web knows no agents, and cannot reach a core that listens on loopback.
  const direct = {'grpc.enable_http_proxy': 0, ...options};
  return new Client(address, credentials, direct) as unknown as ServiceClient<Methods>;
}

/** grpc-js takes only Buffers: a plain Uint8Array fails deep inside it. */
function serialiser(schema: DescMessage): (value: unknown) => Buffer {
  return value => {
    const bytes =
      value instanceof Uint8Array
        ? value
        : toBinary(schema, create(schema, value as MessageInitShape<DescMessage>));
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}
