import {COMPONENTS} from '../../core/domain/components.ts';
import type {Ending, EventLedger} from '../learning/event-ledger.ts';
import {endingWithin, type Label, type LabelledOutcome, labelRows} from '../learning/labels.ts';

/** A host at a time. */
type Moment = {readonly host: string; readonly atMs: number};

/** What is known by now of what came after a row. */
export type RowLabels = {
  /** By part. */
  readonly outcomes: readonly LabelledOutcome[];
  /**
   * `telling`: a part failed or was feared for, or the host went down and nobody said why yet;
   * `quiet`: it is known of a part that it did not fail; `unknown`: nobody saw.
   */
  readonly kind: 'telling' | 'quiet' | 'unknown';
  /** When the host next went down by a failure, within the horizon; undefined: not known to. */
  readonly failedAtMs: number | undefined;
};

/** Labels of rows as far as the ledger tells by now. O(rows × log events of a host). */
export function labelMoments(
  ledger: EventLedger,
  rows: readonly Moment[],
  horizonMs: number,
): RowLabels[] {
  const parts = COMPONENTS.length;
  const {outcomes: all} = labelRows(ledger, rows, [horizonMs / 1000]);
  return rows.map(({host, atMs}, row) => {
    const outcomes = all.slice(row * parts, (row + 1) * parts);
    const failure = failureAfter(ledger, {host, atMs}, horizonMs);
    const isUnnamed = failure !== undefined && failure.component === undefined;
    const has = (...labels: Label[]) => outcomes.some(({label}) => labels.includes(label));
    const kind =
      isUnnamed || has('positive', 'uncertain') ? 'telling' : has('negative') ? 'quiet' : 'unknown';
    return {outcomes, kind, failedAtMs: failure?.atMs};
  });
}

/** Those rows that are `telling`. Few are looked at closely: nothing happened after most. */
export function tellingRows<Row extends Moment>(
  ledger: EventLedger,
  rows: readonly Row[],
  horizonMs: number,
): Set<Row> {
  const ended = rows.filter(
    ({host, atMs}) =>
      endingWithin(ledger, host, {fromMs: atMs, untilMs: atMs + horizonMs}) !== undefined,
  );
  const labels = labelMoments(ledger, ended, horizonMs);
  return new Set(ended.filter((_, at) => labels[at]?.kind === 'telling'));
}

/** The failure by which the host goes down next, if it does so within the horizon. */
export function failureAfter(
  ledger: EventLedger,
  {host, atMs}: Moment,
  horizonMs: number,
): Ending | undefined {
  const ending = endingWithin(ledger, host, {fromMs: atMs, untilMs: atMs + horizonMs});
  return ending?.kind === 'failed' || ending?.kind === 'crashed' ? ending : undefined;
}

/** As trees take it: see `targets` of ExampleSet. */
export function targetOf({label, chance}: LabelledOutcome): number {
  if (label === 'unknown') return Number.NaN;
  return label === 'uncertain' ? chance : Number(label === 'positive');
}
