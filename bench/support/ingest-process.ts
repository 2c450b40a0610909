/** The way in alone, in a process of its own: gRPC, decoding, checks, acks; the log is a counter. */

import {systemClock} from '../../core/adapters/clock-system.ts';
import {createGrpcServer, type GrpcServer} from '../../core/api/grpc-server.ts';
import {addTelemetryService} from '../../core/api/telemetry-service.ts';
import {tuneCollector} from '../../core/collector.ts';
import {createIngest} from '../../core/engine/ingest.ts';
import {createMetricSets} from '../../core/engine/ingest-metric-sets.ts';
import {listen} from '../../core/events.ts';
import {codec} from '../../proto/codec.ts';
import {TelemetryService} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {serveParent} from './children.ts';
import {BENCH_METRICS} from './load.ts';

export type IngestReport = {seconds: number; samples: number; messages: number; cpuMs: number};

export type IngestServerRequest = {kind: 'open' | 'begin' | 'end' | 'close'};

let server: GrpcServer | undefined;
let [samples, messages, beganAtMs, offset] = [0, 0, 0, 0];
let cpu = process.cpuUsage();

listen('batch.accepted', batch => {
  samples += batch.samples;
  messages++;
});

async function open(): Promise<string> {
  tuneCollector();
  const log = {append: async () => offset++};
  const metricSets = createMetricSets({log, codec, clock: systemClock});
  metricSets.registerKnown(BENCH_METRICS);
  const ingest = createIngest({log, codec, clock: systemClock, metricSets});
  server = await createGrpcServer({
    listen: '127.0.0.1:0',
    insecure: false,
    services: [
      {
        service: TelemetryService,
        addTo: grpc => addTelemetryService(grpc, {ingest, metricSets, isScored: () => true}),
      },
    ],
    clock: systemClock,
    isReady: () => true,
  });
  return server.address;
}

function end(): IngestReport {
  const {user, system} = process.cpuUsage(cpu);
  const seconds = (performance.now() - beganAtMs) / 1000;
  return {seconds, samples, messages, cpuMs: (user + system) / 1000};
}

serveParent(async ({kind}: IngestServerRequest) => {
  switch (kind) {
    case 'open':
      return open();
    case 'begin':
      [samples, messages, beganAtMs] = [0, 0, performance.now()];
      cpu = process.cpuUsage();
      return undefined;
    case 'end':
      return end();
    case 'close':
      return server?.close(1000);
  }
});
