/**
 * Tends the models of one family beside a core that serves: judges them by what it is told of hosts,
 * and changes what serves through the registry and the command that anybody would give. It is never
 * an input of a tick.
 *
 * T1. It is told and never waited for: a bounded queue, the oldest step goes, with a count.
 * T2. One thing at a time, but for a training, which runs in a process of its own.
 * T3. All that it awaits has a deadline, and whatever fails is told and tried again or given up: a
 *     core goes on serving without it.
 * T4. Its time is that of the rows; the audit log is written by people's.
 */
import {within} from '../../core/domain/concurrency.ts';
import {ForestayError, formatError, isDefect, isForestayError} from '../../core/domain/errors.ts';
import {fnv1a32, shortHash} from '../../core/domain/hash.ts';
import type {HostOutcome, ObservedRows} from '../../core/domain/observed.ts';
import {ChampionWatch} from './champion-watch.ts';
import {decide} from './decide.ts';
import {rememberKeeper} from './keeper-memory.ts';
import {
  DEFAULT_KEEPER_LIMITS,
  type Keeper,
  type KeeperLimits,
  type KeeperOptions,
  type KeeperStatus,
} from './keeper-parts.ts';
import {
  createKeeperState,
  DEFAULT_KEEPER_SETTINGS,
  type Happened,
  type KeeperEvent,
  type KeeperSettings,
  type KeeperState,
  learnsFromMs,
  type Step,
} from './keeper-state.ts';
import {KeeperSteps} from './keeper-steps.ts';
import type {SkillFigures} from './live-skill.ts';
import {OutcomeBook} from './outcome-book.ts';
import {inTime, UnfitModel} from './pair-scorers.ts';
import {pairOf, Rivals} from './rivals.ts';

/** Begins to tend; but for a first champion nothing is done before the first rows. */
export function startKeeper(options: KeeperOptions): Keeper {
  return new RunningKeeper(options);
}

