/**
 * What is known to have become of one host, each outcome once, and what may be said of a time in
 * which somebody forecast it.
 *
 * L1. A host that is away fails no second time; one that is there does not return.
 * L2. An outcome that is told twice, from two sides, counts once.
 * L3. A loss of which somebody says later that it was a reboot on purpose becomes one: a host that
 *     restarts falls silent as one that fails does, and is fenced for it.
 * L4. One that was taken for a reboot, or was taken away, has failed if people name the part while it is
 *     down.
 * L5. Of a time in which the host went away otherwise, or was not watched, only what came before
 *     that is known.
 */
import type {Component} from '../components.ts';
import type {Outcome} from './skill-events.ts';
import type {SkillCounters, SkillSettings} from './skill-settings.ts';

const FACTS_MAX = 16;

/** One thing that happened to a host. */
export type Fact = {
  readonly atMs: number;
  kind: 'failed' | 'rebooted' | 'taken-away' | 'unwatched';
  component: Component | '';
  /** When it was back; NaN: it is not. */
  endMs: number;
};

/** Ascending by time; the newest ones. */
export type HostLife = Fact[];

/** A time without ticks: of no host is anything known. */
export type Gap = {readonly fromMs: number; readonly toMs: number};

/** What is known of a cell's hosts now: what all that was forecast or done is judged by. */
export type Knowledge = {
  lifeOf(host: string): HostLife;
  readonly gaps: readonly Gap[];
  readonly nowMs: number;
  readonly settings: SkillSettings;
  /** A reboot on purpose is something that was forecast. */
  readonly withReboots: boolean;
};

/** What was seen of a host in a time; NaN: not, or not before it was out of sight. */
export type Seen = {
  readonly failedAtMs: number;
  readonly component: Component | '';
  readonly rebootedAtMs: number;
  /** When it was out of sight before it failed, and why. */
  readonly hiddenAtMs: number;
  readonly hiddenBy: 'taken-away' | 'unwatched' | '';
};

export type Learned = {
  readonly fact: Fact;
  /**
   * It is new, its part became known, what was a failure was a reboot on purpose, or the other way.
   */
  readonly change: 'new' | 'part' | 'purpose' | 'failure';
  /** Before a change. */
  readonly was: Fact['kind'];
};

export function isAway(life: HostLife): boolean {
  return life.some(({endMs}) => Number.isNaN(endMs));
}

/**
 * Takes an outcome.
 *
 * @returns What is known anew; undefined if nothing is.
 */
export function learnOutcome(
  life: HostLife,
  outcome: Outcome,
  sameFailureMs: number,
  counters: SkillCounters,
): Learned | undefined {
  if (outcome.kind === 'returned') {
    takeReturn(life, outcome.atMs, counters);
    return undefined;
  }
  const kind = outcome.kind === 'lost' || outcome.kind === 'crashed' ? 'failed' : outcome.kind;
  const known = life.find(fact => covers(fact, outcome.atMs, kind, sameFailureMs));
  if (known !== undefined) return takeKnown(known, kind, outcome, sameFailureMs, counters);
  const newest = life.at(-1);
  if (newest !== undefined && outcome.atMs < newest.atMs) {
    if (life.length === FACTS_MAX && outcome.atMs < (life[0] as Fact).atMs) {
      counters.tooLateOutcomes++;
      return undefined;
    }
    counters.lateOutcomes++;
  }
  for (const open of life) {
    if (open.kind === 'unwatched' && Number.isNaN(open.endMs)) open.endMs = outcome.atMs;
  }
  const next = life.findIndex(({atMs}) => atMs > outcome.atMs);
  // How long it was away is not known of one that is told late: later ones show that it was back.
  const staysAway = next < 0 && outcome.kind !== 'crashed' && outcome.kind !== 'rebooted';
  const endMs = staysAway ? Number.NaN : outcome.atMs;
  const fact: Fact = {atMs: outcome.atMs, kind, component: outcome.component, endMs};
  life.splice(next < 0 ? life.length : next, 0, fact);
  if (life.length > FACTS_MAX) life.shift();
  return {fact, change: 'new', was: kind};
}

