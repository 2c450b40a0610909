/**
 * What people and programs do on a host from the first session to the reboot, or to nothing: one
 * function a kind, from a time and a stream to the steps that its telemetry shows.
 */
import type {Random} from '../ports.ts';
import {HOUR_MS} from './calendar.ts';
import {between, lognormal} from './draws.ts';
import {drawRegression, type Episode, repairMs} from './faults.ts';
import type {Counter, Step} from './people.ts';

/** End in a reboot: all but the watchdog's is meant. */
export const INTENT_KINDS = [
  'maintenance',
  'upgrade',
  'kernel-update',
  'scheduled',
  'kexec',
  'ad-hoc',
  'watchdog',
] as const;
export type IntentKind = (typeof INTENT_KINDS)[number];

/** Begin like them and end in nothing. */
export const LOOKALIKE_KINDS = [
  'look-around',
  'plain-upgrade',
  'lingering',
  'cancelled',
  'deployment',
  'kexec-prepared',
] as const;
export type LookalikeKind = (typeof LOOKALIKE_KINDS)[number];

export type Occasion = {
  readonly kind: IntentKind | LookalikeKind;
  readonly beginsMs: number;
  /** When the host goes down for it; infinite: it does not. */
  readonly rebootMs: number;
  readonly downMs: number;
  /** By time. */
  readonly steps: readonly Step[];
  /** The first step that was not made yet. */
  next: number;
  /** The fault that its change brings, if it does: begins after the reboot, or after the change. */
  readonly regression: Episode | undefined;
};

export type OccasionPlan = {
  repairFactor: number;
  /** Between an upgrade and its reboot, at the median. */
  lagMs: number;
  /** … and at most. */
  leadMs: number;
  /** How often a change brings a fault, against time lapse, and how soon on average. */
  regressionFactor: number;
  regressionMs: number;
};

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** Recorded median of planned outages (LANL). */
const PLANNED_MINUTES = 123;
const REBOOT_SECONDS = 150;
const KEXEC_SECONDS = 25;
const REBOOT_SECONDS_MIN = 15;
const PACKAGES_MS_MAX = 12 * MINUTE_MS;
/** A usual watchdog's timeout. */
export const WATCHDOG_MS = 60_000;

/** Steps of an occasion in the making, drawn from its stream. */
function createDraft(random: Random) {
  const steps: Step[] = [];
  const add = (atMs: number, does: Step['does'], amount = 1): void => {
    steps.push({atMs: Math.round(atMs), does, amount});
  };
  /** About so many commands or events between two times. */
  const spread = (counter: Counter, mean: number, fromMs: number, untilMs: number): void => {
    const events = Math.floor(mean * (0.5 + random.next()) + random.next());
    for (let left = events; left > 0; left--) add(between(random, fromMs, untilMs), counter);
  };
  const wholeBetween = (low: number, high: number) => Math.round(between(random, low, high));
  return {
    steps,
    random,
    add,
    spread,
    between: wholeBetween,
    chance: (probability: number): boolean => random.next() < probability,
    session(fromMs: number, untilMs: number, privileged: boolean): void {
      const all: Step['does'][] = privileged ? ['session', 'privileged'] : ['session'];
      for (const does of all) {
        add(fromMs, does, 1);
        add(untilMs, does, -1);
      }
    },
    /** A package manager at work; gives when it is done. */
    packages(fromMs: number, attended: boolean): number {
      const untilMs = fromMs + wholeBetween(1.5 * MINUTE_MS, PACKAGES_MS_MAX);
      if (attended) spread('package', 4, fromMs - 30 * SECOND_MS, untilMs);
      add(fromMs, 'package-manager', 1);
      add(untilMs, 'package-manager', -1);
      spread('services-restarted', 6, (fromMs + untilMs) / 2, untilMs);
      add(untilMs, 'changed-package');
      return untilMs;
    },
  };
}

