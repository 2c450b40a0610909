/**
 * Sends a spool to the core.
 *
 * U1 Batches go in the order of (incarnation, sequence); what is lost goes as a gap in its place.
 * U2 At most a window of them is not acked; only an ack settles anything.
 * U3 After a broken stream everything after the last ack is sent again.
 * U4 A refused batch is set aside and its gap sent on the same stream, which waits for it.
 * U5 What is sent depends on the spool and the core's answers alone; time decides only when.
 */
import {ForestayError, formatError} from '../core/domain/errors.ts';
import {comparePositions, type Position} from './frame.ts';
import type {Loss} from './losses.ts';
import type {Clock, Dial, Link, LinkEvents, Note, Random} from './ports.ts';
import type {Spool, SpoolEntry} from './spool.ts';

export type UplinkLimits = {
  /** Sent and not acked. */
  batchesMax: number;
  bytesMax: number;
  /** A stream that acks nothing for so long, though something waits, is given up. */
  ackMs: number;
  /** Before attempt n a random part of min(maximum, minimum × 2ⁿ) is waited. */
  retryMsMin: number;
  retryMsMax: number;
  throttleMsMax: number;
};

export const DEFAULT_UPLINK_LIMITS: UplinkLimits = {
  batchesMax: 256,
  bytesMax: 2 * 1024 * 1024,
  ackMs: 30_000,
  retryMsMin: 250,
  retryMsMax: 30_000,
  throttleMsMax: 60_000,
};

export type UplinkCounters = {
  dials: number;
  sentBatches: number;
  sentGaps: number;
  sentBytes: number;
  refusedBatches: number;
  /** Of what was never sent, or was settled already. */
  ignoredAnswers: number;
  throttles: number;
};

export type UplinkOptions = {
  spool: Spool;
  dial: Dial;
  clock: Clock;
  random: Random;
  edge: string;
  cell: string;
  encodeGap(gap: Loss): Uint8Array;
  limits?: Partial<UplinkLimits>;
  note?: Note;
};

type Sent = {position: Position; bytes: number; isGap: boolean};
type Waiter = {until: Position; resolve: () => void; reject: (error: Error) => void};