/** What was seen of the host after `fromMs`, up to `toMs`. */
export function lookThrough(
  life: HostLife,
  gaps: readonly Gap[],
  fromMs: number,
  toMs: number,
): Seen {
  let hiddenAtMs = Number.NaN;
  let hiddenBy: Seen['hiddenBy'] = '';
  let failed: Fact | undefined;
  let rebootedAtMs = Number.NaN;
  const hide = (atMs: number, by: Seen['hiddenBy']) => {
    if (hiddenAtMs <= atMs) return;
    hiddenAtMs = atMs;
    hiddenBy = by;
  };
  for (const gap of gaps) {
    if (gap.fromMs < toMs && gap.toMs > fromMs) hide(Math.max(gap.fromMs, fromMs), 'unwatched');
  }
  for (const fact of life) {
    if (fact.atMs > toMs) continue;
    if (fact.atMs <= fromMs) {
      if (fact.endMs <= fromMs) continue;
      hide(fromMs, fact.kind === 'taken-away' ? 'taken-away' : 'unwatched');
    } else if (fact.kind === 'rebooted') {
      if (Number.isNaN(rebootedAtMs)) rebootedAtMs = fact.atMs;
    } else if (fact.kind === 'failed') {
      failed ??= fact;
    } else {
      hide(fact.atMs, fact.kind);
    }
  }
  if (failed !== undefined && !(hiddenAtMs < failed.atMs)) {
    hiddenAtMs = Number.NaN;
    hiddenBy = '';
  } else {
    failed = undefined;
  }
  if (rebootedAtMs > hiddenAtMs) rebootedAtMs = Number.NaN;
  const {atMs: failedAtMs = Number.NaN, component = ''} = failed ?? {};
  return {failedAtMs, component, rebootedAtMs, hiddenAtMs, hiddenBy};
}

/** Whether an outcome is a fact that is known, or falls into a time in which the host was away. */
function covers(fact: Fact, atMs: number, kind: Fact['kind'], sameMs: number): boolean {
  const isSame = fact.kind === kind || (kind === 'rebooted' && fact.kind === 'failed');
  if (isSame && Math.abs(atMs - fact.atMs) <= sameMs) return true;
  if (atMs < fact.atMs) return false;
  if (fact.kind === 'unwatched' && kind !== 'unwatched') return false;
  return Number.isNaN(fact.endMs) || atMs < fact.endMs;
}

function takeKnown(
  known: Fact,
  kind: Fact['kind'],
  {component, atMs}: Outcome,
  sameFailureMs: number,
  counters: SkillCounters,
): Learned | undefined {
  if (kind === 'failed' && known.kind === 'failed' && component !== '' && known.component === '') {
    known.component = component;
    counters.lateOutcomes++;
    return {fact: known, change: 'part', was: kind};
  }
  if (kind === 'rebooted' && known.kind === 'failed') {
    known.kind = 'rebooted';
    counters.lateOutcomes++;
    return {fact: known, change: 'purpose', was: 'failed'};
  }
  const {kind: was} = known;
  const isOther = was === 'rebooted' || was === 'taken-away';
  if (kind === 'failed' && component !== '' && isOther) {
    Object.assign(known, {kind, component});
    counters.lateOutcomes++;
    return {fact: known, change: 'failure', was};
  }
  if (kind === known.kind && Math.abs(atMs - known.atMs) <= sameFailureMs) counters.repeated++;
  else counters.contradictions++;
  return undefined;
}

function takeReturn(life: HostLife, atMs: number, counters: SkillCounters): void {
  const open = life.findLast(({endMs}) => Number.isNaN(endMs));
  if (open === undefined || atMs < open.atMs) counters.contradictions++;
  else open.endMs = atMs;
}
