/**
 * Risks and their reasons for people: the scores topic. Never an input, never waited for by a tick;
 * when the log or the pool is slow, rows are left out.
 */
import type {Decision} from '../domain/decision.ts';
import {isForestayError} from '../domain/errors.ts';
import type {ScoresRecord} from '../domain/records.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log} from '../ports.ts';
import {Explainer} from './explainer.ts';
import type {PartitionState} from './partition-state.ts';
import {newestOfHosts, type ScoreResult} from './score-result.ts';
import type {ServedModels} from './served-models.ts';
import {outputsOf} from './set-table.ts';

const IN_FLIGHT_MAX = 2;

export type PublisherOptions = {
  log: Log;
  clock: Clock;
  codec: Codec;
  models: Pick<ServedModels, 'scorerOf'>;
  partition: number;
  onScores?: (partition: number, scores: ScoresRecord) => void;
};

export class ScorePublisher {
  readonly #options: PublisherOptions;
  readonly #state: PartitionState;
  readonly #explainer: Explainer;
  readonly #flights = new Set<Promise<void>>();

  constructor(options: PublisherOptions, state: PartitionState) {
    this.#options = options;
    this.#state = state;
    this.#explainer = new Explainer(options, state);
  }

  /** After a tick that applied these results and came to these decisions. */
  applied(results: readonly ScoreResult[], decisions: readonly Decision[]): void {
    this.#explainer.decided(decisions);
    if (results.length === 0 || this.#flights.size >= IN_FLIGHT_MAX) return;
    // The last of each model: a canary's hosts are others than the champion's.
    for (const latest of new Map(results.map(result => [result.model, result])).values()) {
      const flight = this.#publish(latest).finally(() => this.#flights.delete(flight));
      this.#flights.add(flight);
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#flights);
  }

  async #publish(result: ScoreResult): Promise<void> {
    const {hosts, risks} = newestOfHosts(result);
    const {log, codec, partition, models} = this.#options;
    const state = this.#state;
    const model = result.model ?? state.model;
    const scorer = models.scorerOf(model.hash);
    const record = {
      kind: 'risk' as const,
      timeMs: state.timeMs,
      epoch: state.epoch,
      tickNumber: state.tickNumber,
      modelHash: model.hash,
      featureHash: model.featureHash,
      hosts,
      risks,
      components: outputsOf(model),
    };
    try {
      const scores = {
        ...record,
        reasons: scorer === undefined ? [] : await this.#explainer.explain(scorer, hosts),
      };
      this.#options.onScores?.(partition, scores);
      await log.append('scores', partition, [codec.encodeScores(scores)]);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('scores.failed', {model: model.hash, code: error.code});
    }
  }
}
