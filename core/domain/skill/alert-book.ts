/**
 * Alerts, each with what came of it.
 *
 * A1. An alert says that the host goes down within the horizon, as long as it stands. So it came
 *     true if the host goes down while it stands, or within a horizon of its raise; each horizon
 *     that passes without that is a false one, though it may come true later.
 * A2. What came of an alert is judged from what is known now: an outcome that is told late changes
 *     it, and nothing is counted twice as nothing is counted until somebody asks.
 */
import {type Knowledge, lookThrough, type Seen} from './host-life.ts';
import type {Alert} from './skill-events.ts';

/** Open: not known yet. */
export type Verified = 'open' | 'happened' | 'did-not' | 'unverifiable';

export type JudgedAlert = {
  readonly host: string;
  readonly raisedAtMs: number;
  /** NaN while it stands. */
  clearedAtMs: number;
  readonly risk: number;
  /** What the naive method said at that time. */
  readonly naive: number;
  readonly component: string;
  readonly modelHash: string;
  outcome: Verified;
  /** Horizons that passed without failure while it stood. */
  falsePeriods: number;
  /** From the raise to the failure; NaN: none. */
  leadMs: number;
};

export type AlertBook = {
  /** What may change by time alone, and what only by late outcomes; oldest first. */
  open: JudgedAlert[];
  settled: JudgedAlert[];
};

export function raiseAlert(book: AlertBook, alert: Alert, naive: number): boolean {
  if (standing(book, alert.host) !== undefined) return false;
  book.open.push({
    host: alert.host,
    raisedAtMs: alert.atMs,
    clearedAtMs: Number.NaN,
    risk: alert.risk,
    naive,
    component: alert.component,
    modelHash: alert.modelHash,
    outcome: 'open',
    falsePeriods: 0,
    leadMs: Number.NaN,
  });
  return true;
}

export function clearAlert(book: AlertBook, host: string, atMs: number): boolean {
  const alert = standing(book, host);
  if (alert === undefined) return false;
  alert.clearedAtMs = Math.max(atMs, alert.raisedAtMs);
  return true;
}

/** The alert of a host that was not cleared and has not come true. */
export function standing({open}: AlertBook, host: string): JudgedAlert | undefined {
  return open.find(alert => alert.host === host && Number.isNaN(alert.clearedAtMs));
}

/**
 * Judges open alerts, and settles those of which time alone can tell no more.
 */
export function judgeAlerts(book: AlertBook, known: Knowledge): void {
  const {lifeOf, gaps, nowMs, settings, withReboots} = known;
  const open: JudgedAlert[] = [];
  for (const alert of book.open) {
    const endMs = endOf(alert, nowMs, settings.horizonMs);
    const seen = lookThrough(lifeOf(alert.host), gaps, alert.raisedAtMs, Math.min(endMs, nowMs));
    judge(alert, seen, nowMs, settings.horizonMs, withReboots);
    const isOver =
      alert.outcome === 'happened' ||
      alert.outcome === 'unverifiable' ||
      (alert.outcome === 'did-not' && !Number.isNaN(seen.hiddenAtMs)) ||
      (!Number.isNaN(alert.clearedAtMs) && nowMs >= endMs + settings.graceMs);
    if (!isOver) {
      open.push(alert);
      continue;
    }
    if (Number.isNaN(alert.clearedAtMs)) alert.clearedAtMs = nowMs;
    book.settled.push(alert);
  }
  book.open = open;
}

/** What is known of a host at a time has changed: alerts of then are open to judgement once more. */
export function reopenAlerts(
  book: AlertBook,
  host: string,
  factAtMs: number,
  horizonMs: number,
): void {
  const isOf = (alert: JudgedAlert) =>
    alert.host === host &&
    factAtMs > alert.raisedAtMs &&
    factAtMs <= endOf(alert, Number.NaN, horizonMs);
  book.open.push(...book.settled.filter(isOf));
  book.settled = book.settled.filter(alert => !isOf(alert));
}

/** A host goes down or a reboot counts: the first of them. */
export function downAtMs({failedAtMs, rebootedAtMs}: Seen, withReboots: boolean): number {
  if (!withReboots || Number.isNaN(rebootedAtMs)) return failedAtMs;
  return Number.isNaN(failedAtMs) ? rebootedAtMs : Math.min(failedAtMs, rebootedAtMs);
}

function judge(
  alert: JudgedAlert,
  seen: Seen,
  nowMs: number,
  horizonMs: number,
  withReboots: boolean,
): void {
  alert.outcome = 'open';
  alert.leadMs = Number.NaN;
  const downMs = downAtMs(seen, withReboots);
  if (!Number.isNaN(downMs)) {
    comeTrue(alert, downMs, horizonMs);
    return;
  }
  const endMs = endOf(alert, nowMs, horizonMs);
  const seenMs = Number.isNaN(seen.hiddenAtMs) ? Math.min(nowMs, endMs) : seen.hiddenAtMs;
  const periods = Math.floor((seenMs - alert.raisedAtMs) / horizonMs);
  alert.falsePeriods = Math.max(0, periods);
  if (periods > 0) alert.outcome = 'did-not';
  else if (!Number.isNaN(seen.hiddenAtMs)) alert.outcome = 'unverifiable';
}

function comeTrue(alert: JudgedAlert, downMs: number, horizonMs: number): void {
  alert.outcome = 'happened';
  alert.leadMs = downMs - alert.raisedAtMs;
  alert.falsePeriods = Math.ceil(alert.leadMs / horizonMs) - 1;
}

function endOf({raisedAtMs, clearedAtMs}: JudgedAlert, nowMs: number, horizonMs: number): number {
  const stoodMs = Number.isNaN(clearedAtMs) ? nowMs : clearedAtMs;
  return Math.max(raisedAtMs + horizonMs, Number.isNaN(stoodMs) ? 0 : stoodMs);
}
