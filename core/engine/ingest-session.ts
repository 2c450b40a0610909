/**
 * One stream of one edge.
 *
 * S1 Nothing counts before a hello, and everything after it is of that edge and cell.
 * S2 A record is checked wholly before it is appended; the log gets the bytes as they arrived.
 * S3 An ack is cumulative and follows the durable append, in order; while many streams wait for
 *    theirs, later, but before a good part of an edge's window is used up, or the stream ends.
 * S4 A batch that can never be taken is refused by its sequence. The edge sends a gap in its place;
 *    until then the records behind it wait, or are dropped above a bound and must come again.
 * S5 What breaks the order, and the first failed append, end the stream: the edge opens a new one
 *    and sends again what was not acked.
 * S6 A stream of an edge of which the log has a newer life ends: all that it brings would be taken
 *    for repeats.
 */
import {type ForestayError, isForestayError} from '../domain/errors.ts';
import {partitionOfCell} from '../domain/hash.ts';
import type {TelemetryRecord} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import type {AckPacer} from './ingest-acks.ts';
import type {Entry} from './ingest-appender.ts';
import {type Checks, checkRecord, countBatch, type Hello, requireHello} from './ingest-checks.ts';
import {helloMissing, olderLife, orderError, secondHello} from './ingest-errors.ts';
import {createHeldBack, type HeldBack} from './ingest-held-back.ts';
import type {IngestLimits} from './ingest-limits.ts';
import {createSequence, type DurableMark, type Sequence, type Span} from './ingest-sequence.ts';

export type Reply =
  | {kind: 'ack'; incarnation: number; seq: number}
  | {kind: 'refusal'; incarnation: number; seq: number; code: string; message: string}
  | {kind: 'throttle'; intervalMs: number};

/** The transport below a session. Nothing is called after `end`. */
export type IngestStream = {
  reply(reply: Reply): void;
  /** Stop reading … */
  pause(): void;
  /** … and go on. */
  resume(): void;
  /** The stream is over; `error` says why, if it was not asked for. */
  end(error: ForestayError | undefined): void;
};

/** What the sessions of a process share; ingest.ts provides it. */
export type SessionContext = Checks & {
  limits: IngestLimits;
  nowMs(): number;
  monotonicMs(): number;
  lagMs(partition: number): number;
  push(partition: number, entry: Entry): void;
  acks: AckPacer;
  /** A session has said hello. */
  opened(session: IngestSession, hello: Hello): void;
  closed(session: IngestSession): void;
  durable(hello: Hello): DurableMark | undefined;
  /** The newest life of an edge that the partition's owner knows of; undefined if nobody here does. */
  newestLife(partition: number, hello: Hello): number | undefined;
  setDurable(hello: Hello, mark: DurableMark): void;
  /** Bytes were accepted (positive) or settled (negative): pauses and resumes. */
  account(session: IngestSession, bytes: number): void;
};

/** An ack waits for its turn while the edge has sent less since the last one. */
const ACK_BATCHES = 32;
const ACK_BYTES = 256 * 1024;

/** Nothing that a transport calls throws; a session that has ended ignores it. */
export class IngestSession {
  readonly stream: IngestStream;
  readonly #context: SessionContext;
  readonly #heldBack: HeldBack;
  #hello: Hello | undefined;
  #partition = 0;
  #sequence: Sequence | undefined;
  #state: 'open' | 'finishing' | 'ended' | 'failed' = 'open';
  #pendingBytes = 0;
  #ackDue: DurableMark | undefined;
  #isAckQueued = false;
  #isAckUrgent = false;
  /** Since the last ack. */
  #unackedBatches = 0;
  #unackedBytes = 0;
  #throttledUntilMs = Number.NEGATIVE_INFINITY;
  /** S6. The owner may still be recovering when the hello comes. */
  #isLifeKnown = false;

  constructor(context: SessionContext, stream: IngestStream) {
    this.stream = stream;
    this.#context = context;
    this.#heldBack = createHeldBack(context.limits.streamBytesMax);
  }

