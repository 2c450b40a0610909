import {HOST_METRIC_CATALOGUE, INTENT_INPUTS} from '../core/domain/host-metrics.ts';
import {
  createIntentStep,
  INTENT_COLUMNS,
  INTENT_STEP_MS,
  takeIntentSample,
} from '../core/domain/intent-step.ts';
import {HOST_METRICS} from '../core/domain/metric-sets.ts';
import {CAUSES, type Cause, HORIZONS_MINUTES, riskColumn} from '../core/domain/reboot-risks.ts';
import {formatSigns} from '../core/domain/reboot-signs.ts';
import type {IntentFlags} from './intent-flags.ts';
import type {IntentThread} from './intent-thread.ts';
import type {Conclusion, RowWriter} from './sensor.ts';

export type IntentOptions = {
  /** Names the host to the thread, which several may share. */
  readonly key: string;
  readonly thread: Pick<IntentThread, 'manifest' | 'next' | 'explain' | 'forget'>;
  /** A cause that is as likely as that within 30 minutes is explained. */
  readonly explainThreshold?: number;
  readonly flags?: IntentFlags | undefined;
};

const EXPLAIN_THRESHOLD = 0.3;
const EXPLAIN_EVERY_MS = 60_000;
/** An older answer is none. */
export const ANSWER_MS_MAX = 30_000;
/** Steps without a sample that a busy machine may have; after more of them the past is forgotten. */
export const SKIPPED_STEPS_MAX = 2;
/** A boot's age is known to about a second; clocks are set by less than this. */
const SLACK_MS = 60_000;

const COLUMNS = CAUSES.flatMap(cause =>
  HORIZONS_MINUTES.map(minutes => ({
    name: `reboot_${cause}_${minutes}m_probability`,
    output: riskColumn(cause, minutes),
    signsOf: minutes === 30 ? cause : undefined,
  })),
);
const PLACES = new Map(HOST_METRICS.columns.map((column, place) => [column, place]));
const BOOT_AGE = INTENT_INPUTS.findIndex(({name}) => name === 'boot_age_seconds');

/**
 * How likely this host goes down, on purpose or by a crash, by the reboot-intent model, and beside
 * the risks within 30 minutes which metrics speak for it.
 *
 * I1. Samples are gathered to steps (intent-step.ts); a sample never waits for the model. An answer
 *     is used from the next sample on and for {@link ANSWER_MS_MAX} after its step.
 * I2. A life begins as in training, from a state of zeros and with whatever its first step has: when
 *     the agent starts, when the boot is another, when the clock is set back, and after more than
 *     {@link SKIPPED_STEPS_MAX} steps that nobody sampled. Fewer are passed over: nothing is made up
 *     for them.
 * I3. What is said after a restart of the thread begins with zeros, too.
 */
export function concludeIntent(options: IntentOptions): Conclusion {
  const intent = new Intent(options);
  return {
    name: 'intent',
    columns: HOST_METRIC_CATALOGUE.filter(({source}) => source === 'intent').map(({name}) => name),
    hostRow: row => intent.listen(row),
    vmRow: (_, row) => row,
    read: (nowMs, row) => intent.read(nowMs, row),
    settled: () => intent.settled(),
  };
}

