import type {DescService} from '@bufbuild/protobuf';
import {fromBinary} from '@bufbuild/protobuf';
import type * as grpc from '@grpc/grpc-js';
import {
  IngestRequestSchema,
  type RegisterMetricSetRequest,
  TelemetryService,
} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {toServiceDefinition} from '../../proto/grpc.ts';
import {ForestayError} from '../domain/errors.ts';
import type {MetricSet} from '../domain/metric-sets.ts';
import type {Ingest} from '../engine/ingest.ts';
import type {Hello} from '../engine/ingest-checks.ts';
import type {MetricSets} from '../engine/ingest-metric-sets.ts';
import {toServiceError} from './errors.ts';
import {unary} from './handlers.ts';
import {checkedRequestId} from './request-ids.ts';
import {createReplies, type IngestCall} from './telemetry-replies.ts';

export type TelemetryServiceOptions = {
  ingest: Ingest;
  metricSets: MetricSets;
  /** Says whether a loaded model scores rows of the set. */
  isScored(set: MetricSet): boolean;
  /** A stream that has not said hello after this long is ended. */
  helloMs?: number;
};

/**
 * Adds TelemetryService to a server. Requests of Ingest are handed on as the bytes that arrived:
 * the log keeps exactly these.
 */
export function addTelemetryService(server: grpc.Server, options: TelemetryServiceOptions): void {
  const definition = toServiceDefinition(TelemetryService as DescService);
  const ingest = definition.ingest as grpc.MethodDefinition<unknown, unknown>;
  const rawIngest = {...ingest, requestDeserialize: (bytes: Buffer) => bytes};
  server.addService(
    {...definition, ingest: rawIngest},
    {
      ingest: (call: IngestCall) => serveStream(call, options),
      registerMetricSet: unary((request: RegisterMetricSetRequest, peer) =>
        registerMetricSet(request, peer, options),
      ),
    },
  );
}

function serveStream(call: IngestCall, {ingest, helloMs = 10_000}: TelemetryServiceOptions): void {
  const replies = createReplies(call);
  const waiting = setTimeout(() => session.end(helloLate(helloMs)), helloMs);
  const session = ingest.open({
    reply: replies.reply,
    pause: () => replies.pause('session'),
    resume: () => replies.resume('session'),
    end(error) {
      clearTimeout(waiting);
      replies.end(error === undefined ? undefined : toServiceError(error));
    },
  });
  const gone = () => {
    clearTimeout(waiting);
    session.close();
  };
  call.on('data', (bytes: Buffer) => {
    const hello = helloOf(bytes);
    if (hello === undefined) return session.record(bytes);
    clearTimeout(waiting);
    session.hello(hello);
  });
  call.once('end', () => session.finish());
  call.once('cancelled', gone);
  call.once('close', gone);
}

/** Tags of the fields `batch` and `gap`: what nearly every request begins with. */
const BATCH_TAG = 0x12;
const GAP_TAG = 0x1a;

/** The hello, if the request is one. What is not readable is left to the session to judge. */
function helloOf(bytes: Buffer): Hello | undefined {
  if (bytes[0] === BATCH_TAG || bytes[0] === GAP_TAG) return undefined;
  try {
    const {request} = fromBinary(IngestRequestSchema, bytes);
    if (request.case !== 'hello') return undefined;
    const {edge, cell, incarnation} = request.value;
    return {edge, cell, incarnation};
  } catch {
    return undefined;
  }
}

async function registerMetricSet(
  request: RegisterMetricSetRequest,
  author: string,
  {metricSets, isScored}: TelemetryServiceOptions,
) {
  const {name, entityKind, columns} = request;
  const requestId = checkedRequestId(request.requestId);
  const set = await metricSets.register({requestId, name, entityKind, columns, author});
  return {metricSetHash: set.hash, scored: isScored(set)};
}

function helloLate(helloMs: number): ForestayError {
  return new ForestayError(
    'HELLO_MISSING',
    `no hello within ${helloMs} ms; it must be the first request of a stream`,
    {details: {helloMs}},
  );
}
