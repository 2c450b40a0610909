import type {ComponentMetrics, OnTopOutcome} from './manifest.ts';
import {fixed, leadMinutes, percent} from './report/figures.ts';
import type {Table} from './report/page.ts';

/** What stands below the tables, wherever they are shown. */
export const EXPLANATION =
  'AP: average precision (its base is the share of rows that were followed by a failure). Log-loss ' +
  'in nats, that of always saying the base rate in brackets. ECE: expected calibration error, ten ' +
  'bins of equal mass. Foreseen: failures before which, at least a minute, the risk was among the ' +
  '1 % highest; lead: how long before, 10th, 50th and 90th percentile. An alert stands as long as ' +
  'the horizon; it is right if the part fails in that time. Recall: failures that an alert came ' +
  'before, at least a minute; they are more than those of “foreseen”, which leaves out what failed ' +
  'after the last row. Where the data raise the rates of failures, the budget of alerts is raised ' +
  'with them. [ ]: least and most of trainings on other hosts of the same data.';

/** How good the risks are, an output a line. */
export function riskTable(metrics: readonly ComponentMetrics[]): Table {
  return {
    header: [
      'output',
      'base rate',
      'AP',
      'ROC-AUC',
      'log-loss',
      'Brier',
      'ECE',
      'foreseen',
      'lead, minutes',
    ],
    rows: metrics.map(each => [
      each.component,
      percent(each.positives / each.rows),
      fixed(each.averagePrecision, 3) + range(each.spread?.averagePrecision, 3),
      fixed(each.rocAuc, 3) + range(each.spread?.rocAuc, 3),
      `${each.logLoss.toFixed(4)} (${each.baseLogLoss.toFixed(4)})`,
      each.brier.toFixed(4),
      each.calibrationError.toFixed(4),
      `${each.episodes.foreseen} of ${each.episodes.failures}`,
      leadMinutes(each.episodes),
    ]),
  };
}

/** What training on top of another model brought, an output a line. */
export function onTopTable(outputs: readonly OnTopOutcome[]): Table {
  return {
    header: ['output', 'failures', 'trees added', 'log-loss before', 'after', 'gain at least'],
    rows: outputs.map(({output, failures, trees, before, after, gainAtLeast}) => [
      output,
      String(failures),
      trees === 0 ? 'none: kept as it was' : String(trees),
      fixed(before, 4),
      fixed(after, 4),
      fixed(gainAtLeast, 4),
    ]),
  };
}

/** Alerts within the budget, of the model and of those that it is compared with. */
export function alertTable(metrics: readonly ComponentMetrics[]): Table {
  const lines = metrics.flatMap(({component, alerts, averagePrecision, rocAuc, rivals, spread}) =>
    alerts === undefined
      ? []
      : [
          {component, name: 'this model', alerts, averagePrecision, rocAuc, spread},
          ...(rivals ?? []).map(rival => ({component, spread: undefined, ...rival})),
        ],
  );
  const {hostDays = 0, perHostDay = 0} = lines[0]?.alerts ?? {};
  return {
    header: [
      'output',
      'by',
      'AP',
      'ROC-AUC',
      `alerts (${shortest(perHostDay)} a host-day, ${hostDays} of them)`,
      'precision',
      'recall',
    ],
    rows: lines.map(({component, name, alerts, averagePrecision, rocAuc, spread}) => [
      component,
      name,
      fixed(averagePrecision, 3),
      fixed(rocAuc, 3),
      String(alerts.alerts),
      fixed(alerts.precision, 2) + range(spread?.alertPrecision, 2),
      `${fixed(alerts.recall, 2)} of ${alerts.failures}${range(spread?.alertRecall, 2)}`,
    ]),
  };
}

/** As many digits as the figure before it has: it lies within. */
function range(found: readonly [number, number] | null | undefined, digits: number): string {
  return !found ? '' : ` [${found.map(each => each.toFixed(digits)).join(', ')}]`;
}

function shortest(value: number): string {
  return String(Number(value.toPrecision(3)));
}