class Intent {
  readonly #options: IntentOptions;
  /** The sample under way, as the row of the host has it. */
  readonly #sample = new Float32Array(HOST_METRICS.columns.length).fill(Number.NaN);
  #step = createIntentStep(HOST_METRICS.columns);
  readonly #row = new Float32Array(INTENT_COLUMNS);
  readonly #history: Float32Array[] = [];
  readonly #signs = new Map<Cause, string>();
  #newest: {risks: Float32Array; atMs: number} | undefined;
  #explainedAtMs = new Map<Cause, number>();
  /** Answers for an earlier life are not used. */
  #life = 0;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(options: IntentOptions) {
    this.#options = options;
    options.thread.forget(options.key);
  }

  listen(row: RowWriter): RowWriter {
    const sample = this.#sample;
    return {
      set(column, value, device) {
        const place = PLACES.get(column);
        if (place !== undefined) {
          sample[place] = value;
          // As the batch has it: an infinity is missing.
          if (!Number.isFinite(sample[place])) sample[place] = Number.NaN;
        }
        row.set(column, value, device);
      },
    };
  }

  read(nowMs: number, row: RowWriter): void {
    if (nowMs < this.#step.endsMs - INTENT_STEP_MS - SLACK_MS) {
      this.#beginLife();
      this.#step = createIntentStep(HOST_METRICS.columns);
    }
    const endedMs = this.#step.endsMs;
    const ended = takeIntentSample(this.#step, nowMs, this.#sample, this.#row);
    this.#sample.fill(Number.NaN);
    if (ended - 1 > SKIPPED_STEPS_MAX) this.#beginLife();
    else if (ended > 0) this.#ask(endedMs);
    const risks = this.#risksAt(nowMs);
    for (const {name, output, signsOf} of COLUMNS) {
      const signs = signsOf && risks && this.#signs.get(signsOf);
      row.set(
        name,
        risks === undefined ? Number.NaN : (risks[output] as number),
        signs || undefined,
      );
    }
    this.#options.flags?.look(risks, nowMs);
  }

  async settled(): Promise<void> {
    await this.#pending;
  }

  #risksAt(nowMs: number): Float32Array | undefined {
    const newest = this.#newest;
    return newest !== undefined && Math.abs(nowMs - newest.atMs) <= ANSWER_MS_MAX
      ? newest.risks
      : undefined;
  }

  #beginLife(): void {
    this.#options.thread.forget(this.#options.key);
    this.#life++;
    this.#history.length = 0;
    this.#newest = undefined;
    this.#signs.clear();
    this.#explainedAtMs.clear();
  }

  #ask(atMs: number): void {
    const row = this.#row.slice();
    const lastAge = this.#history.at(-1)?.[BOOT_AGE] ?? Number.NaN;
    if ((row[BOOT_AGE] as number) < lastAge - SLACK_MS / 1000) this.#beginLife();
    this.#history.push(row);
    if (this.#history.length > this.#options.thread.manifest.explainSteps) this.#history.shift();
    this.#pending = Promise.all([this.#pending, this.#answer(row, atMs, this.#life)]);
  }

  async #answer(row: Float32Array, atMs: number, life: number): Promise<void> {
    const {thread, key, explainThreshold = EXPLAIN_THRESHOLD} = this.#options;
    const risks = await thread.next(key, row);
    if (risks === undefined || life !== this.#life) return;
    this.#newest = {risks: risks.map(risk => Math.min(1, Math.max(0, risk))), atMs};
    const likely: Cause[] = [];
    for (const cause of CAUSES) {
      if ((risks[riskColumn(cause, 30)] as number) >= explainThreshold) likely.push(cause);
      else this.#signs.delete(cause);
    }
    await this.#explain(likely, atMs, life);
  }

  /** Of the likely causes the one that was explained least lately, if none was within a minute. */
  async #explain(likely: readonly Cause[], atMs: number, life: number): Promise<void> {
    const explainedAtMs = (cause: Cause): number =>
      this.#explainedAtMs.get(cause) ?? Number.NEGATIVE_INFINITY;
    const isDue = CAUSES.every(cause => atMs - explainedAtMs(cause) >= EXPLAIN_EVERY_MS);
    const [cause] = likely.toSorted((a, b) => explainedAtMs(a) - explainedAtMs(b));
    if (!isDue || cause === undefined) return;
    this.#explainedAtMs.set(cause, atMs);
    const {thread} = this.#options;
    const parts = await thread.explain(this.#lastRows(), riskColumn(cause, 30));
    if (parts === undefined || life !== this.#life) return;
    const signs = INTENT_INPUTS.map(({name}, input) => ({
      metric: name,
      part: parts[input] as number,
    }));
    this.#signs.set(cause, formatSigns(signs));
  }

  /**
   * A life that is shorter is led by a host on which everything is as usual, and missing what is
   * missing at first: that adds nothing, and what this host lacks has not gone missing.
   */
  #lastRows(): Float32Array {
    const {explainSteps, usual} = this.#options.thread.manifest;
    const samples = new Float32Array(explainSteps * INTENT_COLUMNS);
    const padding = explainSteps - this.#history.length;
    const first = this.#history[0];
    const plain = Float32Array.from(usual, (value, input) =>
      value === null || Number.isNaN(first?.[input]) ? Number.NaN : value,
    );
    for (let at = 0; at < explainSteps; at++) {
      samples.set(this.#history[at - padding] ?? plain, at * INTENT_COLUMNS);
    }
    return samples;
  }
}
