import * as grpc from '@grpc/grpc-js';
import type {MetricSet} from '../../core/domain/metric-sets.ts';
import {
  type RegisterMetricSetResponse,
  TelemetryService,
} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {createClient} from '../../proto/grpc.ts';

const DEADLINE_MS = 30_000;

/** Makes the set known to a core, and waits until it is. */
export async function registerMetricSet(address: string, set: MetricSet): Promise<void> {
  const client = createClient(TelemetryService, address);
  const {name, kind: entityKind, columns} = set;
  const request = {requestId: `bench/${name}`, name, entityKind, columns: [...columns]};
  try {
    await new Promise<RegisterMetricSetResponse>((resolve, reject) => {
      const deadline = Date.now() + DEADLINE_MS;
      client.registerMetricSet(request, new grpc.Metadata(), {deadline}, (error, response) => {
        if (error !== null || response === undefined) reject(error);
        else resolve(response);
      });
    });
  } finally {
    client.close();
  }
}
