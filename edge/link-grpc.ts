import type {StatusObject} from '@grpc/grpc-js';
import {ForestayError, toErrorCode} from '../core/domain/errors.ts';
import {type IngestResponse, TelemetryService} from '../proto/gen/forestay/v1/telemetry_pb.ts';
import {createClient} from '../proto/grpc.ts';
import {readErrorInfo} from '../proto/rich-errors.ts';
import type {Dial, LinkEvents} from './ports.ts';

/** Streams to one core, all over one connection. */
export type GrpcLinks = {dial: Dial; close(): void};

const channelOptions = {
  // A stream that is tried again by the channel would be a second one behind our back.
  'grpc.enable_retries': 0,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
  // The uplink has a jitter and a cap of its own; the channel's must not hide them.
  'grpc.initial_reconnect_backoff_ms': 250,
  'grpc.max_reconnect_backoff_ms': 5_000,
};

/**
 * @param version Shown by the core.
 * @param helloMs How long a core may take to answer at all.
 */
export function createGrpcLinks(address: string, version = '', helloMs = 10_000): GrpcLinks {
  const client = createClient(TelemetryService, address, channelOptions);
  return {
    close: () => client.close(),
    dial(hello, events) {
      const call = client.ingest();
      let isOver = false;
      const finish = (error: Error | undefined): void => {
        if (isOver) return;
        isOver = true;
        events.closed(error);
      };
      call.on('data', (response: IngestResponse) => tell(events, response));
      call.on('drain', () => events.writable());
      // Every end has a status; without a listener an error would end the process.
      call.on('error', () => {});
      call.on('status', status => finish(status.code === 0 ? undefined : endedBy(address, status)));
      client.waitForReady(Date.now() + helloMs, error => {
        if (error === undefined || isOver) return;
        finish(unreachable(address, `no answer within ${helloMs / 1000} s`, error));
        call.cancel();
      });
      call.write({request: {case: 'hello', value: {...hello, version}}});
      return {
        send: bytes => call.write(bytes),
        close() {
          isOver = true;
          call.end();
          call.cancel();
        },
      };
    },
  };
}

function tell(events: LinkEvents, {response}: IngestResponse): void {
  switch (response.case) {
    case 'ack':
      events.acked(response.value.incarnation, Number(response.value.seq));
      return;
    case 'refusal': {
      const {incarnation, seq, code, message} = response.value;
      events.refused({incarnation, seq: Number(seq), code, message});
      return;
    }
    case 'throttle':
      events.throttled(response.value.intervalMs);
      return;
    case undefined:
      // A newer core may say things that this edge does not know.
      return;
  }
}

/** What the core itself said is told as it said it; else there was no core. */
function endedBy(address: string, status: StatusObject): ForestayError {
  const code = toErrorCode(readErrorInfo(status)?.reason);
  if (code === undefined) return unreachable(address, status.details);
  return new ForestayError(code, status.details, {retryable: true, details: {address}});
}

function unreachable(address: string, why: string, cause?: Error): ForestayError {
  return new ForestayError(
    'SERVER_UNREACHABLE',
    `no stream to the core at ${address}: ${why}; is it running there?`,
    {retryable: true, details: {address}, cause},
  );
}
