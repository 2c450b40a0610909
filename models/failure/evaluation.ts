import type {AlertMetrics, ComponentMetrics, RivalMetrics, SpreadMetrics} from '../manifest.ts';
import {
  alertsAtBudget,
  averagePrecision,
  brierScore,
  calibrationError,
  logLoss,
  quantile,
  rocAuc,
} from '../metrics.ts';
import {type AlertFigures, alertsWithin} from './alerts.ts';
import {type FailureData, hostDaysOf, labelsOf, UNKNOWN} from './data.ts';
import {scoreByRule} from './symptoms.ts';

/** Share of rows that may raise an alert, by output. */
const ALERT_BUDGET_RATIO = 0.01;
/** A warning that comes later is none: nothing can be moved in less. */
const ACTION_SECONDS = 60;

export type Judging = {
  /** Of each output. */
  readonly alertsPerHostDay: number;
  /** Other models, and what they say of the same rows: a risk a row and output. */
  readonly rivals?: readonly {readonly name: string; readonly risks: Float32Array}[];
  /** The same model, trained again on other hosts of the same data. */
  readonly again?: readonly Float32Array[];
};

/**
 * Judges risks of rows that the model has not seen, output by output; beside them the usual alert
 * rules, and rivals.
 *
 * @param risks Rows × outputs.
 */
export function evaluateFailures(
  data: FailureData,
  risks: Float32Array,
  {alertsPerHostDay, rivals = [], again = []}: Judging,
): ComponentMetrics[] {
  const hostDays = hostDaysOf(data);
  return data.outputs.map((output, index) => {
    const labels = labelsOf(data, index);
    const rules = {
      hostDays,
      alertsPerHostDay,
      quietSeconds: output.horizonSeconds,
      actionSeconds: ACTION_SECONDS,
    };
    const alert = (own: Float32Array) => toMetrics(alertsWithin(data, own, labels, rules), rules);
    const own = columnOf(data, risks, index);
    return {
      component: output.name,
      ...judge(data, own, labels),
      alerts: alert(own),
      rivals: [
        rank('threshold rule', scoreByRule(data, output.component), labels, alert),
        ...rivals.map(rival => rank(rival.name, columnOf(data, rival.risks, index), labels, alert)),
      ],
      ...(again.length === 0
        ? {}
        : {
            spread: spreadOf(
              [risks, ...again].map(each => {
                const column = columnOf(data, each, index);
                return {...judge(data, column, labels), alerts: alert(column)};
              }),
            ),
          }),
    };
  });
}

/**
 * {@link evaluateFailures} without alerts and rivals, which need features and rows that are not thinned.
 *
 * @param risks Rows × outputs.
 */
export function judgeOutputs(data: FailureData, risks: Float32Array): ComponentMetrics[] {
  return data.outputs.map(({name}, index) => ({
    component: name,
    ...judge(data, columnOf(data, risks, index), labelsOf(data, index)),
  }));
}

/** Known rows of one output. */
function judge(data: FailureData, all: Float32Array, allLabels: Uint8Array) {
  const rows = knownRows(allLabels);
  const labels = Uint8Array.from(rows, row => allLabels[row] as number);
  const own = Float32Array.from(rows, row => all[row] as number);
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

/** Only by order: rules are no probabilities, and other models' are of other horizons. */
function rank(
  name: string,
  all: Float32Array,
  allLabels: Uint8Array,
  alert: (own: Float32Array) => AlertMetrics,
): RivalMetrics {
  const rows = knownRows(allLabels);
  const labels = Uint8Array.from(rows, row => allLabels[row] as number);
  const own = Float32Array.from(rows, row => all[row] as number);
  return {
    name,
    averagePrecision: roundOrNull(averagePrecision(own, labels)),
    rocAuc: roundOrNull(rocAuc(own, labels)),
    alerts: alert(all),
  };
}

function spreadOf(
  all: readonly (ReturnType<typeof judge> & {alerts: AlertMetrics})[],
): SpreadMetrics {
  const range = (values: readonly (number | null)[]): [number, number] | null => {
    const known = values.filter(value => value !== null);
    return known.length === 0 ? null : [Math.min(...known), Math.max(...known)];
  };
  return {
    trainings: all.length,
    averagePrecision: range(all.map(each => each.averagePrecision)),
    rocAuc: range(all.map(each => each.rocAuc)),
    logLoss: range(all.map(each => each.logLoss)),
    calibrationError: range(all.map(each => each.calibrationError)),
    alertPrecision: range(all.map(({alerts}) => alerts.precision)),
    alertRecall: range(all.map(({alerts}) => alerts.recall)),
  };
}

function toMetrics(
  figures: AlertFigures,
  {hostDays, alertsPerHostDay}: {hostDays: number; alertsPerHostDay: number},
): AlertMetrics {
  const {threshold, alerts, precision, failures, foreseen} = figures;
  return {
    hostDays: Math.round(hostDays),
    perHostDay: alertsPerHostDay,
    threshold: Number.isFinite(threshold) ? round(threshold) : null,
    alerts,
    precision: roundOrNull(precision),
    failures,
    foreseen,
    recall: roundOrNull(foreseen / failures),
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

function knownRows(labels: Uint8Array): Int32Array {
  return Int32Array.from(labels.keys()).filter(row => labels[row] !== UNKNOWN);
}

function columnOf({rows, outputs}: FailureData, risks: Float32Array, output: number): Float32Array {
  return Float32Array.from(
    {length: rows},
    (_, row) => risks[row * outputs.length + output] as number,
  );
}

function round(value: number): number {
  return Number(value.toFixed(5));
}

function roundOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : round(value);
}
