import type {ComponentMetrics} from '../manifest.ts';
import {
  alertsAtBudget,
  averagePrecision,
  brierScore,
  calibrationError,
  logLoss,
  quantile,
  rocAuc,
} from '../metrics.ts';
import {scoreTrees, type TreeModel} from '../trees/tree-model.ts';
import {type FailureData, labelsOf, UNKNOWN} from './data.ts';

/** Share of rows that may raise an alert, by component. */
const ALERT_BUDGET_RATIO = 0.01;
/** A warning that comes later is none: nothing can be moved in less. */
const ACTION_SECONDS = 60;

/** Judges a model on rows that it has not seen, output by output. */
export function evaluateFailureModel(model: TreeModel, data: FailureData): ComponentMetrics[] {
  const risks = scoreTrees(model, data.rows, data.features);
  return data.outputs.map((component, output) => ({component, ...judge(data, output, risks)}));
}

/**
 * Judges the risks of one output, whoever gave them.
 *
 * @param risks Rows × outputs.
 */
function judge(data: FailureData, output: number, risks: Float32Array) {
  const all = labelsOf(data, output);
  const rows = Int32Array.from(all.keys()).filter(row => all[row] !== UNKNOWN);
  const labels = Uint8Array.from(rows, row => all[row] as number);
  const own = Float32Array.from(rows, row => risks[row * data.outputs.length + output] as number);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const base = positives / rows.length;
  const budget = alertsAtBudget(own, labels, ALERT_BUDGET_RATIO);
  return {
    rows: rows.length,
    positives,
    averagePrecision: roundOrNull(averagePrecision(own, labels)),
    rocAuc: roundOrNull(rocAuc(own, labels)),
    logLoss: round(logLoss(own, labels)),
    baseLogLoss: round(logLoss(new Float64Array(rows.length).fill(base), labels)),
    brier: round(brierScore(own, labels)),
    calibrationError: round(calibrationError(own, labels)),
    atBudget: {
      budgetRatio: ALERT_BUDGET_RATIO,
      threshold: round(budget.threshold),
      precision: round(budget.precision),
      recall: roundOrNull(budget.recall),
    },
    episodes: leadTimes(data, rows, own, labels, budget.threshold),
  };
}

/**
 * Failures one by one: how long before each the risk first reached the threshold, within the
 * horizon of the labels. Failures that come after the last row are left out: nobody watched them.
 */
function leadTimes(
  data: FailureData,
  rows: Int32Array,
  risks: Float32Array,
  labels: Uint8Array,
  threshold: number,
): ComponentMetrics['episodes'] {
  const leads = new Map<string, number>();
  const watchedUntil = data.second.reduce((last, second) => Math.max(last, second), 0);
  for (const [at, row] of rows.entries()) {
    if (labels[at] !== 1) continue;
    const toFailure = data.secondsToFailure[row] as number;
    const failedAt = Math.round((data.second[row] as number) + toFailure);
    if (failedAt > watchedUntil) continue;
    const episode = `${data.group[row]}/${failedAt}`;
    const lead = (risks[at] as number) >= threshold ? toFailure : 0;
    leads.set(episode, Math.max(leads.get(episode) ?? 0, lead));
  }
  const inTime = [...leads.values()].filter(lead => lead >= ACTION_SECONDS).sort((a, b) => a - b);
  const secondsAt = (share: number) => {
    const seconds = quantile(inTime, share);
    return seconds === null ? null : Math.round(seconds);
  };
  return {
    failures: leads.size,
    foreseen: inTime.length,
    leadSecondsP10: secondsAt(0.1),
    leadSecondsP50: secondsAt(0.5),
    leadSecondsP90: secondsAt(0.9),
  };
}

function round(value: number): number {
  return Number(value.toFixed(5));
}

function roundOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : round(value);
}