type Draft = ReturnType<typeof createDraft>;
type Builder = (draft: Draft, atMs: number, plan: OccasionPlan) => Partial<Occasion>;

/** Each gets the time of its reboot. */
const INTENTS: Readonly<Record<IntentKind, Builder>> = {
  maintenance(draft, rebootMs, plan) {
    const fromMs = rebootMs - draft.between(10 * MINUTE_MS, 40 * MINUTE_MS);
    draft.session(fromMs, rebootMs + 1, true);
    draft.spread('vm', 6, fromMs, rebootMs);
    draft.spread('other', 8, fromMs, rebootMs);
    if (draft.chance(0.4)) draft.spread('storage', 3, fromMs, rebootMs);
    if (draft.chance(0.6)) {
      const drainMs = rebootMs - draft.between(4 * MINUTE_MS, 9 * MINUTE_MS);
      draft.spread('service', 3, drainMs, rebootMs);
      draft.add(drainMs, 'drain', rebootMs);
    }
    if (draft.chance(0.4)) draft.add(rebootMs - 1, 'firmware-newer');
    if (draft.chance(0.5)) announce(draft, rebootMs, pickMinutes(draft, [5, 10, 15]));
    else draft.add(rebootMs - draft.between(2000, 15_000), 'power');
    return {downMs: repairMs(draft.random, PLANNED_MINUTES, plan.repairFactor)};
  },
  upgrade(draft, rebootMs, plan) {
    const lag = drawLag(draft, plan);
    const loginMs = rebootMs - draft.between(0.4 * MINUTE_MS, 4 * MINUTE_MS);
    const fromMs = loginMs - lag - PACKAGES_MS_MAX;
    const doneMs = draft.packages(fromMs, true);
    draft.session(fromMs - draft.between(0.5 * MINUTE_MS, 4 * MINUTE_MS), doneMs + 20_000, true);
    draft.add(doneMs, 'reboot-required');
    if (draft.chance(0.5)) draft.add(doneMs, 'kernel-newer');
    draft.session(loginMs, rebootMs + 1, true);
    draft.spread('other', 3, loginMs, rebootMs);
    draft.add(rebootMs - draft.between(1000, 8000), 'power');
    return {};
  },
  'kernel-update'(draft, rebootMs, plan) {
    const lag = drawLag(draft, plan);
    const minutes = pickMinutes(draft, [1, 2, 5, 10]);
    const isAnnounced = draft.chance(0.7);
    const noticeMs = isAnnounced ? minutes * MINUTE_MS : 0;
    const doneMs = draft.packages(rebootMs - noticeMs - lag - PACKAGES_MS_MAX, false);
    draft.add(doneMs, 'kernel-newer');
    draft.add(doneMs, 'reboot-required');
    if (isAnnounced) {
      draft.add(rebootMs - noticeMs, 'shutdown', rebootMs);
    }
    return {};
  },
  scheduled(draft, rebootMs) {
    const minutes = pickMinutes(draft, [1, 5, 10, 15, 30]);
    const loginMs = rebootMs - minutes * MINUTE_MS - draft.between(20_000, 5 * MINUTE_MS);
    const stays = draft.chance(0.5);
    draft.session(loginMs, stays ? rebootMs + 1 : rebootMs - 0.8 * minutes * MINUTE_MS, true);
    draft.spread('other', 3, loginMs, rebootMs - minutes * MINUTE_MS);
    announce(draft, rebootMs, minutes);
    return {};
  },
  kexec(draft, rebootMs) {
    const loadMs = rebootMs - draft.between(15_000, 4 * MINUTE_MS);
    const loginMs = loadMs - draft.between(30_000, 5 * MINUTE_MS);
    draft.session(loginMs, rebootMs + 1, true);
    draft.spread('kernel', 3, loginMs, loadMs);
    draft.add(loadMs, 'kexec-loaded');
    draft.add(rebootMs - draft.between(1000, 5000), 'power');
    const seconds = lognormal(draft.random, KEXEC_SECONDS, 0.3);
    return {downMs: Math.round(SECOND_MS * Math.max(REBOOT_SECONDS_MIN, seconds))};
  },
  'ad-hoc'(draft, rebootMs) {
    // One in five uses the board's controller: the system is told nothing.
    if (draft.chance(0.2)) return {};
    const loginMs = rebootMs - draft.between(20_000, 4 * MINUTE_MS);
    draft.session(loginMs, rebootMs + 1, draft.chance(0.9));
    draft.spread('other', 4, loginMs, rebootMs);
    if (draft.chance(0.3)) draft.spread('service', 2, loginMs, rebootMs);
    draft.add(rebootMs - draft.between(1000, 10_000), 'power');
    return {};
  },
  watchdog(draft, rebootMs) {
    const fromMs = rebootMs - WATCHDOG_MS - draft.between(5000, 3 * MINUTE_MS);
    draft.spread('services-failed', 2, fromMs, rebootMs);
    draft.spread('stalls', 4, fromMs, rebootMs);
    draft.spread('errors', 10, fromMs, rebootMs);
    draft.add(rebootMs - WATCHDOG_MS, 'watchdog', rebootMs);
    return {};
  },
};

