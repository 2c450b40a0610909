/**
 * Labels of rows from an event ledger: what each part did within each horizon, as far as it was
 * seen. A failure that was prevented is never a negative.
 */
import {COMPONENTS, type Component} from '../../core/domain/components.ts';
import type {Act, Ending, EventLedger, HostTimeline, TimeSpan} from './event-ledger.ts';

/**
 * `unknown`: nobody saw, or not yet. `uncertain`: it was feared, and the host was repaired or taken
 * away before anybody could see.
 */
export const LABELS = ['negative', 'positive', 'uncertain', 'unknown'] as const;
export type Label = (typeof LABELS)[number];

/** What was done to the host within the horizon because of this part. */
export type LabelAction = 'none' | 'evacuated' | 'repaired' | 'taken-away';

export type LabelledOutcome = {
  readonly label: Label;
  readonly action: LabelAction;
  /**
   * Of an uncertain label: chance that the part would have failed within what was left of the
   * horizon, by what the model in service said when it acted. NaN for others.
   */
  readonly chance: number;
  /** Chance that this action was taken; 1 without one, where nobody is held back. */
  readonly propensity: number;
};

/** Rows that are to be labelled. */
export type TimedRow = {readonly host: string; readonly atMs: number};

export type LabelledRows = {
  readonly horizonsSeconds: readonly number[];
  /** Rows × COMPONENTS × horizons. */
  readonly outcomes: readonly LabelledOutcome[];
  /** How many of each label. */
  readonly counts: Readonly<Record<Label, number>>;
  /** Rows of a time that had not come when the ledger was read: all their labels are unknown. */
  readonly fromTheFuture: number;
};

const UNTOUCHED: HostTimeline = {endings: [], evacuations: [], unobserved: []};

/** O(rows × log events of a host). A host that the ledger does not name had no events. */
export function labelRows(
  ledger: EventLedger,
  rows: readonly TimedRow[],
  horizonsSeconds: readonly number[],
): LabelledRows {
  const counts: Record<Label, number> = {negative: 0, positive: 0, uncertain: 0, unknown: 0};
  const outcomes: LabelledOutcome[] = [];
  let fromTheFuture = 0;
  for (const {host, atMs} of rows) {
    if (!(atMs <= ledger.asOfMs)) fromTheFuture++;
    const timeline = ledger.hosts.get(host) ?? UNTOUCHED;
    for (const component of COMPONENTS) {
      for (const seconds of horizonsSeconds) {
        const outcome = labelOf(ledger, timeline, component, {
          fromMs: atMs,
          untilMs: atMs + seconds * 1000,
        });
        counts[outcome.label]++;
        outcomes.push(outcome);
      }
    }
  }
  return {horizonsSeconds, outcomes, counts, fromTheFuture};
}

function labelOf(
  ledger: EventLedger,
  timeline: HostTimeline,
  component: Component,
  horizon: TimeSpan,
): LabelledOutcome {
  const ending = firstWithin(timeline.endings, horizon);
  const untilMs = ending?.atMs ?? horizon.untilMs;
  const evacuation = timeline.evacuations.findLast(
    ({atMs, act}) => act.component === component && atMs > horizon.fromMs && atMs <= untilMs,
  );
  const label = decide(ledger, timeline, component, horizon, ending);
  const act = label === 'uncertain' ? ending?.act : evacuation?.act;
  const chance = label === 'uncertain' ? chanceLeft(act as Act, horizon, untilMs) : Number.NaN;
  if (act === undefined) return {label, action: 'none', chance, propensity: 1};
  return {label, action: actionOf(label, ending), chance, propensity: act.propensity};
}

/** The act's risk is of a whole horizon from the act on; failures come evenly. */
function chanceLeft({risk}: Act, {fromMs, untilMs}: TimeSpan, actedAtMs: number): number {
  return 1 - (1 - risk) ** ((untilMs - actedAtMs) / (untilMs - fromMs));
}

function actionOf(label: Label, ending: Ending | undefined): LabelAction {
  if (label !== 'uncertain') return 'evacuated';
  return ending?.kind === 'repaired' ? 'repaired' : 'taken-away';
}

function decide(
  ledger: EventLedger,
  timeline: HostTimeline,
  component: Component,
  {fromMs, untilMs}: TimeSpan,
  ending: Ending | undefined,
): Label {
  if (!(fromMs <= ledger.asOfMs)) return 'unknown';
  if (isFailureOf(ending, component)) return 'positive';
  const watched = {fromMs, untilMs: ending?.atMs ?? untilMs};
  const isBlind = [...timeline.unobserved, ...ledger.unobserved].some(span => meet(span, watched));
  if (isFear(ending?.act, component) && isPrevented(ending)) return 'uncertain';
  // What is written down late may still turn a quiet time into a failure.
  const isSettled = watched.untilMs + ledger.settleMs <= ledger.asOfMs;
  if (isBlind || !isSettled) return 'unknown';
  if (ending === undefined) return 'negative';
  // Another part failed: the host went down before this one did.
  return ending.kind === 'failed' || (ending.component !== undefined && ending.kind === 'crashed')
    ? 'negative'
    : 'unknown';
}

function isFailureOf(ending: Ending | undefined, component: Component): boolean {
  return ending?.component === component && (ending.kind === 'failed' || ending.kind === 'crashed');
}

const isFear = (act: Act | undefined, component: Component) => act?.component === component;

const isPrevented = (ending: Ending | undefined) =>
  ending?.kind === 'repaired' || ending?.kind === 'taken-away';

const meet = (a: TimeSpan, b: TimeSpan) => a.fromMs < b.untilMs && a.untilMs > b.fromMs;

/** What a host came to within a time, if it came to anything. O(log events of the host). */
export function endingWithin(
  {hosts}: EventLedger,
  host: string,
  horizon: TimeSpan,
): Ending | undefined {
  return firstWithin(hosts.get(host)?.endings ?? [], horizon);
}

function firstWithin(endings: readonly Ending[], {fromMs, untilMs}: TimeSpan): Ending | undefined {
  let low = 0;
  let high = endings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((endings[middle] as Ending).atMs > fromMs) high = middle;
    else low = middle + 1;
  }
  const next = endings[low];
  return next !== undefined && next.atMs <= untilMs ? next : undefined;
}
