/**
 * Risks and their reasons for people: the scores topic. Never an input, never waited for by a tick;
 * when the log or the pool is slow, rows are left out.
 */

import type {Reason} from '../domain/decision.ts';
import {isForestayError} from '../domain/errors.ts';
import {featuresOf} from '../domain/features.ts';
import type {ScoresRecord} from '../domain/records.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, Scorer} from '../ports.ts';
import {bandRow, type PartitionState} from './partition-state.ts';
import {newestOfHosts, type ScoreResult} from './score-result.ts';
import {readFeatures, riskiestComponent, type SetTable} from './set-table.ts';

/** Reasons of a host are computed again after this long, whatever the speed of a recording. */
const EXPLAIN_EVERY_MS = 30_000;
const REASONS_MAX = 5;
const ROWS_MAX = 64;
const IN_FLIGHT_MAX = 2;

export type PublisherOptions = {
  log: Log;
  clock: Clock;
  codec: Codec;
  scorer: Scorer;
  partition: number;
  onScores?: (partition: number, scores: ScoresRecord) => void;
};

export class ScorePublisher {
  readonly #options: PublisherOptions;
  readonly #state: PartitionState;
  readonly #explainedAtMs = new Map<string, number>();
  readonly #flights = new Set<Promise<void>>();

  constructor(options: PublisherOptions, state: PartitionState) {
    this.#options = options;
    this.#state = state;
  }

  /** After a tick that applied these results. */
  applied(results: readonly ScoreResult[]): void {
    if (results.length === 0 || this.#flights.size >= IN_FLIGHT_MAX) return;
    const latest = results.at(-1) as ScoreResult;
    const flight = this.#publish(latest).finally(() => this.#flights.delete(flight));
    this.#flights.add(flight);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#flights);
  }

  async #publish(result: ScoreResult): Promise<void> {
    const {hosts, risks} = newestOfHosts(result);
    const {log, codec, partition} = this.#options;
    const state = this.#state;
    const record = {
      timeMs: state.timeMs,
      epoch: state.epoch,
      tickNumber: state.tickNumber,
      modelHash: state.model.hash,
      hosts,
      risks,
      components: state.model.components,
    };
    try {
      const reasons = await this.#explain(hosts);
      const scores = {...record, reasons};
      this.#options.onScores?.(partition, scores);
      await log.append('scores', partition, [codec.encodeScores(scores)]);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('scores.failed', {model: state.model.hash, code: error.code});
    }
  }

  /** Top reasons of the riskiest component of every host above the enter threshold. */
  async #explain(hosts: readonly string[]) {
    const state = this.#state;
    const rows: {host: string; row: number; table: SetTable; at: number}[] = [];
    for (let row = 0; row < hosts.length && rows.length < ROWS_MAX; row++) {
      const host = hosts[row] as string;
      const found = this.#rowToExplain(host);
      if (found !== undefined) rows.push({host, row, table: found.table, at: found.row});
    }
    if (rows.length === 0) return [];
    const {featureCount, contract, components: outputs} = state.model;
    const names = featuresOf(contract).map(({name}) => name);
    const features = new Float32Array(rows.length * featureCount);
    const components = rows.map(({host, table, at}, index) => {
      this.#explainedAtMs.set(host, this.#options.clock.monotonicMs());
      readFeatures(table, at, features, index * featureCount);
      return riskiestComponent(table, at);
    });
    const {contributions, usual} = await this.#options.scorer.explain(
      state.model.hash,
      rows.length,
      features,
    );
    return rows.map(({row}, index) => {
      const component = components[index] as string;
      const from = (index * outputs.length + outputs.indexOf(component)) * featureCount;
      const own = features.subarray(index * featureCount, (index + 1) * featureCount);
      const each = contributions.subarray(from, from + featureCount);
      return {
        row,
        component,
        reasons: topReasons(names, each, own, usual),
      };
    });
  }

  #rowToExplain(name: string) {
    const state = this.#state;
    const host = state.hosts.get(name);
    const found = host && bandRow(state, host);
    if (found === undefined) return undefined;
    const risk = found.table.bands.risk[found.row] as number;
    if (!(risk >= state.policy.band.enter)) return undefined;
    const lastMs = this.#explainedAtMs.get(name) ?? Number.NEGATIVE_INFINITY;
    const passedMs = this.#options.clock.monotonicMs() - lastMs;
    return passedMs >= EXPLAIN_EVERY_MS ? found : undefined;
  }
}

function topReasons(
  names: readonly string[],
  contributions: Float32Array,
  values: Float32Array,
  usual: Float32Array,
): Reason[] {
  return [...contributions.keys()]
    .sort((a, b) => Math.abs(contributions[b] as number) - Math.abs(contributions[a] as number))
    .slice(0, REASONS_MAX)
    .map(index => ({
      feature: names[index] ?? '',
      value: values[index] as number,
      usual: usual[index] as number,
      contribution: contributions[index] as number,
    }));
}