class RunningKeeper implements Keeper {
  readonly #options: KeeperOptions;
  readonly #limits: KeeperLimits;
  readonly #settings: KeeperSettings;
  readonly #steps: KeeperSteps;
  readonly #outcomes: OutcomeBook;
  readonly #champion: ChampionWatch;
  readonly #rivals: Rivals;
  readonly #queue: ObservedRows[] = [];
  /** What came of a training. */
  #trained: Happened | undefined;
  readonly #ending = new AbortController();
  readonly #first: Promise<void>;
  #state: KeeperState | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #pumping: Promise<void> | undefined;
  #training: Promise<void> | undefined;
  #dropped = 0;
  #because = '';
  /** Aliases since which it was looked up what other keepers have found. */
  #heardRevision = -1;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#limits = {...DEFAULT_KEEPER_LIMITS, ...options.limits};
    this.#settings = {...DEFAULT_KEEPER_SETTINGS, ...options.settings};
    this.#steps = new KeeperSteps(options, this.#limits.callMsMax);
    this.#outcomes = new OutcomeBook(this.#limits);
    this.#champion = new ChampionWatch(options, this.#limits, this.#outcomes);
    this.#rivals = new Rivals(options, this.#limits, this.#outcomes);
    this.#first = this.#steps.nameFirst();
  }

  observe(rows: ObservedRows): void {
    if (this.#ending.signal.aborted) return;
    this.#queue.push(rows);
    if (this.#queue.length > this.#limits.queueMax) {
      this.#queue.shift();
      this.#dropped++;
    }
    this.#wake();
  }

  #wake(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
    });
  }

  outcome(outcome: HostOutcome): void {
    if (this.#ending.signal.aborted) return;
    this.#outcomes.tell(outcome);
    this.#options.examples.tell(outcome);
  }

  figures(fromMs: number, untilMs: number): Promise<SkillFigures> {
    return this.#champion.figures(fromMs, untilMs, pause);
  }

  status(): KeeperStatus {
    const {mode} = this.#options;
    const {phase = 'watching', sinceMs = 0, coolDownUntilMs: until} = this.#state ?? {};
    const coolDownUntilMs = Number.isFinite(until) ? (until as number) : null;
    const because = this.#because;
    const [drift, dropped] = [this.#champion.report, this.#dropped];
    return {mode, phase, sinceMs, because, coolDownUntilMs, drift, dropped};
  }

  async idle(): Promise<void> {
    await this.#first;
    while (this.#pumping !== undefined || this.#training !== undefined) {
      await this.#pumping;
      await this.#training;
    }
  }

  async close(): Promise<void> {
    this.#ending.abort('the keeper is closed');
    this.#queue.length = 0;
    // What does not end in time ends with the process.
    await within(this.#options.clock, this.#limits.callMsMax, this.idle());
    await this.#rivals.close();
  }

  async #pump(): Promise<void> {
    // What waits may be told in the same turn.
    await pause();
    while (this.#trained !== undefined || this.#queue.length > 0) {
      try {
        const trained = this.#trained;
        this.#trained = undefined;
        if (trained !== undefined) await this.#happen(trained);
        else await this.#take(this.#queue.shift() as ObservedRows);
      } catch (error) {
        // Not even a defect of the keeper is one of the core that it runs beside.
        this.#options.tell(`the keeper could not take a step: ${formatError(error)}`);
      }
    }
  }

  async #take(rows: ObservedRows): Promise<void> {
    if (!this.#outcomes.watch(rows)) return;
    const {hostsMax, lookEveryMs} = this.#limits;
    const picked = pickHosts(rows, hostsMax / this.#outcomes.hosts());
    this.#state ??= await this.#begin(rows.atMs);
    this.#steps.observe(rows, this.#state.aliases);
    await this.#champion.observe(rows, picked, this.#state.aliases.champion, pause);
    this.#options.examples.observe(rows);
    await this.#compare(rows, picked);
    const {nowMs} = this.#outcomes;
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    await this.#look(nowMs);
  }

  async #begin(atMs: number): Promise<KeeperState> {
    const {registry, family, mode, clock} = this.#options;
    await this.#first;
    const aliases = this.#steps.aliases();
    const memory = rememberKeeper(registry.history().records, aliases, {
      nowMs: clock.nowMs(),
      probationMs: this.#settings.probationMs,
    });
    const state = createKeeperState(mode, aliases, atMs, memory);
    this.#options.tell(`the keeper tends ${family} in mode ${mode}, ${state.phase}`);
    this.#options.onChange?.({phase: state.phase, what: 'phase', model: aliases.champion ?? ''});
    return state;
  }

  /** Lets champion and challenger, or the two of a probation, score the rows. */
  async #compare(rows: ObservedRows, picked: readonly number[]): Promise<void> {
    const state = this.#state as KeeperState;
    await this.#rivals.follow(pairOf(state));
    try {
      await this.#rivals.score(rows, picked, pause);
    } catch (error) {
      if (error instanceof UnfitModel) {
        await this.#happen({kind: 'unfit', hash: error.hash, why: error.message});
      } else this.#options.tell(`the keeper could not compare: ${formatError(error)}`);
    }
  }

  async #look(nowMs: number): Promise<void> {
    if (this.#state?.aliases.champion === null) await this.#steps.nameFirst();
    await this.#steps.settle();
    this.#hearOthers();
    const state = this.#state as KeeperState;
    const settledMs = this.#outcomes.settledMs(this.#limits.horizonMs);
    const sight = {
      ...(await this.#champion.look(nowMs, state.aliases.champion, pause)),
      examples: this.#options.examples.count(learnsFromMs(state)),
      failures: this.#outcomes.failuresBetween(state.sinceMs, settledMs),
    };
    await this.#happen({kind: 'looked', sight});
    this.#outcomes.forget(Math.min(this.#champion.oldestMs, this.#rivals.oldestMs));
  }

  /** What another keeper found is true here as well. */
  #hearOthers(): void {
    const {aliases} = this.#state as KeeperState;
    if (aliases.revision === this.#heardRevision) return;
    this.#heardRevision = aliases.revision;
    this.#state = {...(this.#state as KeeperState), ...this.#steps.remember()};
  }

  /** Decides what follows, and does it; what that leads to is decided at once. */
  async #happen(event: Happened): Promise<void> {
    const before = this.#state as KeeperState;
    const atMs = this.#outcomes.nowMs;
    const whole = {...event, atMs, aliases: this.#steps.aliases()} as KeeperEvent;
    const {state, steps} = decide(before, whole, this.#settings);
    this.#state = state;
    const model = state.aliases.challenger ?? state.aliases.champion ?? '';
    if (state.phase !== before.phase) {
      this.#options.onChange?.({phase: state.phase, what: 'phase', model});
    }
    for (const step of steps) {
      this.#because = step.why;
      this.#options.tell(step.why);
      await this.#perform(step);
      this.#options.onChange?.({phase: state.phase, what: step.kind, model});
    }
  }

  async #perform(step: Step): Promise<void> {
    const state = this.#state as KeeperState;
    const atMs = this.#outcomes.nowMs;
    try {
      switch (step.kind) {
        case 'say':
          return;
        case 'note':
          this.#steps.record(step.what, state.aliases.champion, state, atMs, step.why);
          return;
        case 'train':
          this.#beginTraining(step, atMs);
          return;
        case 'judge': {
          const judgement = await this.#rivals.judge(step, pause);
          this.#steps.recordJudgement(judgement, step.why);
          await this.#happen({kind: 'judged', judgement});
          return;
        }
        default:
          await this.#steps.change(step, state);
      }
    } catch (error) {
      await this.#fail(step, error);
      return;
    }
    await this.#happen({kind: 'done', step});
    if (step.kind !== 'withdraw' && step.kind !== 'rollback') return;
    this.#steps.record('refused', step.hash, this.#state as KeeperState, atMs, step.why);
  }

  async #fail(step: Step, error: unknown): Promise<void> {
    if (isDefect(error)) throw error;
    if (error instanceof UnfitModel) {
      await this.#happen({kind: 'unfit', hash: error.hash, why: error.message});
      return;
    }
    const text = formatError(error);
    const why = isForestayError(error, 'REGISTRY_CONFLICT')
      ? `Somebody was first, and is followed: ${text}`
      : `The keeper could not ${step.kind}: ${text}`;
    await this.#happen({kind: 'failed', step, why});
  }

  #beginTraining(step: Extract<Step, {kind: 'train'}>, atMs: number): void {
    const state = this.#state as KeeperState;
    if (this.#steps.isCooling(atMs, this.#settings)) {
      throw new ForestayError(
        'REGISTRY_CONFLICT',
        'another keeper of this registry has begun a training, and it has not cooled down; its model will be judged here as well',
      );
    }
    this.#steps.record('training-began', step.parent, state, atMs, step.why);
    this.#training = this.#train(step, atMs).finally(() => {
      this.#training = undefined;
    });
  }

  async #train(step: Extract<Step, {kind: 'train'}>, atMs: number): Promise<void> {
    const {clock} = this.#options;
    const {trainMsMax} = this.#limits;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#ending.signal, over.signal]);
    const work = this.#steps.train(step, atMs, signal);
    try {
      const hash = await inTime(clock, trainMsMax, 'train a model', work);
      this.#options.examples.taught();
      this.#trained = {kind: 'trained', hash};
    } catch (error) {
      over.abort('it takes too long');
      const why = `Nothing was trained on top of ${shortHash(step.parent)}: ${formatError(error)}`;
      this.#trained = {kind: 'failed', step, why};
    }
    if (this.#ending.signal.aborted) this.#trained = undefined;
    else this.#wake();
  }
}

/** Lets the core work in between. */
const pause = () => new Promise<void>(resolve => setImmediate(resolve));

/** Numbers of the rows to judge: a share of the hosts, the same ones every time. */
function pickHosts({hosts}: ObservedRows, share: number): number[] {
  const all = [...hosts.keys()];
  if (share >= 1) return all;
  return all.filter(row => fnv1a32(`shadow ${hosts[row]?.name}`) < share * 2 ** 32);
}