/** Each gets the time at which it begins. */
const LOOKALIKES: Readonly<Record<LookalikeKind, Builder>> = {
  'look-around'(draft, fromMs) {
    const untilMs = fromMs + draft.between(MINUTE_MS, 30 * MINUTE_MS);
    draft.session(fromMs, untilMs, draft.chance(0.6));
    draft.spread('other', 8, fromMs, untilMs);
    if (draft.chance(0.25)) draft.spread('service', 2, fromMs, untilMs);
    if (draft.chance(0.15)) draft.spread('storage', 3, fromMs, untilMs);
    if (draft.chance(0.2)) {
      draft.spread('vm', 3, fromMs, untilMs);
      if (draft.chance(0.3)) draft.add(untilMs, 'changed-resize');
    }
    // A reboot of a VM, or of another machine from here.
    if (draft.chance(0.08)) draft.add(between(draft.random, fromMs, untilMs), 'power');
    return {};
  },
  'plain-upgrade'(draft, fromMs) {
    const attended = draft.chance(0.5);
    const doneMs = draft.packages(fromMs, attended);
    if (attended) {
      draft.session(fromMs - draft.between(20_000, 4 * MINUTE_MS), doneMs + 60_000, true);
      draft.spread('other', 3, fromMs, doneMs);
    }
    return {};
  },
  lingering(draft, fromMs) {
    const attended = draft.chance(0.5);
    const doneMs = draft.packages(fromMs, attended);
    draft.add(doneMs, 'reboot-required');
    if (draft.chance(0.5)) draft.add(doneMs, 'kernel-newer');
    if (attended) draft.session(fromMs - draft.between(20_000, 4 * MINUTE_MS), doneMs, true);
    return {};
  },
  cancelled(draft, fromMs) {
    const minutes = pickMinutes(draft, [5, 10, 15, 30]);
    const askedMs = fromMs + draft.between(20_000, 5 * MINUTE_MS);
    const dueMs = askedMs + minutes * MINUTE_MS;
    const cancelledMs = askedMs + Math.round(draft.between(20, 90) * 0.01 * minutes * MINUTE_MS);
    draft.session(fromMs, cancelledMs + 30_000, true);
    draft.spread('other', 3, fromMs, cancelledMs);
    draft.add(askedMs, 'power');
    draft.add(askedMs, 'shutdown', dueMs);
    draft.add(cancelledMs, 'power');
    draft.add(cancelledMs, 'shutdown-cancelled', dueMs);
    return {};
  },
  deployment(draft, fromMs) {
    const untilMs = fromMs + draft.between(MINUTE_MS, 8 * MINUTE_MS);
    if (draft.chance(0.4)) draft.session(fromMs, untilMs, true);
    draft.spread('service', 4, fromMs, untilMs);
    draft.spread('services-restarted', 4, fromMs, untilMs);
    if (draft.chance(0.3)) draft.add(fromMs, 'drain', fromMs + 3 * MINUTE_MS);
    draft.add(untilMs, 'drain', Number.NaN);
    draft.add(untilMs, 'changed-package');
    return {};
  },
  'kexec-prepared'(draft, fromMs) {
    draft.session(fromMs, fromMs + draft.between(MINUTE_MS, 10 * MINUTE_MS), true);
    draft.spread('kernel', 3, fromMs, fromMs + MINUTE_MS);
    const loadMs = fromMs + draft.between(10_000, MINUTE_MS);
    draft.add(loadMs, 'kexec-loaded', 1);
    if (draft.chance(0.5)) draft.add(loadMs + draft.between(1, 30) * MINUTE_MS, 'kexec-loaded', 0);
    return {};
  },
};

