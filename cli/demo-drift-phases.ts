/** The scenario in three times, by what served: before the arrival, until the promotion, and after. */
import type {Datacenter} from '../core/simulation/datacenter.ts';
import type {SimulatedHost} from '../core/simulation/world.ts';
import {START_MS} from './datacenter-agents.ts';
import type {ForecastJudge, Judged} from './demo-drift-judge.ts';
import type {Milestones} from './demo-drift-progress.ts';
import {DRIFT_SCENARIO} from './demo-drift-scenario.ts';

export const PHASES = ['before', 'during', 'after'] as const;

/** Of the ledger's figures those that a time has of its own; it counts from the start on. */
const COUNTS = [
  'hostFailures',
  'missedFailures',
  'migrations',
  'needlessMoves',
  'vmDowntimeSeconds',
] as const;
type Counts = Readonly<Record<(typeof COUNTS)[number], number>>;

export type PhaseFigures = Counts & {
  readonly name: (typeof PHASES)[number];
  readonly seconds: number;
  readonly fleet: Judged;
  /** Of hosts of the generation that arrived. */
  readonly arrived: Judged;
  /** What the model that served at first would have said of the very same rows. */
  readonly withoutChange: {readonly fleet: Judged; readonly arrived: Judged};
};

/** Reads the ledger where one time ends and the next begins. */
export class DriftPhases {
  readonly #datacenter: Datacenter;
  readonly #judge: ForecastJudge;
  readonly #former: ForecastJudge;
  /** What was counted until the end of each time. */
  readonly #ends: {atMs: number; counts: Counts}[] = [];

  /**
   * @param judge Of the risks that were served.
   * @param former Of those that the model of the start says of the same rows.
   */
  constructor(datacenter: Datacenter, judge: ForecastJudge, former: ForecastJudge) {
    this.#datacenter = datacenter;
    this.#judge = judge;
    this.#former = former;
  }

  /** To be told at least once a virtual minute. */
  follow({arrivedAtMs, promotedAtMs}: Milestones): void {
    const {nowMs} = this.#datacenter;
    if (this.#ends.length === 0 && nowMs >= arrivedAtMs) this.#end(arrivedAtMs);
    if (this.#ends.length === 1 && promotedAtMs !== undefined) this.#end(promotedAtMs);
  }

  #end(atMs: number): void {
    this.#ends.push({atMs, counts: this.#count()});
  }

  #count(): Counts {
    const {ledger, nowMs} = this.#datacenter;
    return {...ledger.summary(nowMs), ...ledger.details(nowMs)};
  }

  /** Of each time that has begun, in order; its forecasts are judged if their horizon ends before `nowMs`. */
  figures(nowMs: number): PhaseFigures[] {
    const ends = [...this.#ends, {atMs: nowMs, counts: this.#count()}];
    return ends.map(({atMs, counts}, index) => {
      const last = ends[index - 1];
      const fromMs = last?.atMs ?? START_MS;
      const judgedUntilMs = Math.min(atMs, nowMs - DRIFT_SCENARIO.horizonMs);
      return {
        name: PHASES[index] as (typeof PHASES)[number],
        seconds: (atMs - fromMs) / 1000,
        ...judgeBoth(this.#judge, fromMs, judgedUntilMs),
        withoutChange: judgeBoth(this.#former, fromMs, judgedUntilMs),
        ...difference(counts, last?.counts),
      };
    });
  }
}

function judgeBoth(judge: ForecastJudge, fromMs: number, untilMs: number) {
  return {
    fleet: judge.judge(fromMs, untilMs),
    arrived: judge.judge(fromMs, untilMs, isNewGeneration),
  };
}

function difference(counts: Counts, before: Counts | undefined): Counts {
  const since = COUNTS.map(name => [name, counts[name] - (before?.[name] ?? 0)] as const);
  return Object.fromEntries(since) as Counts;
}

function isNewGeneration({traits}: SimulatedHost): boolean {
  return traits.generation !== undefined;
}
