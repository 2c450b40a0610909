/**
 * Why hosts are thought to be at risk: reasons and what would have to be otherwise, computed by the
 * scorer after the tick, for hosts above the enter threshold. Never an input.
 */
import {shiftedRisk} from '../domain/cell-layer.ts';
import {
  type CounterfactualRows,
  counterfactualRows,
  findCounterfactual,
} from '../domain/counterfactual.ts';
import type {Decision, Reason} from '../domain/decision.ts';
import {type Feature, featuresOf} from '../domain/features.ts';
import {parseSigns} from '../domain/reboot-signs.ts';
import type {RowReasons} from '../domain/records.ts';
import {combineRisks} from '../domain/risk.ts';
import type {Clock, ModelSignature, Scorer} from '../ports.ts';
import {bandRow, type PartitionState} from './partition-state.ts';
import {countedReboot} from './scored-reboots.ts';
import {
  REBOOT_METRIC,
  readFeatures,
  rebootRisk,
  riskiestComponent,
  type SetTable,
} from './set-table.ts';

/** Reasons of a host are computed again after this long, whatever the speed of a recording. */
const EXPLAIN_EVERY_MS = 30_000;
const REASONS_MAX = 5;
const ROWS_MAX = 64;
/** Decisions of a host that wait for its reasons; a host has no more VMs than a few hundred. */
const WAITING_MAX = 512;

type RowToExplain = {host: string; row: number; table: SetTable; at: number};

export class Explainer {
  readonly #clock: Clock;
  readonly #state: PartitionState;
  readonly #explainedAtMs = new Map<string, number>();
  /** Ids of decisions that rest on the risk of each host and have no reasons yet. */
  readonly #waiting = new Map<string, string[]>();

  constructor({clock}: {clock: Clock}, state: PartitionState) {
    this.#clock = clock;
    this.#state = state;
  }

