/** How good risks are against what happened. All take one risk and one label (0 or 1) a row. */

/** Rows by falling risk; the earlier row first of equals. */
function rankRows(risks: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({length: risks.length}, (_, row) => row);
  return order.sort((a, b) => (risks[b] as number) - (risks[a] as number) || a - b);
}

/** Area under the ROC curve: the chance that a positive ranks above a negative; ties count half. */
export function rocAuc(risks: ArrayLike<number>, labels: Uint8Array): number {
  const order = rankRows(risks);
  const positives = countPositives(labels);
  let negativesBefore = 0;
  let above = 0;
  for (const tie of tiesOf(order, risks)) {
    const hits = countHits(order, tie, labels);
    const misses = tie.to - tie.from - hits;
    above += hits * (labels.length - positives - negativesBefore - misses / 2);
    negativesBefore += misses;
  }
  return above / (positives * (labels.length - positives));
}

/** Area under precision over recall, as a step function; tied rows enter together. */
export function averagePrecision(risks: ArrayLike<number>, labels: Uint8Array): number {
  const order = rankRows(risks);
  let hits = 0;
  let sum = 0;
  for (const tie of tiesOf(order, risks)) {
    const here = countHits(order, tie, labels);
    hits += here;
    sum += (here * hits) / tie.to;
  }
  return sum / countPositives(labels);
}

/** Least probability: a loss stays finite. */
const LEAST = 1e-12;

/** Log-loss of one row, in nats. */
export function lossOf(risk: number, label: number): number {
  return -Math.log(Math.max(label === 1 ? risk : 1 - risk, LEAST));
}

/** Mean negative log-likelihood, in nats. */
export function logLoss(risks: ArrayLike<number>, labels: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    sum += lossOf(risks[row] as number, labels[row] as number);
  }
  return sum / labels.length;
}

/** Mean squared difference of risk and label. */
export function brierScore(risks: ArrayLike<number>, labels: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    sum += ((risks[row] as number) - (labels[row] as number)) ** 2;
  }
  return sum / labels.length;
}

/** Expected calibration error: mean |risk − rate| over bins of equal mass. */
export function calibrationError(risks: ArrayLike<number>, labels: Uint8Array, bins = 10): number {
  const order = rankRows(risks);
  let sum = 0;
  for (let bin = 0; bin < bins; bin++) {
    const from = Math.floor((bin * order.length) / bins);
    const to = Math.floor(((bin + 1) * order.length) / bins);
    let difference = 0;
    for (const row of order.subarray(from, to)) {
      difference += (risks[row] as number) - (labels[row] as number);
    }
    sum += Math.abs(difference);
  }
  return sum / order.length;
}

export type AtBudget = {threshold: number; precision: number; recall: number};

/** Precision and recall when the `budgetRatio` of rows with the highest risks raise an alert. */
export function alertsAtBudget(
  risks: ArrayLike<number>,
  labels: Uint8Array,
  budgetRatio: number,
): AtBudget {
  const order = rankRows(risks);
  const alerts = Math.max(1, Math.floor(order.length * budgetRatio));
  let hits = 0;
  for (const row of order.subarray(0, alerts)) hits += labels[row] as number;
  const threshold = risks[order[alerts - 1] as number] as number;
  return {threshold, precision: hits / alerts, recall: hits / countPositives(labels)};
}

/** The value below which `share` of the sorted values lie (nearest rank); null for none. */
export function quantile(sorted: ArrayLike<number>, share: number): number | null {
  if (sorted.length === 0) return null;
  const rank = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.min(Math.max(rank, 0), sorted.length - 1)] as number;
}

type Tie = {from: number; to: number};

function* tiesOf(order: Uint32Array, risks: ArrayLike<number>): Generator<Tie> {
  for (let from = 0, to = 0; from < order.length; from = to) {
    const risk = risks[order[from] as number];
    while (to < order.length && risks[order[to] as number] === risk) to++;
    yield {from, to};
  }
}

function countHits(order: Uint32Array, tie: Tie, labels: Uint8Array): number {
  let hits = 0;
  for (let at = tie.from; at < tie.to; at++) hits += labels[order[at] as number] as number;
  return hits;
}

function countPositives(labels: Uint8Array): number {
  let positives = 0;
  for (const label of labels) positives += label;
  return positives;
}

/** Mean risk and rate of positives of each of `bins` bins of equal mass, by rising risk. */
export function reliability(
  risks: ArrayLike<number>,
  labels: Uint8Array,
  bins = 10,
): [risk: number, rate: number][] {
  const order = rankRows(risks).reverse();
  const points: [number, number][] = [];
  for (let bin = 0; bin < bins; bin++) {
    const rows = order.subarray(
      Math.floor((bin * order.length) / bins),
      Math.floor(((bin + 1) * order.length) / bins),
    );
    if (rows.length === 0) continue;
    let risk = 0;
    let hits = 0;
    for (const row of rows) {
      risk += risks[row] as number;
      hits += labels[row] as number;
    }
    points.push([risk / rows.length, hits / rows.length]);
  }
  return points;
}

/** Points of the curve of precision over recall, thinned out to at most `count`. */
export function precisionAndRecall(
  risks: ArrayLike<number>,
  labels: Uint8Array,
  count = 80,
): [recall: number, precision: number][] {
  const order = rankRows(risks);
  const positives = countPositives(labels);
  if (positives === 0) return [];
  const points: [number, number][] = [];
  let hits = 0;
  for (const tie of tiesOf(order, risks)) {
    hits += countHits(order, tie, labels);
    const recall = hits / positives;
    if (recall * count >= points.length) points.push([recall, hits / tie.to]);
  }
  return points;
}
