import {type FailureData, UNKNOWN} from './data.ts';

/** Alerts as somebody on call would get them. */
export type AlertFigures = {
  /** Risk from which on an alert was raised. */
  readonly threshold: number;
  readonly alerts: number;
  /** Share of the alerts after which the part failed within the horizon; NaN without alerts. */
  readonly precision: number;
  readonly failures: number;
  /** Failures that an alert came before, at least the time that acting takes. */
  readonly foreseen: number;
};

export type AlertRules = {
  readonly hostDays: number;
  readonly alertsPerHostDay: number;
  /** After an alert a host is quiet so long. */
  readonly quietSeconds: number;
  /** A warning that comes later is none: nothing can be moved in less. */
  readonly actionSeconds: number;
};

/** Rows of one output, a host's life after the other, each in the order of time. */
type Watch = {
  readonly risks: Float32Array;
  readonly rows: Int32Array;
  readonly labels: Uint8Array;
  readonly data: FailureData;
  readonly rules: AlertRules;
};

/**
 * The threshold that raises as many alerts as the budget allows, at most, and what they are worth.
 * An alert is the first row of a host at or above it, and the next one after the quiet time. Rows
 * whose outcome is unknown raise none.
 *
 * @param risks One a row of the data.
 * @param labels One a row of the data.
 */
export function alertsWithin(
  data: FailureData,
  risks: Float32Array,
  labels: Uint8Array,
  rules: AlertRules,
): AlertFigures {
  const {group, second} = data;
  const rows = Int32Array.from(group.keys())
    .filter(row => labels[row] !== UNKNOWN)
    .sort(
      (a, b) =>
        (group[a] as number) - (group[b] as number) ||
        (second[a] as number) - (second[b] as number),
    );
  const watch = {risks, rows, labels, data, rules};
  const levels = Float32Array.from(
    new Set(Float32Array.from(rows, row => risks[row] as number)),
  ).sort();
  const budget = Math.max(1, Math.floor(rules.hostDays * rules.alertsPerHostDay));
  // A higher threshold never raises more alerts but for the quiet time, which hides some: close enough.
  let low = 0;
  let high = levels.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (countAlerts(watch, levels[middle] as number).alerts > budget) low = middle + 1;
    else high = middle;
  }
  return countAlerts(watch, levels[low] ?? Number.POSITIVE_INFINITY);
}

function countAlerts({risks, rows, labels, data, rules}: Watch, threshold: number): AlertFigures {
  const {group, second, secondsToFailure} = data;
  const failures = new Set<string>();
  const foreseen = new Set<string>();
  let alerts = 0;
  let right = 0;
  let host = -1;
  let quietUntil = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const at = second[row] as number;
    if (group[row] !== host) {
      host = group[row] as number;
      quietUntil = Number.NEGATIVE_INFINITY;
    }
    const toFailure = secondsToFailure[row] as number;
    const failure = labels[row] === 1 ? `${host}/${Math.round(at + toFailure)}` : undefined;
    if (failure !== undefined) failures.add(failure);
    if ((risks[row] as number) < threshold || at < quietUntil) continue;
    alerts++;
    quietUntil = at + rules.quietSeconds;
    if (failure === undefined) continue;
    right++;
    if (toFailure >= rules.actionSeconds) foreseen.add(failure);
  }
  return {
    threshold,
    alerts,
    precision: right / alerts,
    failures: failures.size,
    foreseen: foreseen.size,
  };
}