  /** What a tick decided; the next reasons of the host are its reasons. */
  decided(decisions: readonly Decision[]): void {
    for (const {id, host, risk} of decisions) {
      if (!(risk >= this.#state.policy.band.enter)) continue;
      const ids = this.#waiting.get(host) ?? [];
      if (ids.length >= WAITING_MAX) ids.shift();
      ids.push(id);
      this.#waiting.set(host, ids);
    }
  }

  /**
   * The riskiest component of every host above the enter threshold, unless it was explained lately
   * and nothing was decided since. Errors: the scorer's.
   *
   * @param scorer What gave the risks of these hosts.
   */
  async explain(scorer: Scorer, hosts: readonly string[]): Promise<RowReasons[]> {
    const rows: RowToExplain[] = [];
    for (let row = 0; row < hosts.length && rows.length < ROWS_MAX; row++) {
      const host = hosts[row] as string;
      const found = this.#rowToExplain(host);
      if (found !== undefined) rows.push({host, row, table: found.table, at: found.row});
    }
    if (rows.length === 0) return [];
    const state = this.#state;
    const model = scorer.signature();
    const {featureCount, components: outputs, hash} = model;
    const named: readonly Feature[] = featuresOf(model.contract);
    const features = new Float32Array(rows.length * featureCount);
    const decisions = rows.map(({host}) => this.#waiting.get(host) ?? []);
    const components = rows.map(({host, table, at}, index) => {
      this.#explainedAtMs.set(host, this.#clock.monotonicMs());
      this.#waiting.delete(host);
      readFeatures(table, at, model, features, index * featureCount);
      return riskiestComponent(table, at);
    });
    const {contributions, usual} = await scorer.explain(hash, rows.length, features);
    const explained = rows.map(({row, table, at}, index) => {
      const component = components[index] as string;
      const output = outputs.indexOf(component);
      const from = (index * outputs.length + Math.max(output, 0)) * featureCount;
      const own = features.subarray(index * featureCount, (index + 1) * featureCount);
      // Of a reboot the model knows nothing: the agent has said so.
      const each =
        output < 0
          ? new Float32Array(featureCount)
          : contributions.subarray(from, from + featureCount);
      const reboot = countedReboot(rebootRisk(table, at), state.policy.reboot.threshold);
      const reasons = output < 0 ? rebootReasons(table, at) : topReasons(named, each, own, usual);
      return {
        reasons: {row, component, reasons, decisions: decisions[index] as string[]},
        tried: counterfactualRows(named, own, usual, each),
        reboot,
        learned: table.learned[at] as number,
      };
    });
    const risks = await scoreAll(scorer, model, explained);
    return explained.map(({reasons, tried}, index) => {
      const {enter} = state.policy.band;
      const counterfactual = findCounterfactual(tried, risks[index] as Float32Array, enter);
      return counterfactual === undefined ? reasons : {...reasons, counterfactual};
    });
  }

  #rowToExplain(name: string) {
    const state = this.#state;
    const host = state.hosts.get(name);
    const found = host && bandRow(state, host);
    if (found === undefined) return undefined;
    const risk = found.table.bands.risk[found.row] as number;
    if (!(risk >= state.policy.band.enter)) {
      this.#waiting.delete(name);
      return undefined;
    }
    if (this.#waiting.has(name)) return found;
    const lastMs = this.#explainedAtMs.get(name) ?? Number.NEGATIVE_INFINITY;
    const passedMs = this.#clock.monotonicMs() - lastMs;
    return passedMs >= EXPLAIN_EVERY_MS ? found : undefined;
  }
}

/** Combined risk of every row that was tried, host by host, in one request. */
async function scoreAll(
  scorer: Scorer,
  {featureCount, components, hash}: ModelSignature,
  hosts: readonly {tried: CounterfactualRows; reboot: number; learned: number}[],
): Promise<Float32Array[]> {
  const width = components.length;
  const total = hosts.reduce((sum, {tried}) => sum + tried.changes.length, 0);
  if (total === 0) return hosts.map(() => new Float32Array(0));
  const features = new Float32Array(total * featureCount);
  let filled = 0;
  for (const {tried} of hosts) {
    features.set(tried.features, filled);
    filled += tried.features.length;
  }
  const risks = await scorer.score(hash, total, features);
  let next = 0;
  return hosts.map(({tried, reboot, learned}) =>
    Float32Array.from(tried.changes, () => {
      const failure = shiftedRisk(combineRisks(risks, next++ * width, width), learned);
      return combineRisks(Float32Array.of(failure, reboot), 0, 2);
    }),
  );
}

/** What the agent's own model gave as reasons; without any, that it said so. */
function rebootReasons(table: SetTable, row: number): Reason[] {
  const {windows, set} = table;
  const levelOf = (metric: string): number => {
    const column = set.columns.indexOf(metric);
    return windows.fast[row * windows.columns + column] ?? Number.NaN;
  };
  const signs = parseSigns(table.rebootSigns.get(row) ?? '');
  if (signs.length > 0) {
    return signs.map(({metric, part}) => ({
      feature: `${metric}.level`,
      value: levelOf(metric),
      usual: Number.NaN,
      contribution: part,
    }));
  }
  const probability = rebootRisk(table, row);
  const contribution = Math.log(probability / (1 - probability));
  return [{feature: `${REBOOT_METRIC}.level`, value: probability, usual: 0, contribution}];
}

function topReasons(
  features: readonly Feature[],
  contributions: Float32Array,
  values: Float32Array,
  usual: Float32Array,
): Reason[] {
  return [...contributions.keys()]
    .sort((a, b) => Math.abs(contributions[b] as number) - Math.abs(contributions[a] as number))
    .slice(0, REASONS_MAX)
    .map(index => ({
      feature: features[index]?.name ?? '',
      value: values[index] as number,
      usual: usual[index] as number,
      contribution: contributions[index] as number,
    }));
}
