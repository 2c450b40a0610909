import type {ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {createGrpcServer} from '../../core/api/grpc-server.ts';
import {addTelemetryService} from '../../core/api/telemetry-service.ts';
import {partitionOfCell} from '../../core/domain/hash.ts';
import type {TelemetryRecord} from '../../core/domain/telemetry.ts';
import {createIngest} from '../../core/engine/ingest.ts';
import {createMetricSets} from '../../core/engine/ingest-metric-sets.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {TelemetryService} from '../../proto/gen/forestay/v1/telemetry_pb.ts';

/** The core's way in over real gRPC, on a log in memory that outlives it. */
export async function startCore(
  t: ExecutionContext,
  {
    log = createMemoryLog(),
    listen = '127.0.0.1:0',
    lagMs = () => 0,
  }: {log?: Log; listen?: string; lagMs?: () => number} = {},
) {
  const clock = systemClock;
  const metricSets = createMetricSets({log, codec, clock});
  const ingest = createIngest({log, codec, clock, metricSets, lagMs});
  const server = await createGrpcServer({
    listen,
    insecure: false,
    services: [
      {
        service: TelemetryService,
        addTo: to => addTelemetryService(to, {ingest, metricSets, isScored: () => false}),
      },
    ],
    clock,
    isReady: () => true,
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await server.close(0);
  };
  t.teardown(close);
  return {log, address: server.address, close};
}

/** What the log holds of a cell. */
export async function recordsOf(log: Log, cell: string): Promise<TelemetryRecord[]> {
  const records = await log.read('telemetry', partitionOfCell(cell), 0, 64 * 2 ** 20);
  return records.map(({value}) => codec.decodeTelemetry(value));
}

/** `1/2` for a batch, `gap 1/2-3 reason` for a gap; repeats left out, as readers do. */
export function shownOnce(records: readonly TelemetryRecord[]): string[] {
  return [...new Set(records.map(showRecord))];
}

function showRecord(record: TelemetryRecord): string {
  if (record.kind === 'batch') return `${record.batch.incarnation}/${record.batch.seq}`;
  const {incarnation, fromSeq, toSeq, reason} = record.gap;
  return `gap ${incarnation}/${fromSeq}-${toSeq} ${reason}`;
}