/** How often what was changed turns out to be broken, in time lapse. */
const REGRESSION_RATIO: Partial<Record<Occasion['kind'], number>> = {
  maintenance: 0.05,
  upgrade: 0.12,
  'kernel-update': 0.12,
  'plain-upgrade': 0.08,
  deployment: 0.08,
};

/** Draws one occasion: an intent with its reboot at `atMs`, a lookalike that begins then. */
export function drawOccasion(
  random: Random,
  kind: Occasion['kind'],
  atMs: number,
  plan: OccasionPlan,
): Occasion {
  const draft = createDraft(random);
  const isIntent = (INTENT_KINDS as readonly string[]).includes(kind);
  const builder = isIntent ? INTENTS[kind as IntentKind] : LOOKALIKES[kind as LookalikeKind];
  const {downMs = drawRebootMs(random)} = builder(draft, atMs, plan);
  const steps = draft.steps.sort((a, b) => a.atMs - b.atMs);
  const lastMs = isIntent ? atMs + downMs : Math.max(atMs, ...steps.map(step => step.atMs));
  const isBroken = random.next() < plan.regressionFactor * (REGRESSION_RATIO[kind] ?? 0);
  const regression = drawRegression(random, lastMs, plan);
  return {
    kind,
    beginsMs: Math.min(atMs, steps[0]?.atMs ?? atMs),
    rebootMs: isIntent ? atMs : Number.POSITIVE_INFINITY,
    downMs: isIntent ? downMs : 0,
    steps,
    next: 0,
    regression: isBroken ? regression : undefined,
  };
}

/** When the next of these takes its host down; infinite: none does. */
export function firstReboot(occasions: readonly Occasion[]): number {
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const {rebootMs} of occasions) earliestMs = Math.min(earliestMs, rebootMs);
  return earliestMs;
}

function drawRebootMs(random: Random): number {
  const seconds = lognormal(random, REBOOT_SECONDS, 0.4);
  return Math.round(SECOND_MS * Math.max(REBOOT_SECONDS_MIN, seconds));
}

/** Between an upgrade and the reboot that it needs. */
function drawLag({random}: Draft, {lagMs, leadMs}: OccasionPlan): number {
  const longest = leadMs - HOUR_MS;
  return Math.min(longest, Math.max(2 * MINUTE_MS, lognormal(random, lagMs, 0.8)));
}

/** `shutdown -r +N`. */
function announce(draft: Draft, rebootMs: number, minutes: number): void {
  draft.add(rebootMs - minutes * MINUTE_MS, 'power');
  draft.add(rebootMs - minutes * MINUTE_MS, 'shutdown', rebootMs);
}

function pickMinutes(draft: Draft, minutes: readonly number[]): number {
  return minutes[Math.floor(draft.random.next() * minutes.length)] as number;
}
