/** What a tick takes from the log, and when it may let deadlines pass. */
import type {ForestayError} from '../domain/errors.ts';
import {newestOf} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, LogRecord, Topic} from '../ports.ts';
import {readable, readableTelemetry} from './log-decoding.ts';
import {bytesOf, endOf} from './log-range.ts';
import type {PartitionState} from './partition-state.ts';
import type {TelemetryInput, TickInput} from './tick-draft.ts';
import {baseOf} from './tick-telemetry.ts';

/** A pause of more than this many ticks is one in which results may have come. */
const GAP_TICKS = 2;

export type SourceOptions = {
  partition: number;
  log: Log;
  codec: Codec;
  clock: Clock;
  /** How often a caller means to step. */
  tickMs: number;
  /** How much input one tick takes at most. */
  tickBytesMax: number;
  /**
   * `clock`: a tick's time is the clock's. `data`: cells that are not live take it from their
   * newest sample, for recordings that are played at any speed.
   */
  time: 'clock' | 'data';
};

/** Records of the log, from where the last tick stopped. */
export type Found = {
  telemetry: readonly LogRecord[];
  telemetryBytes: number;
  inbox: readonly LogRecord[];
};

/**
 * Reads telemetry and inbox from where the state stands. After a start, or a pause of more than two
 * ticks, timers wait until the inbox was read to the end that it had then: a result that is already
 * there beats its deadline.
 */
export class TickSource {
  readonly #options: SourceOptions;
  readonly #state: PartitionState;
  /** Timers wait for the inbox up to here. */
  #timersFrom: number;
  /** Monotonic; the last step's start, and the last one's that read all telemetry there was. */
  #steppedAtMs: number;
  #caughtUpAtMs: number;

  /** @param timersFrom The inbox's end at the start. */
  constructor(options: SourceOptions, state: PartitionState, timersFrom: number) {
    this.#options = options;
    this.#state = state;
    this.#timersFrom = timersFrom;
    this.#steppedAtMs = options.clock.monotonicMs();
    this.#caughtUpAtMs = this.#steppedAtMs;
  }

  /** Since a tick began that read all telemetry that there was. */
  lagMs(): number {
    return Math.max(0, this.#options.clock.monotonicMs() - this.#caughtUpAtMs);
  }

  /** A step begins at this monotonic time; telemetry may have to wait in the log. */
  async read(startedMs: number, mustTelemetryWait: boolean): Promise<Found> {
    const {cut} = this.#state;
    await this.#holdTimersAfterGap(startedMs);
    const telemetry = mustTelemetryWait ? [] : await this.#read('telemetry', cut.telemetryOffset);
    const inbox = await this.#read('inbox', cut.inboxOffset);
    const telemetryBytes = bytesOf(telemetry);
    // A read that gave about as much as it may: there is likely more.
    if (2 * telemetryBytes < this.#options.tickBytesMax) this.#caughtUpAtMs = startedMs;
    return {telemetry, telemetryBytes, inbox};
  }

  /** The tick's input but for its scores; records that cannot be read are set aside, and told. */
  decode(
    nowMs: number,
    {telemetry, inbox}: Found,
    scoreRequest: number,
  ): Omit<TickInput, 'scores'> {
    const {codec, partition} = this.#options;
    const {cut} = this.#state;
    const setAside = (topic: Topic) => (offset: number, error: ForestayError) =>
      publish('record.quarantined', {topic, partition, offset, code: error.code});
    const telemetryOffset = endOf(telemetry, cut.telemetryOffset);
    const inboxOffset = endOf(inbox, cut.inboxOffset);
    const records = readableTelemetry(
      telemetry,
      {from: cut.telemetryOffset, to: telemetryOffset},
      codec,
      setAside('telemetry'),
    );
    return {
      timeMs: this.#timeOf(nowMs, records),
      cut: {telemetryOffset, inboxOffset, scoreRequest},
      telemetry: records,
      inbox: readable(inbox, bytes => codec.decodeInbox(bytes), setAside('inbox')),
      timers: inboxOffset >= this.#timersFrom,
    };
  }

  async #holdTimersAfterGap(startedMs: number): Promise<void> {
    const {log, partition, tickMs} = this.#options;
    const isGap = startedMs - this.#steppedAtMs > GAP_TICKS * tickMs;
    this.#steppedAtMs = startedMs;
    if (isGap) this.#timersFrom = await log.endOffset('inbox', partition);
  }

  #read(topic: 'telemetry' | 'inbox', from: number): Promise<readonly LogRecord[]> {
    const {log, partition, tickBytesMax} = this.#options;
    return log.read(topic, partition, from, tickBytesMax);
  }

  #timeOf(nowMs: number, records: readonly TelemetryInput[]): number {
    const base = baseOf(this.#state, records);
    if (base === 'live' || base === undefined || this.#options.time === 'clock') return nowMs;
    let newestMs = this.#state.timeMs;
    for (const record of records) {
      if (record.kind !== 'batch') continue;
      for (const {observedAtMs} of record.batch.blocks) {
        newestMs = Math.max(newestMs, newestOf(observedAtMs));
      }
    }
    return newestMs;
  }
}
