import {Duplex} from 'node:stream';
import {setImmediate as turn} from 'node:timers/promises';
import {fromBinary} from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';
import test from 'ava';
import {createReplies, type IngestCall} from '../../core/api/telemetry-replies.ts';
import type {Reply} from '../../core/engine/ingest-session.ts';
import {IngestResponseSchema} from '../../proto/gen/forestay/v1/telemetry_pb.ts';

type Written = {response: {case: string; value: {seq?: bigint}}};

/** A stream whose reader takes one answer at a time, when told. */
function slowReader() {
  const written: string[] = [];
  let release: (() => void) | undefined;
  const call = new Duplex({
    objectMode: true,
    writableHighWaterMark: 1,
    read() {
      // Nothing comes in.
    },
    write(answer: Written | Uint8Array, _encoding, done) {
      const message =
        answer instanceof Uint8Array ? fromBinary(IngestResponseSchema, answer) : answer;
      const {response} = message as Written;
      written.push(`${response.case} ${response.value.seq ?? ''}`.trim());
      release = done;
    },
  });
  const readOne = async () => {
    const done = release;
    release = undefined;
    done?.();
    await turn();
  };
  return {call: call as unknown as IngestCall, written, readOne};
}

const ack = (seq: number): Reply => ({kind: 'ack', incarnation: 1, seq});
const refusal = (seq: number): Reply => ({
  kind: 'refusal',
  incarnation: 1,
  seq,
  code: 'BATCH_MALFORMED',
  message: '',
});

test('while the reader is behind, acks become one and nothing is read', async t => {
  const {call, written, readOne} = slowReader();
  const replies = createReplies(call);
  call.resume();
  for (let seq = 1; seq <= 100; seq++) replies.reply(ack(seq));
  replies.reply(refusal(101));
  replies.reply({kind: 'throttle', intervalMs: 5});
  for (let seq = 102; seq <= 200; seq++) replies.reply(ack(seq));
  t.true(call.isPaused());
  for (let count = 0; count < 10; count++) await readOne();
  t.deepEqual(written, ['ack 1', 'ack 100', 'refusal 101', 'throttle', 'ack 200']);
  t.false(call.isPaused());
});

test('a stream that two sides have paused goes on when both agree', async t => {
  const {call, readOne} = slowReader();
  const replies = createReplies(call);
  replies.pause('session');
  replies.reply(ack(1));
  await readOne();
  t.true(call.isPaused());
  replies.resume('session');
  t.false(call.isPaused());
});

test('what waits is sent before the end', async t => {
  const {call, written, readOne} = slowReader();
  const replies = createReplies(call);
  for (let seq = 1; seq <= 3; seq++) replies.reply(ack(seq));
  replies.end(undefined);
  replies.end(undefined);
  replies.reply(ack(4));
  for (let count = 0; count < 4; count++) await readOne();
  t.deepEqual(written, ['ack 1', 'ack 3']);
  t.true(call.writableEnded);
});

test('an error ends the stream once, as the event that grpc-js turns into a status', t => {
  const {call} = slowReader();
  const errors: grpc.ServiceError[] = [];
  call.on('error', error => errors.push(error as grpc.ServiceError));
  const replies = createReplies(call);
  const error = Object.assign(new Error('over'), {
    code: grpc.status.ABORTED,
    details: 'over',
    metadata: new grpc.Metadata(),
  });
  replies.end(error);
  replies.end(error);
  t.deepEqual(errors, [error]);
});