export class Uplink {
  readonly counters: UplinkCounters = {
    dials: 0,
    sentBatches: 0,
    sentGaps: 0,
    sentBytes: 0,
    refusedBatches: 0,
    ignoredAnswers: 0,
    throttles: 0,
  };
  readonly #options: UplinkOptions;
  readonly #limits: UplinkLimits;
  readonly #note: Note;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #link: Link | undefined;
  /** The last that was sent on this stream. */
  #cursor: Position;
  #inFlight: Sent[] = [];
  #inFlightBytes = 0;
  #isBlocked = false;
  #throttledUntilMs = Number.NEGATIVE_INFINITY;
  #progressMs = 0;
  #attempt = 0;
  #waiters: Waiter[] = [];

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#limits = {...DEFAULT_UPLINK_LIMITS, ...options.limits};
    this.#note = options.note ?? (() => {});
    this.#cursor = options.spool.acked;
  }

  /** Whether a stream is open; it may not have answered yet. */
  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Sent and not yet acked. */
  get inFlightBatches(): number {
    return this.#inFlight.length;
  }

  /** Connects, and connects again, until {@link Uplink.stop}. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Sends what the window has room for. Call it after an append. */
  wake(): void {
    const {spool} = this.#options;
    while (this.#link !== undefined && this.#hasRoom()) {
      const entry = spool.after(this.#cursor);
      if (entry === undefined) return;
      this.#cursor = entry.position;
      this.#send(this.#link, entry);
    }
  }

  /** Resolves when everything that the spool holds now is settled; rejects if stopped before. */
  drained(): Promise<void> {
    const {spool} = this.#options;
    const until = spool.end;
    if (comparePositions(spool.acked, until) >= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({until, resolve, reject});
    });
  }

  /** Ends the stream. What is not acked stays in the spool. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    for (const {reject} of this.#waiters.splice(0)) reject(stoppedEarly(this.#options.edge));
  }

  #hasRoom(): boolean {
    const {batchesMax, bytesMax} = this.#limits;
    if (this.#isBlocked || this.#options.clock.monotonicMs() < this.#throttledUntilMs) return false;
    return this.#inFlight.length < batchesMax && this.#inFlightBytes < bytesMax;
  }

  async #run(): Promise<void> {
    const {clock, random} = this.#options;
    const {signal} = this.#stopping;
    const {retryMsMin, retryMsMax} = this.#limits;
    while (!signal.aborted) {
      const error = await this.#stream(signal);
      if (signal.aborted) return;
      const waitMs = random.next() * Math.min(retryMsMax, retryMsMin * 2 ** this.#attempt);
      this.#attempt = Math.min(this.#attempt + 1, 30);
      const why = error === undefined ? 'the core ended the stream' : formatError(error);
      this.#note(`uplink: ${why}; trying again in ${Math.ceil(waitMs)} ms`);
      await clock.sleep(waitMs, signal);
    }
  }

  /** Opens a stream and stays with it to its end. Gives what went wrong, if anything. */
  async #stream(stopped: AbortSignal): Promise<Error | undefined> {
    const {spool, dial, clock, edge, cell} = this.#options;
    const {ackMs} = this.#limits;
    const over = new AbortController();
    const until = AbortSignal.any([stopped, over.signal]);
    let failure: Error | undefined;
    const end = (error: Error | undefined): void => {
      failure ??= error;
      over.abort();
    };
    this.counters.dials++;
    this.#rewind();
    try {
      this.#link = dial({edge, cell, incarnation: spool.incarnation}, this.#events(until, end));
    } catch (error) {
      return error as Error;
    }
    this.wake();
    while (!until.aborted) {
      await clock.sleep(ackMs / 4, until);
      const silentMs = clock.monotonicMs() - this.#progressMs;
      if (this.#inFlight.length > 0 && silentMs > ackMs && !until.aborted)
        end(unanswered(this.#inFlight.length, ackMs));
    }
    this.#link.close();
    this.#link = undefined;
    return failure;
  }

  #rewind(): void {
    this.#cursor = this.#options.spool.acked;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    this.#isBlocked = false;
  }

  /** What one stream may tell us; nothing once it is over. */
  #events(over: AbortSignal, end: (error: Error | undefined) => void): LinkEvents {
    const whileOpen =
      <Arguments extends unknown[]>(act: (...given: Arguments) => void) =>
      (...given: Arguments): void => {
        if (!over.aborted) act(...given);
      };
    return {
      acked: whileOpen((incarnation, seq) => this.#acked({incarnation, seq})),
      refused: whileOpen(refusal => this.#refused(refusal)),
      throttled: whileOpen(intervalMs => this.#throttled(intervalMs)),
      writable: whileOpen(() => {
        this.#isBlocked = false;
        this.wake();
      }),
      closed: whileOpen(end),
    };
  }

  #send(link: Link, entry: SpoolEntry): void {
    const isGap = entry.kind === 'gap';
    const bytes = isGap ? this.#options.encodeGap(entry.gap) : entry.body;
    if (this.#inFlight.length === 0) this.#progressMs = this.#options.clock.monotonicMs();
    this.#inFlight.push({position: entry.position, bytes: bytes.length, isGap});
    this.#inFlightBytes += bytes.length;
    this.counters[isGap ? 'sentGaps' : 'sentBatches']++;
    this.counters.sentBytes += bytes.length;
    if (!link.send(bytes)) this.#isBlocked = true;
  }

  #acked(position: Position): void {
    const {spool, clock} = this.#options;
    const isNew = comparePositions(position, spool.acked) > 0;
    if (!isNew || comparePositions(position, this.#cursor) > 0) {
      this.counters.ignoredAnswers++;
      return;
    }
    spool.acknowledge(position);
    this.#settle(position);
    this.#progressMs = clock.monotonicMs();
    this.#attempt = 0;
    this.wake();
    this.#waiters = this.#waiters.filter(({until, resolve}) => {
      const isDrained = comparePositions(spool.acked, until) >= 0;
      if (isDrained) resolve();
      return !isDrained;
    });
  }

  #settle(position: Position): void {
    let count = 0;
    for (const sent of this.#inFlight) {
      if (comparePositions(sent.position, position) > 0) break;
      this.#inFlightBytes -= sent.bytes;
      count++;
    }
    this.#inFlight.splice(0, count);
  }

  #refused(refusal: Position & {code: string; message: string}): void {
    const sent = this.#inFlight.find(({position}) => comparePositions(position, refusal) === 0);
    // A gap cannot be refused: there is nothing that could be sent in its place.
    const isBatch = sent !== undefined && !sent.isGap;
    const gap = isBatch ? this.#options.spool.reject(refusal, refusal.code) : undefined;
    if (gap === undefined || this.#link === undefined) {
      this.counters.ignoredAnswers++;
      return;
    }
    const {incarnation, seq, code, message} = refusal;
    this.counters.refusedBatches++;
    this.#note(`uplink: batch ${incarnation}/${seq} was refused: [${code}] ${message}`);
    this.#inFlight = this.#inFlight.filter(other => other !== sent);
    this.#inFlightBytes -= sent?.bytes ?? 0;
    if (comparePositions(gap.position, this.#cursor) > 0) this.#cursor = gap.position;
    this.#send(this.#link, gap);
    this.#inFlight.sort((a, b) => comparePositions(a.position, b.position));
  }

  #throttled(intervalMs: number): void {
    const {clock} = this.#options;
    const waitMs = Math.min(Math.max(0, intervalMs), this.#limits.throttleMsMax);
    this.counters.throttles++;
    this.#throttledUntilMs = clock.monotonicMs() + waitMs;
    void clock.sleep(waitMs, this.#stopping.signal).then(() => this.wake());
  }
}

function unanswered(batches: number, ackMs: number): ForestayError {
  return new ForestayError(
    'SERVER_UNREACHABLE',
    `the core acknowledged none of ${batches} batches for ${ackMs / 1000} s; it is cut off or stuck`,
    {retryable: true, details: {batches, ackMs}},
  );
}

function stoppedEarly(edge: string): ForestayError {
  return new ForestayError(
    'TIMED_OUT',
    `edge ${edge} stopped before everything was acknowledged; the rest is in its spool`,
    {retryable: true, details: {edge}},
  );
}