  /** Who it is; undefined before the hello. */
  get edge(): Hello | undefined {
    return this.#hello;
  }

  /** Accepted and not yet known to be durable. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The first thing that a stream says. */
  hello(hello: Hello): void {
    this.#guard(() => {
      if (this.#hello !== undefined) throw secondHello(this.#hello);
      requireHello(hello);
      this.#partition = partitionOfCell(hello.cell);
      this.#requireNewestLife(hello);
      this.#hello = hello;
      this.#sequence = createSequence(() => this.#context.durable(hello));
      this.#context.opened(this, hello);
    });
  }

  /** Takes the bytes of a request that holds a batch or a gap; nobody may change them any more. */
  record(bytes: Uint8Array): void {
    this.#guard(() => this.#take(bytes));
  }

  /** The edge will send no more: the stream ends once everything is acked. */
  finish(): void {
    if (this.#state !== 'open') return;
    this.#state = 'finishing';
    this.#sendAck();
  }

  /** The transport is gone. What was accepted is appended all the same. */
  close(): void {
    if (!this.#isOpen()) return;
    this.#state = 'ended';
    this.#context.closed(this);
  }

  /** Ends the stream from this side; what was accepted is appended, but not acked any more. */
  end(error: ForestayError | undefined): void {
    if (!this.#isOpen()) return;
    this.#tellAck();
    this.#state = 'ended';
    this.#context.closed(this);
    this.stream.end(error);
  }

  #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'finishing';
  }

  #guard(step: () => void): void {
    if (!this.#isOpen()) return;
    try {
      step();
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('batch.refused', {code: error.code});
      this.end(error);
    }
  }

  #requireNewestLife(hello: Hello): void {
    const known = this.#context.newestLife(this.#partition, hello);
    this.#isLifeKnown = known !== undefined;
    const newest = Math.max(known ?? 0, this.#context.durable(hello)?.incarnation ?? 0);
    if (hello.incarnation < newest) throw olderLife(hello, newest);
  }

  #take(bytes: Uint8Array): void {
    const hello = this.#hello;
    const sequence = this.#sequence;
    if (hello === undefined || sequence === undefined) throw helloMissing();
    if (!this.#isLifeKnown) this.#requireNewestLife(hello);
    const {record, error} = checkRecord(this.#context, hello, this.#partition, bytes);
    const span = spanOf(record, error, sequence);
    const verdict = sequence.judge(span);
    if (error?.code === 'EDGE_MISMATCH' && verdict !== 'next') throw error;
    if (verdict === 'repeated') {
      this.#repeat(hello, span);
    } else if (this.#heldBack.isOpen() && !(record?.kind === 'gap' && verdict === 'next')) {
      this.#heldBack.add(bytes);
    } else if (verdict !== 'next') {
      throw orderError(verdict, span, sequence, hello);
    } else if (error !== undefined) {
      this.#refuse(record, span, error);
    } else {
      sequence.advance(span);
      this.#accept(hello, record as TelemetryRecord, span, bytes);
      for (const waiting of this.#heldBack.close()) this.#take(waiting);
    }
  }

  #accept(hello: Hello, record: TelemetryRecord, span: Span, bytes: Uint8Array): void {
    const context = this.#context;
    const partition = this.#partition;
    const counts = countBatch(record, context.nowMs() + context.limits.futureMs);
    this.#pendingBytes += bytes.length;
    context.push(partition, {
      bytes,
      isWanted: () => this.#state !== 'failed',
      settle: error => {
        this.#pendingBytes -= bytes.length;
        context.account(this, -bytes.length);
        if (this.#state === 'failed') return;
        if (error !== undefined) {
          this.end(error);
          this.#state = 'failed';
          return;
        }
        if (record.kind === 'batch') publishBatch(hello.cell, counts, bytes.length);
        this.#unackedBatches++;
        this.#unackedBytes += bytes.length;
        this.#durable(hello, {incarnation: span.incarnation, seq: span.toSeq});
      },
    });
    context.account(this, bytes.length);
    this.#throttle(partition);
  }

  #durable(hello: Hello, mark: DurableMark): void {
    this.#context.setDurable(hello, mark);
    this.#ack(mark);
  }

  /** One ack for all that became durable in this turn, or until its turn has come. */
  #ack(mark: DurableMark): void {
    this.#ackDue = mark;
    const cannotWait =
      this.#state === 'finishing' ||
      this.#unackedBatches >= ACK_BATCHES ||
      this.#unackedBytes >= ACK_BYTES;
    if (cannotWait && !this.#isAckUrgent) {
      this.#isAckUrgent = true;
      queueMicrotask(() => this.#sendAck());
    }
    if (this.#isAckQueued) return;
    this.#isAckQueued = true;
    this.#context.acks.queue(() => {
      this.#isAckQueued = false;
      this.#sendAck();
    });
  }

  #sendAck(): void {
    this.#tellAck();
    this.#endIfFinished();
  }

  #tellAck(): void {
    const mark = this.#ackDue;
    this.#ackDue = undefined;
    this.#isAckUrgent = false;
    this.#unackedBatches = 0;
    this.#unackedBytes = 0;
    if (mark !== undefined && this.#isOpen()) this.stream.reply({kind: 'ack', ...mark});
  }

  #endIfFinished(): void {
    if (this.#state !== 'finishing') return;
    if (this.#pendingBytes === 0 && this.#ackDue === undefined) this.end(undefined);
  }

  #repeat(hello: Hello, span: Span): void {
    publish('batch.repeated', {cell: hello.cell});
    const mark = this.#context.durable(hello);
    const {incarnation, toSeq} = span;
    // A repeat of what is still on its way is answered when that is durable.
    if (mark === undefined || mark.incarnation < incarnation) return;
    if (mark.incarnation > incarnation) this.#ack({incarnation, seq: toSeq});
    else if (toSeq <= mark.seq) this.#ack(mark);
  }

  #refuse(record: TelemetryRecord | undefined, span: Span, error: ForestayError): void {
    // A gap stands for a refused batch: it cannot be refused itself.
    if (record?.kind === 'gap') throw error;
    publish('batch.refused', {code: error.code});
    this.#heldBack.open();
    const {incarnation, toSeq: seq} = span;
    const {code, message} = error;
    this.stream.reply({kind: 'refusal', incarnation, seq, code, message});
  }

  #throttle(partition: number): void {
    const {limits, lagMs, monotonicMs} = this.#context;
    const nowMs = monotonicMs();
    if (nowMs < this.#throttledUntilMs || lagMs(partition) <= limits.lagMsMax) return;
    this.#throttledUntilMs = nowMs + limits.throttleMs;
    this.stream.reply({kind: 'throttle', intervalMs: limits.throttleMs});
  }
}

/** Which sequences a record stands for. One that cannot be read must be the one expected now. */
function spanOf(
  record: TelemetryRecord | undefined,
  error: ForestayError | undefined,
  sequence: Sequence,
): Span {
  if (record?.kind === 'gap') return record.gap;
  if (record?.kind === 'batch') {
    const {incarnation, seq} = record.batch;
    return {incarnation, fromSeq: seq, toSeq: seq};
  }
  const {incarnation, seq} = error?.details ?? {};
  if (typeof incarnation === 'number' && typeof seq === 'number' && seq > 0) {
    return {incarnation, fromSeq: seq, toSeq: seq};
  }
  const expected = sequence.expected();
  if (expected === undefined) throw error;
  return {incarnation: expected.incarnation, fromSeq: expected.seq, toSeq: expected.seq};
}

function publishBatch(cell: string, counts: ReturnType<typeof countBatch>, bytes: number): void {
  const {samples, infinities, future} = counts;
  publish('batch.accepted', {cell, samples, bytes});
  if (infinities > 0) publish('samples.infinite', {count: infinities});
  if (future > 0) publish('samples.future', {count: future});
}
