/**
 * The sending side of a bench, a process of its own: an open loop. Messages leave when they are due
 * whether or not the core keeps up; what the core does not take waits, and its time counts from
 * when it was due. How late this process itself was is recorded beside it.
 */
import {Worker} from 'node:worker_threads';
import {serveParent} from './children.ts';
import {createDistribution, type Figures} from './distribution.ts';
import {
  cellNames,
  createMessages,
  dueMs,
  type EdgeMessages,
  HOST_SETS,
  type Load,
  samplesPerMessage,
} from './load.ts';
import type {PacerData} from './pacer.ts';
import {registerMetricSet} from './register.ts';
import type {IngestStream} from './stream.ts';
import {openFrameStream} from './stream-frames.ts';

export type GeneratorRequest =
  | {kind: 'connect'; address: string; load: Load}
  /** Sends from now for this long; answers when the window after the warm-up begins. */
  | {kind: 'start'; warmUpMs: number; windowMs: number; stallMs?: number}
  | {kind: 'finish'};

export type GeneratorReport = {
  /** Between being due and being handed to the transport, of messages that nothing held up. */
  senderLagMs: Figures;
  /** From being due to the ack. */
  ackMs: Figures;
  sentMessages: number;
  /** Due, and held back by a full connection at the end. */
  unsentMessages: number;
  unackedMessages: number;
  refusals: readonly string[];
  closed: number;
  throttles: number;
  cpuMicrosPerSample: number;
};

type Edge = {
  messages: EdgeMessages;
  stream: IngestStream;
  due: number;
  sent: number;
  acked: number;
  isBlocked: boolean;
};

const CONNECTS_AT_ONCE = 64;

const lag = createDistribution();
const ack = createDistribution();
const nowMs = () => performance.timeOrigin + performance.now();
const refusals = new Set<string>();
let edges: Edge[] = [];
let load: Load;
let startMs = 0;
let closed = 0;
let throttles = 0;
let sentBefore = 0;
let cpuBefore = process.cpuUsage();
let pacer: Worker | undefined;
/** Sends nothing until then: a planted stall. */
let stallUntilMs = 0;
let stallAtMs = Number.POSITIVE_INFINITY;

async function connect(address: string, wanted: Load): Promise<number> {
  load = wanted;
  await registerMetricSet(address, HOST_SETS[load.hostSet]);
  const cells = cellNames(load.cells);
  const made = new Array<Edge>(load.edges);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < load.edges; index = next++) {
      const messages = createMessages(load, index, cells[index % cells.length] as string);
      made[index] = await connectEdge(address, index, messages);
    }
  };
  await Promise.all(Array.from({length: CONNECTS_AT_ONCE}, worker));
  edges = made;
  return edges.length;
}

async function connectEdge(address: string, index: number, messages: EdgeMessages): Promise<Edge> {
  const {edge: name, cell} = messages;
  const edge: Edge = {
    messages,
    due: 0,
    sent: 0,
    acked: 0,
    isBlocked: false,
    stream: await openFrameStream(
      address,
      {edge: name, cell, incarnation: 1},
      {
        answered(response) {
          if (response.case === 'ack') takeAck(edge, index, Number(response.value.seq));
          else if (response.case === 'refusal') refusals.add(response.value.message);
          else throttles++;
        },
        writable() {
          edge.isBlocked = false;
          sendDue(edge, index);
        },
        closed() {
          closed++;
        },
      },
    ),
  };
  return edge;
}

const dueOf = (index: number, seq: number): number =>
  startMs + dueMs(load, (seq - 1) * load.edges + index);

function takeAck(edge: Edge, index: number, seq: number): void {
  const now = nowMs();
  for (; edge.acked < seq; edge.acked++) ack.record(now - dueOf(index, edge.acked + 1));
}

function sendDue(edge: Edge, index: number): void {
  while (edge.sent < edge.due && !edge.isBlocked) {
    edge.sent++;
    const bytes = edge.messages.bytes(edge.sent, dueOf(index, edge.sent));
    edge.isBlocked = !edge.stream.send(bytes);
  }
}

function start(warmUpMs: number, windowMs: number, stallMs = 0): Promise<void> {
  startMs = Math.ceil(nowMs()) + 100;
  const shared = new SharedArrayBuffer(8);
  const state = new Int32Array(shared);
  const endMs = startMs + warmUpMs + windowMs;
  if (stallMs > 0) stallAtMs = startMs + warmUpMs + windowMs / 2;
  const workerData: PacerData = {load, startMs, endMs, shared};
  pacer = new Worker(new URL('./pacer.ts', import.meta.url), {workerData});
  let taken = 0;
  pacer.on('message', () => {
    const now = nowMs();
    if (now >= stallAtMs) stall(stallMs);
    Atomics.store(state, 1, 0);
    const due = Atomics.load(state, 0);
    for (; taken < due; taken++) {
      const index = taken % load.edges;
      const edge = edges[index] as Edge;
      edge.due++;
      lag.record(nowMs() - (startMs + dueMs(load, taken)));
      sendDue(edge, index);
    }
  });
  return new Promise(resolve => setTimeout(resolve, startMs + warmUpMs - nowMs())).then(() => {
    lag.reset();
    ack.reset();
    cpuBefore = process.cpuUsage();
    sentBefore = sentMessages();
  });
}

/** Does nothing, busily: what a garbage collection or a neighbour does to a sender. */
function stall(ms: number): void {
  stallAtMs = Number.POSITIVE_INFINITY;
  stallUntilMs = nowMs() + ms;
  while (nowMs() < stallUntilMs);
}

const sentMessages = () => edges.reduce((sum, {sent}) => sum + sent, 0);
const dueMessages = () => edges.reduce((sum, {due}) => sum + due, 0);
const ackedMessages = () => edges.reduce((sum, {acked}) => sum + acked, 0);

async function finish(): Promise<GeneratorReport> {
  const sent = sentMessages();
  const {user, system} = process.cpuUsage(cpuBefore);
  const report = {
    senderLagMs: lag.figures(),
    ackMs: ack.figures(),
    sentMessages: sent - sentBefore,
    unsentMessages: dueMessages() - sent,
    unackedMessages: sent - ackedMessages(),
    refusals: [...refusals].slice(0, 3),
    closed,
    throttles,
    cpuMicrosPerSample: (user + system) / Math.max(1, sent - sentBefore) / samplesPerMessage(load),
  };
  await pacer?.terminate();
  return report;
}

serveParent(async (request: GeneratorRequest) => {
  if (request.kind === 'connect') return connect(request.address, request.load);
  if (request.kind === 'start') {
    return start(request.warmUpMs, request.windowMs, request.stallMs);
  }
  return finish();
});
