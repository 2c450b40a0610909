/**
 * The shell around one partition's fold: reads its inputs, steps it, makes each tick durable, and
 * only then lets effects out.
 *
 * R1 Nothing is dispatched before its tick is in the journal (executor X1, writer S1).
 * R2 When an append fails for good, the state has run ahead of the journal: the runtime stops and
 *    the state is recovered from the log by whoever owns the partition next.
 * R3 Timers wait for results that may be there already (tick-source.ts).
 * R4 Every cut is in the journal: that of a tick that changed nothing travels with the next one.
 */
import {within} from '../domain/concurrency.ts';
import {isForestayError} from '../domain/errors.ts';
import type {HostOutcome, ObservedRows} from '../domain/observed.ts';
import type {Mode, Policy} from '../domain/policy.ts';
import type {QuietTick, ScoresRecord, Tick} from '../domain/records.ts';
import {publish} from '../events.ts';
import type {Random, Scorer} from '../ports.ts';
import {writeCheckpoint} from './checkpoint.ts';
import {releaseBefore} from './checkpoint-release.ts';
import {CheckpointSchedule} from './checkpoint-schedule.ts';
import {type Actuators, createExecutor, type Executor} from './executor.ts';
import {ForecastRows} from './forecast-rows.ts';
import {claimJournal, type JournalWriter} from './journal-writer.ts';
import {ModelCommands} from './model-commands.ts';
import {Outlook} from './outlook.ts';
import {requireInputs, requireJournal, restrain} from './partition-start.ts';
import type {PartitionState} from './partition-state.ts';
import type {HeardElsewhere} from './preconditions.ts';
import {recover} from './recovery.ts';
import {ScorePublisher} from './score-publisher.ts';
import {createScoringClient, type ScoringClient} from './scoring.ts';
import {ServedModels} from './served-models.ts';
import {SkillPublisher} from './skill-publisher.ts';
import {advance} from './tick.ts';
import {type SourceOptions, TickSource} from './tick-source.ts';

export type RuntimeOptions = SourceOptions & {
  /** Spreads retries; no decision rests on it. */
  random: Random;
  /** The configured model. */
  scorer: Scorer;
  /** Those that commands ask for, shared with other partitions; absent: there are none. */
  models?: ServedModels | undefined;
  /** A second model, of days and weeks, for display; undefined: none. */
  outlook?: Scorer | undefined;
  actuators: Actuators;
  policy: Policy;
  /** No partition starts in a mode that does more; undefined: in the one that was commanded last. */
  modeMax?: Mode | undefined;
  owner: {owner: string; address: string};
  heardElsewhere?: HeardElsewhere | undefined;
  onProblem?: ((partition: number, problem: string) => void) | undefined;
  scoring: {intervalMs: number; everySamples?: number; waitMs: number};
  /** Between checkpoints, on the time of the ticks; a quarter of it while telemetry is much. */
  checkpointMs: number;
  /** Told once the state is recovered, before the first tick; the journal was read below `nextOffset`. */
  onStart?: (state: PartitionState, nextOffset: number) => void;
  /** Told of every tick that counts; `nextOffset` is what follows it in the journal. */
  onTick?: (tick: Tick, state: PartitionState, nextOffset: number) => void;
  /** Told of risks and reasons as they go to the scores topic. */
  onScores?: (partition: number, scores: ScoresRecord) => void;
  /**
   * Told of the rows of each step in which hosts were forecast, once the tick counts; a replay tells
   * nothing. What it throws is a defect, and ends the process as any other.
   */
  onForecast?: ((rows: ObservedRows) => void) | undefined;
  /** Told likewise of what became of hosts, before the rows of the same tick. */
  onOutcome?: ((outcome: HostOutcome) => void) | undefined;
};

const WRITE_AT_LEAST_MS = 1000;
/** Quiet ticks that wait for the next one; the time of a recording may stand still. */
const QUIET_MAX = 64;
/** Calls to agents that are under way when a partition is handed back. */
const DRAIN_MS = 1000;

