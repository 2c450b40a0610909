/**
 * Acts, each with what came of it, and what would have come of leaving the VM where it was.
 *
 * The host that a VM has left is watched on. That the VM would have gone down with it, and for as
 * long as an ordinary restart takes, is no observation but the counterfactual, and is called so.
 */
import {downAtMs, type Verified} from './alert-book.ts';
import {type Knowledge, lookThrough} from './host-life.ts';
import type {Act} from './skill-events.ts';
import type {SkillSettings} from './skill-settings.ts';

/**
 * What an act was good for.
 *
 * - `avoided`: the source went down after the VM had left, or its ghost stood.
 * - `too-late`: the source went down before that, or the act failed.
 * - `needless`: the source did not go down within the horizon.
 * - `unknown`: nobody can know.
 */
export type Effect = 'open' | 'avoided' | 'too-late' | 'needless' | 'unknown';

export type JudgedAct = Act & {
  /** How likely it was to be done at all: 1 without hold-back. */
  readonly propensity: number;
  outcome: Verified;
  effect: Effect;
  /** When the source went down, or out of sight; NaN: it did not. */
  sourceDownAtMs: number;
  /** Why nobody can know; else empty. */
  hiddenBy: 'taken-away' | 'unwatched' | '';
  /** It was a reboot on purpose. */
  byReboot: boolean;
  /** The target went down within the horizon: the act brought the VM there; NaN: it did not. */
  targetDownAtMs: number;
  /** Downtime that the VM was spared, less what the act cost it; below 0: it cost more. */
  avoidedMinutes: number;
};

export type ActBook = {
  /** What may change by time alone, and what only by late outcomes; oldest first. */
  open: JudgedAct[];
  settled: JudgedAct[];
};

const MINUTE_MS = 60_000;

/** @returns False if an act of that id and VM is known. */
export function takeJudgedAct(book: ActBook, act: Act, propensity: number): boolean {
  const isKnown = (other: Act) => other.id === act.id && other.vm === act.vm;
  if (book.open.some(isKnown) || book.settled.some(isKnown)) return false;
  book.open.push({
    ...act,
    propensity,
    outcome: 'open',
    effect: 'open',
    sourceDownAtMs: Number.NaN,
    hiddenBy: '',
    byReboot: false,
    targetDownAtMs: Number.NaN,
    avoidedMinutes: 0,
  });
  return true;
}

/** Judges open acts, and settles those of which time alone can tell no more. */
export function judgeActs(book: ActBook, known: Knowledge): void {
  const {nowMs, settings} = known;
  const open: JudgedAct[] = [];
  for (const act of book.open) {
    judgeAct(act, known);
    const isOver = nowMs >= act.finishedAtMs + settings.horizonMs + settings.graceMs;
    (isOver ? book.settled : open).push(act);
  }
  book.open = open;
}

/** What is known of a host at a time has changed: acts of then are open to judgement once more. */
export function reopenActs(book: ActBook, host: string, factAtMs: number, horizonMs: number): void {
  const isOf = ({source, target, startedAtMs, finishedAtMs}: JudgedAct) =>
    (source === host || target === host) &&
    factAtMs > startedAtMs &&
    factAtMs <= finishedAtMs + horizonMs;
  book.open.push(...book.settled.filter(isOf));
  book.settled = book.settled.filter(act => !isOf(act));
}

function judgeAct(act: JudgedAct, known: Knowledge): void {
  const {lifeOf, gaps, nowMs, settings, withReboots} = known;
  const endMs = act.finishedAtMs + settings.horizonMs;
  const upToMs = Math.min(endMs, nowMs);
  const source = lookThrough(lifeOf(act.source), gaps, act.startedAtMs, upToMs);
  const downMs = downAtMs(source, withReboots);
  if (act.done && act.target !== act.source) {
    const target = lookThrough(lifeOf(act.target), gaps, act.finishedAtMs, upToMs);
    act.targetDownAtMs = downAtMs(target, withReboots);
  }
  act.outcome = 'open';
  act.effect = 'open';
  act.sourceDownAtMs = downMs;
  act.hiddenBy = '';
  act.byReboot = false;
  if (!Number.isNaN(downMs)) {
    act.outcome = 'happened';
    act.byReboot = downMs === source.rebootedAtMs;
    act.effect = act.done && act.finishedAtMs <= downMs ? 'avoided' : 'too-late';
  } else if (!Number.isNaN(source.hiddenAtMs)) {
    act.outcome = 'unverifiable';
    act.effect = 'unknown';
    act.sourceDownAtMs = source.hiddenAtMs;
    act.hiddenBy = source.hiddenBy;
  } else if (nowMs >= endMs) {
    act.outcome = 'did-not';
    act.effect = 'needless';
  }
  act.avoidedMinutes = avoidedMinutes(act, settings);
}

function avoidedMinutes(act: JudgedAct, settings: SkillSettings): number {
  if (!act.done) return 0;
  const blackout = Number.isNaN(act.blackoutMs) ? 0 : act.blackoutMs / MINUTE_MS;
  // A target that went down took the VM with it, as the source would have; a ghost there did not.
  const isLost = act.action === 'migrate' && !Number.isNaN(act.targetDownAtMs);
  const left = act.action === 'arm-ghost' ? settings.takeoverMinutes : 0;
  const spared = act.effect === 'avoided' ? settings.restartMinutes - left : 0;
  return spared - blackout - (isLost ? settings.restartMinutes : 0);
}
