import type * as grpc from '@grpc/grpc-js';
import type {IngestResponseSchema} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import type {Outgoing} from '../../proto/grpc.ts';
import type {Reply} from '../engine/ingest-session.ts';

type IngestResponse = Outgoing<typeof IngestResponseSchema>;

/** A stream whose requests are still bytes. */
export type IngestCall = grpc.ServerDuplexStream<Buffer, IngestResponse>;

/** Who keeps a stream from being read. */
type PausedBy = 'session' | 'writer';

/**
 * The way back on one stream. While the reader is behind, acks become one (they are cumulative, the
 * newest says all) and no request is read, so that nothing else can pile up.
 */
export function createReplies(call: IngestCall) {
  const pausedBy = new Set<PausedBy>();
  let waiting: Reply[] = [];
  let blocked = false;
  let ended = false;

  const pause = (by: PausedBy) => {
    pausedBy.add(by);
    call.pause();
  };

  const resume = (by: PausedBy) => {
    pausedBy.delete(by);
    if (pausedBy.size === 0 && !ended) call.resume();
  };

  const write = (reply: Reply) => {
    if (call.write(toResponse(reply))) return;
    blocked = true;
    pause('writer');
    call.once('drain', unblock);
  };

  const unblock = () => {
    blocked = false;
    const replies = waiting;
    waiting = [];
    for (const reply of replies) send(reply);
    if (!blocked) resume('writer');
  };

  const send = (reply: Reply) => {
    if (blocked) conflate(waiting, reply);
    else write(reply);
  };

  return {
    pause,
    resume,
    reply(reply: Reply): void {
      if (!ended && !call.cancelled) send(reply);
    },
    end(error: grpc.ServiceError | undefined): void {
      if (ended || call.cancelled) return;
      ended = true;
      call.off('drain', unblock);
      for (const reply of waiting) call.write(toResponse(reply));
      if (error === undefined) call.end();
      else call.emit('error', error);
      // What the edge still sends is read and dropped, or the stream could not close.
      call.resume();
    },
  };
}

/** Adds a reply; an ack takes the place of the ack before it. */
function conflate(waiting: Reply[], reply: Reply): void {
  if (reply.kind === 'ack' && waiting.at(-1)?.kind === 'ack') waiting.pop();
  waiting.push(reply);
}

function toResponse(reply: Reply): IngestResponse {
  switch (reply.kind) {
    case 'ack':
      return encodeAck(reply.incarnation, reply.seq);
    case 'refusal': {
      const {incarnation, seq, code, message} = reply;
      return {response: {case: 'refusal', value: {incarnation, seq: BigInt(seq), code, message}}};
    }
    case 'throttle':
      return {response: {case: 'throttle', value: {intervalMs: reply.intervalMs}}};
  }
}

/** Both tags, both lengths, and the longest varints of 32 and of 53 bits. */
const ACK_BYTES_MAX = 2 + 1 + 5 + 1 + 8;

/** An IngestResponse with an ack in it: one of these goes out for nearly every message. */
export function encodeAck(incarnation: number, seq: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(ACK_BYTES_MAX);
  bytes[0] = ACK_TAG;
  let at = 2;
  if (incarnation > 0) at = writeField(bytes, at, INCARNATION_TAG, incarnation);
  if (seq > 0) at = writeField(bytes, at, SEQ_TAG, seq);
  bytes[1] = at - 2;
  return bytes.subarray(0, at);
}

const ACK_TAG = 0x0a;
const INCARNATION_TAG = 0x08;
const SEQ_TAG = 0x10;

function writeField(bytes: Uint8Array, at: number, tag: number, value: number): number {
  bytes[at++] = tag;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
  bytes[at++] = rest;
  return at;
}
