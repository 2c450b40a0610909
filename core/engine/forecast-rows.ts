/**
 * Rows of the hosts that a tick has forecast, for those who tend models: the very features that the
 * model was sent, and what it said of them. Never an input of a tick; a replay has no model, and
 * tells nothing.
 *
 * F1. Of a host whose newest row was scored by a model that it has no more, or in a former life, nothing
 *     is told until it is scored again; so it is after a start.
 */
import type {ObservedHost, ObservedRows} from '../domain/observed.ts';
import {modelOf} from './model-switch.ts';
import type {HostEntry, PartitionState} from './partition-state.ts';
import {lastRows, type ScoreResult} from './score-result.ts';
import {outputsOf} from './set-table.ts';

type ScoredRow = {
  modelHash: string;
  featureHash: number;
  /** Time of the ticks when it came back. */
  atMs: number;
  features: Float32Array;
  risks: Float32Array;
};

export class ForecastRows {
  readonly #onForecast: (rows: ObservedRows) => void;
  /** By host: a copy of the row that was scored last; about a kilobyte. */
  readonly #rows = new Map<string, ScoredRow>();

  constructor(onForecast: (rows: ObservedRows) => void) {
    this.#onForecast = onForecast;
  }

  /** Keeps what is back; before the tick that takes it, which moves risks where they stand. */
  scored(state: PartitionState, results: readonly ScoreResult[]): void {
    for (const {hosts, model, features, risks, samples} of results) {
      if (model === undefined || features === undefined) continue;
      const {hash, featureHash, featureCount} = model;
      const width = outputsOf(model).length;
      const rows = samples && lastRows(samples.host, hosts.length);
      for (const [index, host] of hosts.entries()) {
        if (hash !== modelOf(state, host).hash) continue;
        const row = rows?.[index] ?? index;
        const kept = this.#rowFor(host, featureCount, width);
        Object.assign(kept, {modelHash: hash, featureHash, atMs: state.timeMs});
        kept.features.set(features.subarray(row * featureCount, (row + 1) * featureCount));
        kept.risks.set(risks.subarray(row * width, (row + 1) * width));
      }
    }
  }

  /**
   * Tells the rows of hosts that were forecast, by name; the champion's first, those of a canary with
   * another feature contract by themselves. What the listener throws is thrown.
   */
  forecast(state: PartitionState, hosts: readonly string[]): void {
    for (const host of this.#rows.keys()) if (!state.hosts.has(host)) this.#rows.delete(host);
    const {model, canary} = state;
    const contracts = new Map([model, ...(canary ? [canary.model] : [])].map(byContract));
    for (const {featureHash, featureCount} of contracts.values()) {
      const rows = hosts.flatMap(name => {
        const found = this.#rowOf(state, name);
        return found?.row.featureHash === featureHash ? [found] : [];
      });
      if (rows.length === 0) continue;
      const outputs = outputsOf(model);
      const features = new Float32Array(rows.length * featureCount);
      const risks = new Float32Array(rows.length * outputs.length);
      for (const [index, {row}] of rows.entries()) {
        features.set(row.features, index * featureCount);
        risks.set(row.risks, index * outputs.length);
      }
      this.#onForecast({
        partition: state.partition,
        atMs: state.timeMs,
        featureHash,
        featureCount,
        hosts: rows.map(({host, row}) => observedHost(host, row)),
        features,
        outputs,
        risks,
      });
    }
  }

  /** The host's row to be written over; hosts are scored often. */
  #rowFor(host: string, featureCount: number, width: number): ScoredRow {
    const kept = this.#rows.get(host);
    if (kept?.features.length === featureCount && kept.risks.length === width) return kept;
    const features = new Float32Array(featureCount);
    const fresh = {
      modelHash: '',
      featureHash: 0,
      atMs: 0,
      features,
      risks: new Float32Array(width),
    };
    this.#rows.set(host, fresh);
    return fresh;
  }

  #rowOf(state: PartitionState, name: string): {host: HostEntry; row: ScoredRow} | undefined {
    const row = this.#rows.get(name);
    const host = state.hosts.get(name);
    if (row === undefined || host === undefined) return undefined;
    const isOfNow = row.modelHash === modelOf(state, name).hash && row.atMs >= host.bootAtMs;
    return isOfNow ? {host, row} : undefined;
  }
}

function byContract<Model extends {featureHash: number}>(model: Model): [number, Model] {
  return [model.featureHash, model];
}

function observedHost(
  {name, cell, facts, bootAtMs}: HostEntry,
  {modelHash}: ScoredRow,
): ObservedHost {
  return {name, cell, hardware: facts?.hardware ?? '', modelHash, bootAtMs};
}
