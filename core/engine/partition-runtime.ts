/**
 * The shell around one partition's fold: reads its inputs, steps it, makes each tick durable, and
 * only then lets effects out.
 *
 * R1 Nothing is dispatched before its tick is in the journal (executor X1, writer S1).
 * R2 When an append fails for good, the state has run ahead of the journal: the runtime stops and
 *    the state is recovered from the log by whoever owns the partition next.
 * R3 After a start, timers wait until the inbox was read to the end that it had then: a result
 *    that is already there beats its deadline.
 */
import type {Policy} from '../domain/policy.ts';
import type {ScoresRecord, Tick} from '../domain/records.ts';
import type {TelemetryRecord} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, LogRecord, Scorer} from '../ports.ts';
import {writeCheckpoint} from './checkpoint.ts';
import {type Actuators, createExecutor, type Executor} from './executor.ts';
import {claimJournal, type JournalWriter} from './journal-writer.ts';
import type {PartitionState} from './partition-state.ts';
import {decodeAll, recover} from './recovery.ts';
import {ScorePublisher} from './score-publisher.ts';
import {createScoringClient, type ScoringClient} from './scoring.ts';
import {advance} from './tick.ts';

export type RuntimeOptions = {
  partition: number;
  log: Log;
  codec: Codec;
  clock: Clock;
  scorer: Scorer;
  actuators: Actuators;
  policy: Policy;
  owner: {owner: string; address: string};
  scoring: {intervalMs: number; waitMs: number};
  /** Ticks between checkpoints, on the time of the ticks. */
  checkpointMs: number;
  /** How much input one tick takes at most. */
  tickBytesMax: number;
  /**
   * `clock`: a tick's time is the clock's. `data`: cells that are not live take it from their
   * newest sample, for recordings that are played at any speed.
   */
  time: 'clock' | 'data';
  /** Told once the state is recovered, before the first tick. */
  onStart?: (state: PartitionState) => void;
  /** Told of every tick that counts. */
  onTick?: (tick: Tick, state: PartitionState) => void;
  /** Told of risks and reasons as they go to the scores topic. */
  onScores?: (partition: number, scores: ScoresRecord) => void;
};

const WRITE_AT_LEAST_MS = 1000;

export class PartitionRuntime {
  readonly #options: RuntimeOptions;
  readonly #writer: JournalWriter;
  readonly #scoring: ScoringClient;
  readonly #scores: ScorePublisher;
  readonly #timersFrom: number;
  #trailerOffset: number;
  #writtenAtMs = 0;
  #checkpointAtMs = 0;
  #stepping: Promise<void> = Promise.resolve();
  readonly state: PartitionState;
  readonly executor: Executor;

  private constructor(
    options: RuntimeOptions,
    writer: JournalWriter,
    state: PartitionState,
    trailerOffset: number,
    timersFrom: number,
  ) {
    this.#options = options;
    this.#writer = writer;
    this.#timersFrom = timersFrom;
    this.#trailerOffset = trailerOffset;
    this.#checkpointAtMs = state.timeMs;
    this.state = state;
    const {scorer, clock, scoring} = options;
    this.#scoring = createScoringClient(scorer, clock, scoring, state.cut.scoreRequest);
    this.#scores = new ScorePublisher(options, state);
    this.executor = createExecutor({...options, state});
  }

  /**
   * Claims the partition, rebuilds its state, and fences: agents hear the epoch before anything is
   * observed or decided. Errors: `EPOCH_SUPERSEDED`, log errors.
   */
  static async start(options: RuntimeOptions): Promise<PartitionRuntime> {
    const {log, partition, policy, scorer, codec, owner} = options;
    const model = scorer.signature();
    const before = await recover({log, codec, partition, policy, model});
    const writer = await claimJournal({log, codec, partition}, before.lastEpoch, owner);
    // The former owner may have written between our reading and our claim.
    const recovered = await recover({log, codec, partition, policy, model});
    recovered.state.epoch = writer.epoch;
    const timersFrom = await log.endOffset('inbox', partition);
    const runtime = new PartitionRuntime(
      options,
      writer,
      recovered.state,
      recovered.trailerOffset,
      timersFrom,
    );
    await runtime.executor.announceAll();
    options.onStart?.(recovered.state);
    return runtime;
  }

  /** One tick at this time of the clock. Calls are taken one after another. */
  step(nowMs: number): Promise<void> {
    const step = this.#stepping.then(() => this.#step(nowMs));
    this.#stepping = step.catch(() => {});
    return step;
  }

