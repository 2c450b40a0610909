/** What served risks were worth, by what really happened: nobody but a simulation knows that. */
import {COMPONENTS} from '../core/domain/components.ts';
import type {ObservedRows} from '../core/domain/observed.ts';
import {nextOutage, UNKNOWN, writeLabels} from '../core/simulation/outcomes.ts';
import type {SimulatedHost} from '../core/simulation/world.ts';
import {logLoss} from '../models/metrics.ts';

type Forecast = {
  readonly host: SimulatedHost;
  readonly atMs: number;
  /** By {@link COMPONENTS}. */
  readonly risks: readonly number[];
};

export type Judged = {
  readonly forecasts: number;
  /**
   * 1 − log-loss ÷ that of always saying how often each part failed among the very same forecasts;
   * null: nothing failed.
   */
  readonly skill: number | null;
};

/** Keeps forecasts of simulated hosts, five risks each, until somebody asks what they were worth. */
export class ForecastJudge {
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #horizonMs: number;
  readonly #forecasts: Forecast[] = [];

  constructor(hosts: readonly SimulatedHost[], horizonMs: number) {
    this.#hosts = new Map(hosts.map(host => [host.name, host]));
    this.#horizonMs = horizonMs;
  }

  take({hosts, atMs, outputs, risks}: ObservedRows): void {
    const columns = COMPONENTS.map(component => outputs.indexOf(component));
    for (const [row, {name}] of hosts.entries()) {
      const host = this.#hosts.get(name);
      if (host === undefined) continue;
      const said = columns.map(column => risks[row * outputs.length + column] ?? Number.NaN);
      this.#forecasts.push({host, atMs, risks: said});
    }
  }

  /** Of forecasts from `fromMs` to before `untilMs`, whose horizon must be over. */
  judge(
    fromMs: number,
    untilMs: number,
    isJudged: (host: SimulatedHost) => boolean = () => true,
  ): Judged {
    const chosen = this.#forecasts.filter(
      ({host, atMs}) => atMs >= fromMs && atMs < untilMs && isJudged(host),
    );
    const labels = new Uint8Array(chosen.length * COMPONENTS.length);
    for (const [row, {host, atMs}] of chosen.entries()) {
      const outage = nextOutage(host.outages, atMs);
      writeLabels(outage, atMs, [this.#horizonMs / 1000], labels, row * COMPONENTS.length);
    }
    let loss = 0;
    let baseLoss = 0;
    for (const output of COMPONENTS.keys()) {
      const label = (row: number) => labels[row * COMPONENTS.length + output] as number;
      const known = [...chosen.keys()].filter(row => label(row) !== UNKNOWN);
      const own = Uint8Array.from(known, label);
      const rate = own.reduce((sum, each) => sum + each, 0) / own.length;
      const risks = known.map(row => (chosen[row] as Forecast).risks[output] as number);
      if (own.length === 0) continue;
      loss += own.length * logLoss(risks, own);
      baseLoss += own.length * logLoss(new Float64Array(own.length).fill(rate), own);
    }
    return {forecasts: chosen.length, skill: baseLoss > 0 ? 1 - loss / baseLoss : null};
  }
}
