/** One gRPC stream of an edge on a connection of its own, on node:http2 alone: cheap enough for 10,000. */
import {type ClientHttp2Session, connect} from 'node:http2';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {
  IngestRequestSchema,
  type IngestResponse,
  IngestResponseSchema,
} from '../../proto/gen/forestay/v1/telemetry_pb.ts';

export type StreamEvents = {
  answered(response: IngestResponse['response']): void;
  writable(): void;
  /** The stream ended; nothing comes any more. */
  closed(why: string): void;
};

export type IngestStream = {
  /** False: wait for `writable` before the next one. */
  send(message: Uint8Array): boolean;
  close(): void;
};

const PREFIX = 5;
const headers = {
  ':method': 'POST',
  ':path': '/forestay.v1.TelemetryService/Ingest',
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** Connects and says hello. Rejects if there is no connection within the deadline. */
export async function openStream(
  address: string,
  hello: {edge: string; cell: string; incarnation: number},
  events: StreamEvents,
  deadlineMs = 30_000,
): Promise<IngestStream> {
  const session = await connected(address, deadlineMs);
  const stream = session.request(headers, {endStream: false});
  const send = (message: Uint8Array): boolean => stream.write(framed(message));
  stream.on(
    'data',
    readMessages(message => events.answered(responseOf(message))),
  );
  stream.on('drain', () => events.writable());
  stream.on('error', () => {});
  stream.on('close', () => events.closed(`reset code ${stream.rstCode}`));
  session.on('error', () => {});
  send(
    toBinary(
      IngestRequestSchema,
      create(IngestRequestSchema, {request: {case: 'hello', value: hello}}),
    ),
  );
  return {
    send,
    close() {
      stream.close();
      session.destroy();
    },
  };
}

function connected(address: string, deadlineMs: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${address}`, {settings: {enablePush: false}});
    const timer = setTimeout(
      () => session.destroy(new Error(`no connection in ${deadlineMs} ms`)),
      deadlineMs,
    );
    session.once('error', reject);
    session.once('connect', () => {
      clearTimeout(timer);
      session.off('error', reject);
      resolve(session);
    });
  });
}

function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, PREFIX);
  return bytes;
}

const responseOf = (bytes: Uint8Array) => fromBinary(IngestResponseSchema, bytes).response;

/** Cuts a stream of bytes into messages. */
export function readMessages(take: (message: Uint8Array) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= PREFIX) {
      const end = PREFIX + rest.readUInt32BE(1);
      if (rest.length < end) return;
      take(rest.subarray(PREFIX, end));
      rest = rest.subarray(end);
    }
  };
}
