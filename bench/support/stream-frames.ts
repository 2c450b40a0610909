/**
 * One gRPC stream of an edge on a connection of its own, on frames of HTTP/2 alone: a generator of
 * 10,000 connections must cost less than the core that it measures. It sends one stream with fixed
 * headers and needs no compression; what it must know of the protocol is RFC 9113, sections 4 to 6.
 */
import {connect, type Socket} from 'node:net';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {
  IngestRequestSchema,
  IngestResponseSchema,
} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {type IngestStream, readMessages, type StreamEvents} from './stream.ts';

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;

const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const INITIAL_WINDOW_SIZE = 4;
const HEAD = 9;
const PREFIX = 5;
/** What a peer takes in one frame unless it says that it takes more. */
const PAYLOAD_MAX = 16_384;
const WINDOW_DEFAULT = 65_535;
/** Room for all the acks of any run, so that nothing need be said of it. */
const WINDOW_OURS = 2 ** 30;
const STREAM = 1;

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(SETTINGS, 0, 0, setting(2, 0), setting(INITIAL_WINDOW_SIZE, WINDOW_OURS)),
  frame(WINDOW_UPDATE, 0, 0, uint32(WINDOW_OURS - WINDOW_DEFAULT)),
]);

/** Connects and says hello. Rejects if there is no connection within the deadline. */
export async function openFrameStream(
  address: string,
  hello: {edge: string; cell: string; incarnation: number},
  events: StreamEvents,
  deadlineMs = 30_000,
): Promise<IngestStream> {
  const socket = await connected(address, deadlineMs);
  const sender = createSender(socket, events);
  const readResponses = readMessages(message =>
    events.answered(fromBinary(IngestResponseSchema, message).response),
  );
  let isClosed = false;
  const closed = (why: string) => {
    if (!isClosed) events.closed(why);
    isClosed = true;
  };
  socket.on(
    'data',
    readFrames((type, flags, stream, payload) => {
      if (type === DATA) readResponses(payload);
      else if (type === SETTINGS && (flags & ACK) === 0) {
        sender.settings(payload);
        socket.write(frame(SETTINGS, ACK, 0));
      } else if (type === PING && (flags & ACK) === 0) socket.write(frame(PING, ACK, 0, payload));
      else if (type === WINDOW_UPDATE) sender.grant(stream, payload.readUInt32BE(0));
      else if (type === RST_STREAM) closed(`reset code ${payload.readUInt32BE(0)}`);
      else if (type === GOAWAY) closed(`goaway code ${payload.readUInt32BE(4)}`);
      if ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) closed('ended');
    }),
  );
  socket.on('drain', () => sender.flush());
  socket.on('error', () => {});
  socket.on('close', () => closed('connection closed'));
  socket.write(PREFACE);
  socket.write(frame(HEADERS, END_HEADERS, STREAM, headersOf(address)));
  const request = create(IngestRequestSchema, {request: {case: 'hello', value: hello}});
  sender.send(toBinary(IngestRequestSchema, request));
  return {send: sender.send, close: () => void socket.destroy()};
}

function connected(address: string, deadlineMs: number): Promise<Socket> {
  const {hostname: host, port} = new URL(`http://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({host, port: Number(port), noDelay: true});
    const late = () => socket.destroy(new Error(`no connection in ${deadlineMs} ms`));
    const timer = setTimeout(late, deadlineMs);
    socket.once('error', reject);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Sends messages as far as the windows of stream and connection allow, and keeps the rest. */
function createSender(socket: Socket, events: Pick<StreamEvents, 'writable'>) {
  const windows = {stream: WINDOW_DEFAULT, connection: WINDOW_DEFAULT};
  let initial = WINDOW_DEFAULT;
  let waiting: Buffer[] = [];
  let isBlocked = false;

  const flush = () => {
    let sent = 0;
    for (const bytes of waiting) {
      const length = bytes.length - HEAD;
      if (socket.writableNeedDrain || length > Math.min(windows.stream, windows.connection)) break;
      windows.stream -= length;
      windows.connection -= length;
      socket.write(bytes);
      sent++;
    }
    if (sent > 0) waiting = waiting.slice(sent);
    const wasBlocked = isBlocked;
    isBlocked = waiting.length > 0 || socket.writableNeedDrain;
    if (wasBlocked && !isBlocked) events.writable();
  };

  return {
    flush,
    send(message: Uint8Array): boolean {
      for (const bytes of dataFrames(message)) waiting.push(bytes);
      flush();
      return !isBlocked;
    },
    grant(stream: number, bytes: number): void {
      windows[stream === 0 ? 'connection' : 'stream'] += bytes;
      flush();
    },
    settings(payload: Buffer): void {
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) !== INITIAL_WINDOW_SIZE) continue;
        const size = payload.readUInt32BE(at + 2);
        windows.stream += size - initial;
        initial = size;
      }
      flush();
    },
  };
}

/** A message in one frame, nearly always. */
function dataFrames(message: Uint8Array): Buffer[] {
  const bytes = Buffer.allocUnsafe(HEAD + PREFIX + message.length);
  writeHead(bytes, PREFIX + message.length, DATA, 0, STREAM);
  bytes[HEAD] = 0;
  bytes.writeUInt32BE(message.length, HEAD + 1);
  bytes.set(message, HEAD + PREFIX);
  if (bytes.length <= HEAD + PAYLOAD_MAX) return [bytes];
  const parts: Buffer[] = [];
  for (let at = HEAD; at < bytes.length; at += PAYLOAD_MAX) {
    parts.push(frame(DATA, 0, STREAM, bytes.subarray(at, at + PAYLOAD_MAX)));
  }
  return parts;
}

/** Literals that no table keeps, and no Huffman code (RFC 7541, section 6.2.2). */
function headersOf(address: string): Buffer {
  const text = (value: string) => Buffer.from([value.length, ...Buffer.from(value, 'latin1')]);
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    Buffer.from([0x04]),
    text('/forestay.v1.TelemetryService/Ingest'),
    Buffer.from([0x01]),
    text(address),
    Buffer.from([0x0f, 0x10]), // content-type
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ]);
}

/** Cuts a stream of bytes into frames. */
function readFrames(
  take: (type: number, flags: number, stream: number, payload: Buffer) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEAD) {
      const end = HEAD + rest.readUIntBE(0, 3);
      if (rest.length < end) return;
      const [type, flags] = [rest[3] as number, rest[4] as number];
      take(type, flags, rest.readUInt32BE(5) & 0x7fff_ffff, rest.subarray(HEAD, end));
      rest = rest.subarray(end);
    }
  };
}

function frame(type: number, flags: number, stream: number, ...payload: Uint8Array[]): Buffer {
  const head = Buffer.allocUnsafe(HEAD);
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  writeHead(head, length, type, flags, stream);
  return Buffer.concat([head, ...payload]);
}

function writeHead(bytes: Buffer, length: number, type: number, flags: number, stream: number) {
  bytes.writeUIntBE(length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