export class PartitionRuntime {
  readonly #options: RuntimeOptions;
  readonly #source: TickSource;
  readonly #writer: JournalWriter;
  readonly #scoring: ScoringClient;
  readonly #scores: ScorePublisher;
  readonly #outlook: Outlook | undefined;
  readonly #commands: ModelCommands;
  readonly #skills: SkillPublisher;
  readonly #forecasts: ForecastRows | undefined;
  #trailerOffset: number;
  #writtenAtMs = 0;
  #quiet: QuietTick[] = [];
  readonly #checkpoints: CheckpointSchedule;
  #stepping: Promise<void> = Promise.resolve();
  #failure: unknown;
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
    this.#trailerOffset = trailerOffset;
    this.#checkpoints = new CheckpointSchedule(
      options.checkpointMs,
      options.partition,
      state.timeMs,
    );
    this.state = state;
    const {scorer, clock, scoring, onForecast, models = new ServedModels(scorer)} = options;
    this.#source = new TickSource(options, state, timersFrom);
    this.#scoring = createScoringClient(
      models,
      clock,
      options.random,
      {...scoring, withFeatures: onForecast !== undefined},
      state.cut.scoreRequest,
    );
    this.#scores = new ScorePublisher({...options, models}, state);
    this.#commands = new ModelCommands(models, options);
    this.#skills = new SkillPublisher(options, state);
    this.#forecasts = onForecast && new ForecastRows(onForecast);
    const {outlook} = options;
    this.#outlook = outlook && new Outlook({...options, outlook}, state);
    this.executor = createExecutor({...options, state});
  }

  /**
   * Claims the partition, rebuilds its state, and fences: agents hear the epoch before anything is
   * observed or decided. Errors: `EPOCH_SUPERSEDED`, log errors.
   */
  static async start(options: RuntimeOptions): Promise<PartitionRuntime> {
    const {log, partition, policy, scorer, codec, owner, clock, random} = options;
    const model = scorer.signature();
    const beganMs = clock.monotonicMs();
    await requireJournal(log, partition);
    // First the claim, then the reading: what a former owner writes after it does not count.
    const writer = await claimJournal({log, codec, partition, clock, random}, owner);
    const claimedMs = clock.monotonicMs();
    const recovered = await recover({
      log,
      codec,
      partition,
      policy,
      model,
      models: options.models,
      everySamples: options.scoring.everySamples ?? 0,
    });
    recovered.state.epoch = writer.epoch;
    await requireInputs(log, recovered.state);
    await restrain(options, recovered.state);
    const timersFrom = await log.endOffset('inbox', partition);
    const runtime = new PartitionRuntime(
      options,
      writer,
      recovered.state,
      recovered.trailerOffset,
      timersFrom,
    );
    const recoveredMs = clock.monotonicMs();
    await runtime.executor.announceAll();
    publish('partition.started', {
      partition,
      ticks: recovered.ticks,
      claimMs: claimedMs - beganMs,
      recoverMs: recoveredMs - claimedMs,
      announceMs: clock.monotonicMs() - recoveredMs,
    });
    options.onStart?.(recovered.state, writer.nextOffset());
    return runtime;
  }

  /**
   * One tick at this time of the clock. Calls are taken one after another; after one that failed
   * all fail (R2).
   */
  step(nowMs: number): Promise<void> {
    const step = this.#stepping.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#step(nowMs);
    });
    this.#stepping = step.catch(error => {
      this.#failure ??= error;
    });
    return step;
  }

  /**
   * How long ago this partition had last read all telemetry that there was: what ingest slows
   * edges down by. Milliseconds, at least the time since the last tick.
   */
  lagMs(): number {
    return this.#source.lagMs();
  }

  async #step(nowMs: number): Promise<void> {
    const {state} = this;
    const {clock, scoring, partition} = this.#options;
    const startedMs = clock.monotonicMs();
    const read = await this.#source.read(startedMs, this.#mustScoreFirst());
    const {inbox, models} = await this.#commands.upToOpen(read.inbox);
    const found = {...read, inbox};
    this.#checkpoints.read(found.telemetryBytes);
    await this.#scoring.settled(scoring.waitMs);
    const scores = this.#scoring.take();
    const records = found.telemetry.length + found.inbox.length;
    if (state.hosts.size + records === 0) return;
    const readMs = clock.monotonicMs();
    const input = this.#source.decode(nowMs, found, this.#scoring.taken());
    const decodedMs = clock.monotonicMs();
    this.#forecasts?.scored(state, scores);
    const {tick, changed, forecasts, outcomes} = advance(state, {...input, scores, models});
    const foldedMs = clock.monotonicMs();
    await this.#commit(tick, changed, records + scores.length > 0);
    const committedMs = clock.monotonicMs();
    const asked = this.#scoring.request(state);
    publish('tick.staged', {
      partition,
      telemetryOffset: state.cut.telemetryOffset,
      asked,
      answered: state.cut.scoreRequest,
      decodeMs: decodedMs - readMs,
      foldMs: foldedMs - decodedMs,
      journalMs: committedMs - foldedMs,
      requestMs: clock.monotonicMs() - committedMs,
    });
    this.#scores.applied(scores, tick.decisions);
    this.#outlook?.ticked();
    this.#skills.ticked(tick);
    for (const outcome of outcomes) this.#options.onOutcome?.(outcome);
    if (forecasts !== undefined) this.#forecasts?.forecast(state, forecasts);
    await this.#checkpointIfDue();
    const durationMs = clock.monotonicMs() - startedMs;
    publish('tick.completed', {
      partition,
      timeMs: state.timeMs,
      durationMs,
      lagMs: this.lagMs(),
    });
  }

  /** Samples that are each scored wait in the log for those before them. */
  #mustScoreFirst(): boolean {
    return this.state.everySamples > 0 && this.#scoring.isFull();
  }

  /** A tick that changed nothing travels with the next one, within a second or 64 ticks. */
  async #commit(tick: Tick, changed: boolean, tookInput: boolean): Promise<void> {
    const {state} = this;
    const isDue =
      state.timeMs - this.#writtenAtMs >= WRITE_AT_LEAST_MS || this.#quiet.length >= QUIET_MAX;
    const isPending = tookInput || this.#quiet.length > 0;
    if (changed || (isPending && isDue)) return await this.#write(tick);
    if (tookInput) this.#quiet.push({timeMs: tick.timeMs, cut: tick.cut});
  }

  async #write(made: Tick): Promise<void> {
    const {state} = this;
    const tick = this.#quiet.length === 0 ? made : {...made, quiet: this.#quiet};
    await this.#writer.writeTick(tick);
    state.tickNumber = tick.number;
    this.#quiet = [];
    this.#writtenAtMs = state.timeMs;
    this.#options.onTick?.(tick, state, this.#writer.nextOffset());
    for (const {actor, from, to} of tick.transitions) {
      const name = actor.slice(actor.indexOf('/') + 1);
      const kind = actor.startsWith('hosts/') ? 'host' : 'vm';
      const cell = (kind === 'host' ? state.hosts : state.vms).get(name)?.cell ?? '';
      publish('transition.made', {cell, kind, from, to});
    }
    if (tick.effects.length > 0) await this.executor.dispatch(tick.effects);
  }

  async #checkpointIfDue(): Promise<void> {
    // A checkpoint is the state after a tick of the journal, not between two.
    if (this.#quiet.length > 0) return;
    if (this.#checkpoints.isDue(this.state.timeMs)) await this.#checkpoint();
  }

  async #checkpoint(): Promise<void> {
    const {log, clock, partition} = this.#options;
    const {state} = this;
    if (state.tickNumber === 0) return;
    this.#checkpoints.begun(state.timeMs);
    const startedMs = clock.monotonicMs();
    const nextOffset = this.#writer.nextOffset();
    const written = await writeCheckpoint(log, state, nextOffset, this.#trailerOffset).catch(
      error => {
        // Nothing is lost without it but time at the next start.
        if (!isForestayError(error, 'LOG_APPEND_FAILED')) throw error;
        publish('checkpoint.failed', {partition, code: error.code});
      },
    );
    if (written === undefined) return;
    const {pointer, bytes, trailerOffset} = written;
    await this.#writer.writeCheckpoint(pointer);
    this.#trailerOffset = trailerOffset;
    this.#checkpoints.written(bytes);
    await releaseBefore(log, partition, trailerOffset);
    publish('checkpoint.written', {
      partition,
      bytes,
      durationMs: clock.monotonicMs() - startedMs,
    });
  }

  /** Finishes the tick under way and leaves a checkpoint for the next owner, unless it failed. */
  async stop(): Promise<void> {
    await this.#stepping;
    if (this.#failure !== undefined) return;
    await within(this.#options.clock, DRAIN_MS, this.executor.drained());
    await this.#scoring.settled(this.#options.scoring.waitMs);
    await this.settled();
    await this.#writeQuiet();
    await this.#checkpoint();
  }

  async #writeQuiet(): Promise<void> {
    const {state} = this;
    if (this.#quiet.length === 0) return;
    const {timeMs, cut} = state;
    const nothing = {telemetry: [], inbox: [], scores: [], timers: false};
    await this.#write(advance(state, {timeMs, cut, ...nothing}).tick);
  }

  /** Waits for reasons and scores that are still on their way to the scores topic. */
  async settled(): Promise<void> {
    await this.#scores.settled();
    await this.#outlook?.settled();
    await this.#skills.settled();
  }
}
