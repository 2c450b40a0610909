import {CAUSES, type Cause, HORIZONS_MINUTES, riskColumn} from '../../core/domain/reboot-risks.ts';
import {averagePrecision, calibrationError, logLoss, quantile, rocAuc} from '../metrics.ts';
import type {Lives} from './data.ts';

/** How well one cause is told within one horizon, on fleets that were not seen. */
export type IntentMetrics = {
  readonly cause: Cause;
  readonly horizonMinutes: number;
  readonly rows: number;
  readonly positives: number;
  /** Null where nothing happened. */
  readonly averagePrecision: number | null;
  readonly rocAuc: number | null;
  readonly logLoss: number;
  /** Log-loss of always saying the base rate. */
  readonly baseLogLoss: number;
  readonly calibrationError: number;
};

/** Events one by one, at a threshold on the risk within the longest horizon. */
export type IntentEpisodes = {
  readonly cause: Cause;
  readonly threshold: number;
  readonly events: number;
  /** Told at least a minute before: nothing can be moved in less. */
  readonly foreseen: number;
  /** Alerts, each the first row at or above the threshold and the next after half an hour. */
  readonly alerts: number;
  /** Share of the alerts after which it happened within the horizon. */
  readonly precision: number | null;
  readonly leadSecondsP10: number | null;
  readonly leadSecondsP50: number | null;
  readonly leadSecondsP90: number | null;
};

/** What is compared with: a rule that learned nothing, for intended reboots within 30 minutes. */
export type IntentRule = {
  readonly rule: string;
  /** Null where nothing happened. */
  readonly averagePrecision: number | null;
};

const ACTION_SECONDS = 60;
export const LONGEST_SECONDS = 60 * Math.max(...HORIZONS_MINUTES);
const BIN_SECONDS = 120;

/** @param risks rows × outputs of the served graph. */
export function evaluateIntent(lives: Lives, risks: Float32Array): IntentMetrics[] {
  const width = risks.length / lives.rows;
  return CAUSES.flatMap(cause =>
    HORIZONS_MINUTES.map(horizonMinutes => {
      const labels = labelsOf(lives, cause, 60 * horizonMinutes);
      const column = riskColumn(cause, horizonMinutes);
      const own = Float32Array.from(labels, (_, row) => risks[row * width + column] as number);
      const positives = labels.reduce((sum, label) => sum + label, 0);
      const base = new Float64Array(labels.length).fill(positives / labels.length);
      return {
        cause,
        horizonMinutes,
        rows: labels.length,
        positives,
        averagePrecision: roundOrNull(averagePrecision(own, labels)),
        rocAuc: roundOrNull(rocAuc(own, labels)),
        logLoss: round(logLoss(own, labels)),
        baseLogLoss: round(logLoss(base, labels)),
        calibrationError: round(calibrationError(own, labels)),
      };
    }),
  );
}

/** How long before each event its risk first reached the threshold, and how often it did in vain. */
export function countEpisodes(
  lives: Lives,
  cause: Cause,
  risks: ArrayLike<number>,
  threshold: number,
): IntentEpisodes {
  const {starts, second, secondsToDown} = lives;
  const labels = labelsOf(lives, cause, LONGEST_SECONDS);
  const leads = new Map<string, number>();
  let alerts = 0;
  let right = 0;
  for (let life = 0; life + 1 < starts.length; life++) {
    let quietUntil = Number.NEGATIVE_INFINITY;
    for (let row = starts[life] as number; row < (starts[life + 1] as number); row++) {
      const at = second[row] as number;
      const left = secondsToDown[row] as number;
      const event = labels[row] === 1 ? `${life}/${Math.round(at + left)}` : undefined;
      if (event !== undefined && !leads.has(event)) leads.set(event, 0);
      if ((risks[row] as number) < threshold) continue;
      if (event !== undefined) leads.set(event, Math.max(leads.get(event) as number, left));
      if (at < quietUntil) continue;
      alerts++;
      if (event !== undefined) right++;
      quietUntil = at + LONGEST_SECONDS;
    }
  }
  const inTime = [...leads.values()].filter(lead => lead >= ACTION_SECONDS).sort((a, b) => a - b);
  return {
    cause,
    threshold,
    events: leads.size,
    foreseen: inTime.length,
    alerts,
    precision: alerts === 0 ? null : round(right / alerts),
    leadSecondsP10: quantile(inTime, 0.1),
    leadSecondsP50: quantile(inTime, 0.5),
    leadSecondsP90: quantile(inTime, 0.9),
  };
}

/** Median risk of the rows before an event, by minutes before it. */
export function riskBefore(
  {secondsToDown}: Lives,
  risks: ArrayLike<number>,
  labels: Uint8Array,
): [minutes: number, risk: number][] {
  const bins = Array.from({length: LONGEST_SECONDS / BIN_SECONDS}, () => [] as number[]);
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] !== 1) continue;
    bins[Math.floor((secondsToDown[row] as number) / BIN_SECONDS)]?.push(risks[row] as number);
  }
  return bins.flatMap((values, bin) => {
    const median = quantile(
      values.sort((a, b) => a - b),
      0.5,
    );
    return median === null ? [] : [[((bin + 0.5) * BIN_SECONDS) / 60, median]];
  });
}

/** One column of the outputs. */
export function columnOf(risks: Float32Array, rows: number, column: number): Float32Array {
  const width = risks.length / rows;
  return Float32Array.from({length: rows}, (_, row) => risks[row * width + column] as number);
}

/** 1 where this cause takes the host down within so many seconds. */
export function labelsOf(
  {secondsToDown, cause, rows}: Lives,
  of: Cause,
  seconds: number,
): Uint8Array {
  const index = 1 + CAUSES.indexOf(of);
  return Uint8Array.from({length: rows}, (_, row) =>
    Number(cause[row] === index && (secondsToDown[row] as number) <= seconds),
  );
}

function round(value: number): number {
  return Number(value.toFixed(5));
}

export function roundOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : round(value);
}
