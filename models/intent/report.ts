import {CAUSES, riskColumn} from '../../core/domain/reboot-risks.ts';
import {precisionAndRecall, reliability} from '../metrics.ts';
import {drawLines, shortly} from '../report/charts.ts';
import {percent, shortlyOr} from '../report/figures.ts';
import {renderPage, type Section} from '../report/page.ts';
import {describeRule, INTENT_EXPLANATION} from './card.ts';
import type {Lives} from './data.ts';
import {
  columnOf,
  type IntentEpisodes,
  type IntentMetrics,
  type IntentRule,
  LONGEST_SECONDS,
  labelsOf,
  riskBefore,
} from './evaluation.ts';
import type {IntentSearch} from './search.ts';
import type {IntentModel} from './training.ts';

export type IntentReport = {
  readonly about: string;
  readonly model: IntentModel;
  readonly metrics: readonly IntentMetrics[];
  readonly episodes: readonly IntentEpisodes[];
  readonly rule: IntentRule;
  /** The rows that judged, and rows × outputs. */
  readonly unseen: Lives;
  readonly risks: Float32Array;
  readonly search: IntentSearch | undefined;
};

/** A page about a training: curves, calibration, lead times. */
export function renderIntentReport(report: IntentReport): string {
  return renderPage('reboot-intent', report.about, [
    summarise(report),
    learning(report),
    ...CAUSES.map(cause => describe(report, cause)),
  ]);
}

function summarise({metrics, episodes, rule}: IntentReport): Section {
  return {
    title: 'On fleets that it has not seen',
    about:
      'An average precision must be read against the base rate, the share of rows that were followed ' +
      `by what is predicted. ${INTENT_EXPLANATION} ${describeRule(rule)}`,
    tables: [
      {
        header: ['cause', 'within', 'base rate', 'AP', 'ROC-AUC', 'log-loss', 'of base', 'ECE'],
        rows: metrics.map(each => [
          each.cause,
          `${each.horizonMinutes} min`,
          percent(each.positives / each.rows),
          shortlyOr(each.averagePrecision),
          shortlyOr(each.rocAuc),
          shortly(each.logLoss),
          shortly(each.baseLogLoss),
          shortly(each.calibrationError),
        ]),
      },
      {
        header: ['cause', 'threshold', 'foreseen', 'median lead', 'alerts', 'precision'],
        rows: episodes.map(each => [
          each.cause,
          String(each.threshold),
          `${each.foreseen} of ${each.events}`,
          `${shortlyOr(each.leadSecondsP50)} s`,
          String(each.alerts),
          shortlyOr(each.precision),
        ]),
      },
    ],
  };
}

function learning({model, search}: IntentReport): Section {
  const curve = (pick: 'trainingLoss' | 'validationLoss') =>
    model.epochs.map(epoch => [epoch.epoch, epoch[pick]] as const);
  return {
    title: 'Learning',
    ...(search && {
      about: `Settings of trial ${search.halving.winner}: ${JSON.stringify(search.settings)}`,
    }),
    charts: [
      drawLines({
        title: 'Loss',
        x: 'epoch',
        y: 'log-loss',
        series: [
          {name: 'learned', points: curve('trainingLoss')},
          {name: 'held out', points: curve('validationLoss')},
        ],
      }),
    ],
  };
}

function describe({unseen, risks}: IntentReport, cause: (typeof CAUSES)[number]): Section {
  const own = columnOf(risks, unseen.rows, riskColumn(cause, 30));
  const labels = labelsOf(unseen, cause, LONGEST_SECONDS);
  return {
    title: `${cause}, within 30 minutes`,
    charts: [
      drawLines({
        title: 'Calibration',
        x: 'probability said',
        y: 'share that came',
        diagonal: true,
        series: [{name: cause, points: reliability(own, labels)}],
      }),
      drawLines({
        title: 'Precision and recall',
        x: 'recall',
        y: 'precision',
        series: [{name: cause, points: precisionAndRecall(own, labels)}],
      }),
      drawLines({
        title: 'Probability before it came',
        x: 'minutes before',
        y: 'median probability',
        series: [{name: cause, points: riskBefore(unseen, own, labels)}],
      }),
    ],
  };
}
