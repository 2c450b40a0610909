/** The edges of the job in a process of their own: eight streams, each with the hosts of one cell. */
import {codec} from '../../proto/codec.ts';
import {serveParent} from '../support/children.ts';
import {cellNames} from '../support/load.ts';
import {registerMetricSet} from '../support/register.ts';
import {type IngestStream, openStream} from '../support/stream.ts';
import {drawSample, HOSTS, hostName, METRICS, PEER_METRICS, START_MS, STEP_MS} from './job.ts';

export type EdgeRequest = {
  kind: 'send';
  address: string;
  samples: number;
  /** Samples of each host in one message. */
  stepsPerMessage: number;
};

export type EdgeReport = {messages: number; bytes: number; cpuMicros: number};

const EDGES = 8;
const HOSTS_PER_EDGE = HOSTS / EDGES;
/** Messages of an edge that are sent and not acked. */
const AHEAD_MAX = 8;

type Edge = {
  name: string;
  cell: string;
  firstHost: number;
  stream: IngestStream;
  sent: number;
  acked: number;
  wake: () => void;
};

const problems: string[] = [];

async function openEdge(address: string, index: number, cell: string): Promise<Edge> {
  const name = `edge-${index}`;
  const edge: Edge = {
    name,
    cell,
    firstHost: index * HOSTS_PER_EDGE,
    sent: 0,
    acked: 0,
    wake: () => {},
    stream: await openStream(
      address,
      {edge: name, cell, incarnation: 1},
      {
        answered(response) {
          if (response.case === 'ack') edge.acked = Number(response.value.seq);
          else if (response.case === 'refusal') problems.push(response.value.message);
          edge.wake();
        },
        writable: () => edge.wake(),
        closed(why) {
          problems.push(`${name} was closed: ${why}`);
          edge.wake();
        },
      },
    ),
  };
  return edge;
}

/** Samples in turn: step after step, host after host, as the job has them. */
function encode(edge: Edge, fromStep: number, steps: number): Uint8Array {
  const rows = steps * HOSTS_PER_EDGE;
  const values = new Float32Array(rows * METRICS);
  const rowEntity = new Uint16Array(rows);
  const observedAtMs = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const host = row % HOSTS_PER_EDGE;
    const step = fromStep + Math.floor(row / HOSTS_PER_EDGE);
    rowEntity[row] = host;
    observedAtMs[row] = START_MS + step * STEP_MS;
    drawSample(edge.firstHost + host, step, values, row, rows);
  }
  const block = {
    metricSet: PEER_METRICS.name,
    metricSetHash: PEER_METRICS.hash,
    rows,
    entities: Array.from(
      {length: HOSTS_PER_EDGE},
      (_, host) => `hosts/${hostName(edge.firstHost + host)}`,
    ),
    rowEntity,
    observedAtMs,
    values,
    devices: [],
  };
  const {name, cell} = edge;
  return codec.encodeTelemetry({
    kind: 'batch',
    batch: {
      edge: name,
      cell,
      incarnation: 1,
      seq: ++edge.sent,
      timeBase: 'recorded',
      blocks: [block],
    },
  });
}

async function run(edge: Edge, steps: number, stepsPerMessage: number, report: EdgeReport) {
  for (let step = 0; step < steps; step += stepsPerMessage) {
    const bytes = encode(edge, step, Math.min(stepsPerMessage, steps - step));
    report.messages++;
    report.bytes += bytes.length;
    edge.stream.send(bytes);
    await until(edge, () => edge.sent - edge.acked < AHEAD_MAX);
  }
  await until(edge, () => edge.acked === edge.sent);
}

async function until(edge: Edge, isDone: () => boolean): Promise<void> {
  // The other edges take their turn even if this one need not wait.
  await new Promise<void>(resolve => setImmediate(resolve));
  while (!isDone()) {
    if (problems.length > 0) throw new Error(problems[0]);
    await new Promise<void>(resolve => {
      edge.wake = resolve;
    });
  }
}

serveParent(async ({address, samples, stepsPerMessage}: EdgeRequest): Promise<EdgeReport> => {
  await registerMetricSet(address, PEER_METRICS);
  const before = process.cpuUsage();
  const edges = await Promise.all(
    cellNames(EDGES).map((cell, index) => openEdge(address, index, cell)),
  );
  const report = {messages: 0, bytes: 0, cpuMicros: 0};
  await Promise.all(edges.map(edge => run(edge, samples / HOSTS, stepsPerMessage, report)));
  const {user, system} = process.cpuUsage(before);
  return {...report, cpuMicros: user + system};
});
