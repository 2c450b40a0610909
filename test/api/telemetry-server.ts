/** TelemetryService on a real server, and a stream to it as an edge has one. */
import {once} from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import type {ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {createGrpcServer} from '../../core/api/grpc-server.ts';
import {
  addTelemetryService,
  type TelemetryServiceOptions,
} from '../../core/api/telemetry-service.ts';
import type {MetricSet} from '../../core/domain/metric-sets.ts';
import {createIngest, type IngestOptions} from '../../core/engine/ingest.ts';
import {createMetricSets} from '../../core/engine/ingest-metric-sets.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {type IngestResponse, TelemetryService} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {createClient, type ServiceClient} from '../../proto/grpc.ts';
import {HELLO, manualClock} from '../engine/ingest-fixtures.ts';

export async function startServer(
  t: ExecutionContext,
  options: Partial<IngestOptions & TelemetryServiceOptions> & {log?: Log} = {},
) {
  const log = options.log ?? createMemoryLog();
  const clock = manualClock();
  const metricSets = createMetricSets({log, codec, clock});
  const ingest = createIngest({log, codec, clock, metricSets, ...options});
  const isScored = (set: MetricSet) => set.name === 'host.v2';
  const server = await createGrpcServer({
    listen: '127.0.0.1:0',
    insecure: false,
    services: [
      {
        service: TelemetryService,
        addTo: to => addTelemetryService(to, {ingest, metricSets, isScored, ...options}),
      },
    ],
    clock: systemClock,
    isReady: () => true,
  });
  t.teardown(() => server.close(0));
  const connect = () => {
    const client = createClient(TelemetryService, server.address, {
      'grpc.max_send_message_length': -1,
    });
    t.teardown(() => client.close());
    return client;
  };
  return {
    log,
    ingest,
    metricSets,
    address: server.address,
    connect,
    open: () => openStream(connect()),
  };
}

type Client = ServiceClient<(typeof TelemetryService)['method']>;

/** A stream that remembers what came; `next` waits for one more answer. */
function openStream(client: Client) {
  const call = client.ingest();
  const answers: IngestResponse['response'][] = [];
  call.on('data', (response: IngestResponse) => {
    answers.push(response.response);
  });
  const status = new Promise<grpc.StatusObject>(resolve => call.once('status', resolve));
  call.on('error', () => {
    // The status says it too.
  });
  let read = 0;
  return {
    call,
    answers,
    /** How the stream ended. */
    status,
    hello: (hello = HELLO) => call.write({request: {case: 'hello', value: hello}}),
    write: (bytes: Uint8Array) => call.write(bytes),
    async next(): Promise<IngestResponse['response']> {
      while (answers.length <= read) await once(call, 'data');
      return answers[read++] as IngestResponse['response'];
    },
  };
}
