import {featuresOf} from '../../core/domain/features.ts';
import type {ComponentMetrics} from '../manifest.ts';
import {precisionAndRecall, reliability} from '../metrics.ts';
import {drawBars, drawLines, shortly} from '../report/charts.ts';
import {shortlyOr} from '../report/figures.ts';
import {renderPage, type Section} from '../report/page.ts';
import {alertTable, EXPLANATION, riskTable} from '../tables.ts';
import type {TreeModel} from '../trees/tree-model.ts';
import {explainTrees} from '../trees/tree-shap.ts';
import {type FailureData, labelsOf, UNKNOWN} from './data.ts';
import {scoreOutputs} from './scoring.ts';
import type {Search} from './search.ts';
import type {FittedOutput} from './training.ts';

export type ReportInput = {
  readonly title: string;
  /** What it was trained and judged on. */
  readonly about: string;
  readonly model: TreeModel;
  readonly fitted: readonly FittedOutput[];
  readonly metrics: readonly ComponentMetrics[];
  /** The rows that judged. */
  readonly unseen: FailureData;
  readonly search: Search | undefined;
};

/** Rows that are explained for the importances: exact values cost milliseconds a row. */
const EXPLAINED_ROWS = 400;
const BARS = 12;

/** A page about a training: curves, calibration, lead times, importances. */
export function renderReport(input: ReportInput): string {
  const {title, about, unseen, model} = input;
  const risks = scoreOutputs(model, unseen);
  const importances = meanContributions(model, unseen);
  const sections = unseen.outputs.map(({name}, output) =>
    describeOutput(input, name, output, risks, importances),
  );
  return renderPage(title, about, [summarise(input), ...searchSection(input), ...sections]);
}

function summarise({metrics}: ReportInput): Section {
  return {
    title: 'On hosts that it has not seen',
    about: EXPLANATION,
    tables: [riskTable(metrics), alertTable(metrics)],
  };
}

function searchSection({search}: ReportInput): Section[] {
  if (search === undefined) return [];
  const {trials, halving} = search;
  const names = Object.keys(trials[0] ?? {}) as (keyof (typeof trials)[number])[];
  return [
    {
      title: 'Search',
      about:
        `Successive halving over ${trials.length} settings; the first are the defaults, the winner ` +
        `is number ${halving.winner}. Losses are means over folds of hosts, comparable within a column.`,
      tables: [
        {
          header: [
            'trial',
            ...names,
            ...halving.rungs.map(({share}) => `${Math.round(100 * share)} % of hosts`),
          ],
          rows: trials.map((trial, index) => [
            String(index),
            ...names.map(name => shortly(trial[name])),
            ...halving.rungs.map(({losses}) => shortlyOr(losses[index] ?? Number.NaN)),
          ]),
        },
      ],
    },
  ];
}

function describeOutput(
  {fitted, unseen}: ReportInput,
  name: string,
  output: number,
  risks: Float32Array,
  importances: Float64Array,
): Section {
  const all = labelsOf(unseen, output);
  const rows = Int32Array.from(all.keys()).filter(row => all[row] !== UNKNOWN);
  const labels = Uint8Array.from(rows, row => all[row] as number);
  const own = Float32Array.from(rows, row => risks[row * unseen.outputs.length + output] as number);
  const {trainLoss = [], validationLoss = []} = fitted[output] ?? {};
  const curve = (losses: readonly number[]) =>
    losses.map((loss, round) => [round + 1, loss] as const);
  return {
    title: name,
    charts: [
      drawLines({
        title: 'Learning',
        x: 'trees',
        y: 'log-loss',
        series: [
          {name: 'learned', points: curve(trainLoss)},
          {name: 'held out', points: curve(validationLoss)},
        ],
      }),
      drawLines({
        title: 'Calibration',
        x: 'risk said',
        y: 'share that failed',
        diagonal: true,
        series: [{name: 'risk', points: reliability(own, labels)}],
      }),
      drawLines({
        title: 'Precision and recall',
        x: 'recall',
        y: 'precision',
        series: [{name, points: precisionAndRecall(own, labels)}],
      }),
      drawLines({
        title: 'Risk before failures',
        x: 'minutes before',
        y: 'median risk',
        series: [{name, points: riskBefore(unseen, rows, own, labels)}],
      }),
      drawBars({
        title: 'Importance: mean share in the log-odds',
        bars: largest(importances, unseen, output),
      }),
    ],
  };
}

/** Median risk of the rows that precede failures, by how long they do. */
function riskBefore(
  {secondsToFailure}: FailureData,
  rows: Int32Array,
  risks: Float32Array,
  labels: Uint8Array,
): [number, number][] {
  const ahead = [...rows.keys()].filter(at => labels[at] === 1);
  const longest = Math.max(...ahead.map(at => secondsToFailure[rows[at] as number] as number), 1);
  const BINS = 15;
  const bins = Array.from({length: BINS}, () => [] as number[]);
  for (const at of ahead) {
    const share = (secondsToFailure[rows[at] as number] as number) / longest;
    bins[Math.min(BINS - 1, Math.floor(share * BINS))]?.push(risks[at] as number);
  }
  return bins.flatMap((values, bin) => {
    if (values.length === 0) return [];
    const median = values.sort((a, b) => a - b)[values.length >> 1] as number;
    return [[((bin + 0.5) * longest) / BINS / 60, median] as [number, number]];
  });
}

/** Mean absolute contribution, outputs × features, over rows spread over the data. */
function meanContributions(model: TreeModel, {rows, features}: FailureData): Float64Array {
  const width = model.featureCount;
  const count = Math.min(EXPLAINED_ROWS, rows);
  const picked = new Float32Array(count * width);
  for (let at = 0; at < count; at++) {
    const row = Math.floor((at / count) * rows);
    picked.set(features.subarray(row * width, (row + 1) * width), at * width);
  }
  const contributions = explainTrees(model, count, picked);
  const means = new Float64Array(model.forests.length * width);
  for (const [index, contribution] of contributions.entries()) {
    const at = index % means.length;
    means[at] = (means[at] as number) + Math.abs(contribution) / count;
  }
  return means;
}

function largest(importances: Float64Array, {contract}: FailureData, output: number) {
  const names = featuresOf(contract).map(({name}) => name);
  return names
    .map((label, at) => ({label, value: importances[output * names.length + at] as number}))
    .sort((a, b) => b.value - a.value)
    .slice(0, BARS);
}
