import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {FIRST_HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import {createGrpcLinks} from '../../edge/link-grpc.ts';
import {codec} from '../../proto/codec.ts';
import {eventually, temporaryFolder} from '../support/process.ts';
import {startCore} from '../support/process-fleet.ts';

const HEAP_MEBIBYTES = 256;
const STREAMS = 8;
const BATCHES = 100;
const ROWS = 4000;
const HOSTS = 20;

/** About half a mebibyte, of samples that follow those of the batch before. */
function bytesOf(cell: string, seq: number, startMs: number): Uint8Array {
  const batch: Batch = {
    edge: cell,
    cell,
    incarnation: 1,
    seq,
    timeBase: 'recorded',
    blocks: [
      {
        metricSet: FIRST_HOST_METRICS.name,
        metricSetHash: FIRST_HOST_METRICS.hash,
        rows: ROWS,
        entities: Array.from({length: HOSTS}, (_, host) => `hosts/${cell}-${host}`),
        rowEntity: Uint16Array.from({length: ROWS}, (_, row) => row % HOSTS),
        observedAtMs: Float64Array.from(
          {length: ROWS},
          (_, row) => startMs + 1000 * ((seq * ROWS) / HOSTS + Math.floor(row / HOSTS)),
        ),
        values: new Float32Array(ROWS * FIRST_HOST_METRICS.columns.length).map(() => Math.random()),
        devices: [],
      },
    ],
  };
  return codec.encodeTelemetry({kind: 'batch', batch});
}

/** Sends as fast as the other side takes it, all at once if it takes all. */
async function push(address: string, cell: string): Promise<{bytes: number; acked(): number}> {
  const links = createGrpcLinks(address);
  let [acked, bytes] = [0, 0];
  let wake = () => {};
  const link = links.dial(
    {edge: cell, cell, incarnation: 1},
    {
      acked: (_incarnation, seq) => {
        acked = seq;
        if (acked === BATCHES) links.close();
      },
      refused: () => {},
      throttled: () => {},
      writable: () => wake(),
      closed: () => {},
    },
  );
  const startMs = Date.now() - 86_400_000;
  for (let seq = 1; seq <= BATCHES; seq++) {
    const request = bytesOf(cell, seq, startMs);
    bytes += request.length;
    if (link.send(request)) continue;
    await new Promise<void>(resolve => {
      wake = resolve;
    });
  }
  return {bytes, acked: () => acked};
}

/** The most that the process has ever had resident. */
function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

test('a core with a small heap and a store that takes nothing takes more than its memory', async t => {
  const data = temporaryFolder(t);
  writeFileSync(join(data, 'forestay.yaml'), 'log: {telemetryRetention: {bytes: 67108864}}\n');
  const env = {NODE_OPTIONS: `--max-old-space-size=${HEAP_MEBIBYTES}`};
  const core = await startCore(t, data, [], {env});
  const before = peakBytes(core.pid);
  const sqlite = new DatabaseSync(join(data, 'forestay.sqlite'));
  t.teardown(() => sqlite.close());
  sqlite.exec('BEGIN EXCLUSIVE');
  const cells = Array.from({length: STREAMS}, (_, n) => `cell-${n}`);
  const pushed = await Promise.all(cells.map(cell => push(core.grpc, cell)));
  const sentBytes = pushed.reduce((sum, {bytes}) => sum + bytes, 0);
  await eventually('all acks', () => pushed.every(({acked}) => acked() === BATCHES), 100_000);
  const grownBytes = peakBytes(core.pid) - before;
  t.log(`${sentBytes >> 20} MiB sent, ${grownBytes >> 20} MiB more than ${before >> 20} MiB`);
  t.true(sentBytes > 330 * 2 ** 20);
  // The heap, and outside of it: records on their way (64 MiB), the newest of the log (32 MiB).
  t.true(grownBytes < 330 * 2 ** 20);
  t.is((await fetch(`http://${core.http}/livez`)).status, 200);
  core.signal('SIGKILL');
});