  async #step(nowMs: number): Promise<void> {
    const {state} = this;
    const {clock, scoring} = this.#options;
    const startedMs = clock.monotonicMs();
    const telemetry = await this.#read('telemetry', state.cut.telemetryOffset);
    const inbox = await this.#read('inbox', state.cut.inboxOffset);
    await this.#scoring.settled(scoring.waitMs);
    const scores = this.#scoring.take();
    if (state.hosts.size + telemetry.length + inbox.length === 0) return;
    const {codec, partition} = this.#options;
    const records = decodeAll(telemetry, 'telemetry', partition, bytes =>
      codec.decodeTelemetry(bytes),
    );
    const cut = {
      telemetryOffset: endOf(telemetry, state.cut.telemetryOffset),
      inboxOffset: endOf(inbox, state.cut.inboxOffset),
      scoreRequest: this.#scoring.taken(),
    };
    const {tick, changed} = advance(state, {
      timeMs: this.#timeOf(nowMs, records),
      cut,
      telemetry: records,
      inbox: decodeAll(inbox, 'inbox', partition, bytes => codec.decodeInbox(bytes)),
      scores,
      timers: cut.inboxOffset >= this.#timersFrom,
    });
    await this.#commit(tick, changed, telemetry.length + inbox.length > 0);
    this.#scoring.request(state);
    this.#scores.applied(scores);
    await this.#checkpointIfDue();
    const durationMs = clock.monotonicMs() - startedMs;
    publish('tick.completed', {
      partition,
      timeMs: state.timeMs,
      durationMs,
      lagMs: Math.max(0, nowMs - state.timeMs),
    });
  }

  /** A tick that changed nothing travels with the next one, within a second. */
  async #commit(tick: Tick, changed: boolean, tookInput: boolean): Promise<void> {
    const {state} = this;
    const due = tookInput && state.timeMs - this.#writtenAtMs >= WRITE_AT_LEAST_MS;
    if (!changed && !due) return;
    await this.#writer.writeTick(tick);
    state.tickNumber = tick.number;
    this.#writtenAtMs = state.timeMs;
    this.#options.onTick?.(tick, state);
    for (const {actor, from, to} of tick.transitions) {
      const name = actor.slice(actor.indexOf('/') + 1);
      const kind = actor.startsWith('hosts/') ? 'host' : 'vm';
      const cell = (kind === 'host' ? state.hosts : state.vms).get(name)?.cell ?? '';
      publish('transition.made', {cell, kind, from, to});
    }
    if (tick.effects.length > 0) await this.executor.dispatch(tick.effects);
  }

  async #checkpointIfDue(): Promise<void> {
    if (this.state.timeMs - this.#checkpointAtMs < this.#options.checkpointMs) return;
    await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    const {log, clock, partition} = this.#options;
    const {state} = this;
    if (state.tickNumber === 0) return;
    this.#checkpointAtMs = state.timeMs;
    const startedMs = clock.monotonicMs();
    const {pointer, bytes, trailerOffset} = await writeCheckpoint(
      log,
      state,
      this.#writer.nextOffset(),
      this.#trailerOffset,
    );
    await this.#writer.writeCheckpoint(pointer);
    this.#trailerOffset = trailerOffset;
    publish('checkpoint.written', {
      partition,
      bytes,
      durationMs: clock.monotonicMs() - startedMs,
    });
  }

  /** Finishes the tick under way and leaves a checkpoint for the next owner. */
  async stop(): Promise<void> {
    await this.#stepping;
    await this.#scoring.settled(this.#options.scoring.waitMs);
    await this.#scores.settled();
    await this.#checkpoint();
  }

  /** Waits for reasons and scores that are still on their way to the scores topic. */
  settled(): Promise<void> {
    return this.#scores.settled();
  }

  #read(topic: 'telemetry' | 'inbox', from: number): Promise<readonly LogRecord[]> {
    return this.#options.log.read(topic, this.#options.partition, from, this.#options.tickBytesMax);
  }

  #timeOf(nowMs: number, records: readonly TelemetryRecord[]): number {
    const base = this.state.timeBase ?? baseOf(records);
    if (base === 'live' || base === undefined || this.#options.time === 'clock') return nowMs;
    let newestMs = this.state.timeMs;
    for (const record of records) {
      if (record.kind !== 'batch') continue;
      for (const {observedAtMs} of record.batch.blocks) {
        for (const atMs of observedAtMs) if (atMs > newestMs) newestMs = atMs;
      }
    }
    return newestMs;
  }
}

function baseOf(records: readonly TelemetryRecord[]): string | undefined {
  for (const record of records) if (record.kind === 'batch') return record.batch.timeBase;
  return undefined;
}

function endOf(records: readonly LogRecord[], before: number): number {
  const last = records.at(-1);
  return last === undefined ? before : last.offset + 1;
}
