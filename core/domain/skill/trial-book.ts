/**
 * Who has a part in the hold-back (hold-back.ts), each with what became of it.
 *
 * T1. A VM has a part in an episode of its host once, from when it would first have been acted upon,
 *     and in the group that was drawn for it: whether the act then was refused, failed or came too
 *     late changes nothing.
 * T2. Downtime is what was seen of the VM itself, wherever it was, until a horizon and the time in
 *     which its outcome becomes known are over. Only where a host was found in another boot, and
 *     nobody had seen it down, an ordinary restart is taken for it.
 * T3. If the host was taken away, or out of sight, within the horizon, neither group counts: of those
 *     that had stayed nothing is known.
 */
import {countInTrial, createTrial, estimateTrial, type TrialEstimate} from './hold-back.ts';
import {type Knowledge, lookThrough} from './host-life.ts';
import type {Act, Outcome} from './skill-events.ts';

/** One VM in one episode of risk of its host. */
export type TrialDraw = {
  readonly vm: string;
  readonly host: string;
  /** When the host came into the band: with its name, the episode. */
  readonly episodeAtMs: number;
  readonly drawnAtMs: number;
  readonly heldBack: boolean;
  readonly propensity: number;
  readonly modelHash: string;
};

export type TrialEntry = TrialDraw & {
  /** Where it runs, as far as acts have moved it. */
  on: string;
  /** NaN: it is not down. */
  downSinceMs: number;
  downMs: number;
  interrupted: boolean;
  /** Settled, and never known: it counts in no group, and is not drawn again (T1, T3). */
  hidden: boolean;
};

export type TrialBook = {
  /** Oldest first. */
  open: TrialEntry[];
  settled: TrialEntry[];
};

/** NaN: too few to say. */
export type TrialFigures = TrialEstimate & {
  readonly actedVms: number;
  readonly heldBackVms: number;
  /** Share that is held back. */
  readonly share: number;
};

const MINUTE_MS = 60_000;

/** Takes a draw; of one that is known, nothing changes. */
export function takeDraw(book: TrialBook, draw: TrialDraw): void {
  if (knownDraw(book, draw) !== undefined) return;
  const seen = {downSinceMs: Number.NaN, downMs: 0, interrupted: false, hidden: false};
  book.open.push({...draw, on: draw.host, ...seen});
}

/** What was drawn for a VM in an episode, if anything was. */
export function knownDraw(
  {open, settled}: TrialBook,
  {vm, host, episodeAtMs}: Pick<TrialDraw, 'vm' | 'host' | 'episodeAtMs'>,
): TrialEntry | undefined {
  const isIt = (entry: TrialEntry) =>
    entry.vm === vm && entry.host === host && entry.episodeAtMs === episodeAtMs;
  return open.find(isIt) ?? settled.findLast(isIt);
}

/** How likely an act was to be done at all; 1: its VM had no part in the trial. */
export function propensityOf({open}: TrialBook, {vm, source}: Pick<Act, 'vm' | 'source'>): number {
  const entry = open.findLast(each => each.vm === vm && each.host === source);
  // What is done about one that was held back rests on something else.
  return entry === undefined || entry.heldBack ? 1 : entry.propensity;
}

/** An act is over: where the VM is now, and how long it stood still for it. */
export function followAct({open}: TrialBook, {action, vm, target, done, blackoutMs}: Act): void {
  for (const entry of open) {
    if (entry.vm !== vm || !done) continue;
    if (action === 'migrate') entry.on = target;
    if (blackoutMs > 0) entry.downMs += blackoutMs;
  }
}

/** A VM went down, or runs again; a repeat changes nothing. */
export function followVm({open}: TrialBook, vm: string, isDown: boolean, atMs: number): void {
  for (const entry of open) {
    if (entry.vm !== vm) continue;
    if (isDown && Number.isNaN(entry.downSinceMs)) {
      entry.downSinceMs = Math.max(atMs, entry.drawnAtMs);
      entry.interrupted = true;
    } else if (!isDown && !Number.isNaN(entry.downSinceMs)) {
      entry.downMs += Math.max(0, atMs - entry.downSinceMs);
      entry.downSinceMs = Number.NaN;
    }
  }
}

/** A host runs in another boot, and nobody had seen it down. */
export function followBoot(
  {open}: TrialBook,
  {host, atMs}: Pick<Outcome, 'host' | 'atMs'>,
  restartMinutes: number,
): void {
  for (const entry of open) {
    if (entry.on !== host || atMs < entry.drawnAtMs || !Number.isNaN(entry.downSinceMs)) continue;
    entry.downMs += restartMinutes * MINUTE_MS;
    entry.interrupted = true;
  }
}

/** Closes those of which enough is known, and forgets what is older than the window. */
export function settleTrial(book: TrialBook, {lifeOf, gaps, nowMs, settings}: Knowledge): void {
  const {horizonMs, graceMs, windowMs, actsMax} = settings;
  const isOver = ({drawnAtMs}: TrialEntry) => nowMs >= drawnAtMs + horizonMs + graceMs;
  for (const entry of book.open.filter(isOver)) {
    const {host, drawnAtMs} = entry;
    const seen = lookThrough(lifeOf(host), gaps, drawnAtMs, drawnAtMs + horizonMs);
    entry.hidden = !Number.isNaN(seen.hiddenAtMs);
    if (!Number.isNaN(entry.downSinceMs)) entry.downMs += nowMs - entry.downSinceMs;
    book.settled.push(entry);
  }
  book.open = book.open.filter(entry => !isOver(entry));
  book.settled = book.settled
    .filter(({drawnAtMs}) => drawnAtMs >= nowMs - windowMs)
    .slice(-actsMax);
}

/**
 * What acting did, of one model; undefined: nobody had a part in a trial of it. Only those count for
 * whom the newest share was drawn: with another one the groups would be of different times.
 */
export function trialFigures(book: TrialBook, modelHash: string): TrialFigures | undefined {
  const ofModel = [...book.settled, ...book.open].filter(each => each.modelHash === modelHash);
  const propensity = ofModel.at(-1)?.propensity;
  if (propensity === undefined) return undefined;
  const trial = createTrial();
  for (const entry of book.settled) {
    if (entry.hidden || entry.modelHash !== modelHash || entry.propensity !== propensity) continue;
    countInTrial(trial, entry.heldBack, entry.downMs / MINUTE_MS, entry.interrupted);
  }
  const [actedVms, heldBackVms] = [trial.acted.vms, trial.heldBack.vms];
  return {...estimateTrial(trial), actedVms, heldBackVms, share: 1 - propensity};
}
