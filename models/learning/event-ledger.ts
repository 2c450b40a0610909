/**
 * What became of hosts, as far as anybody wrote it down: put in order host by host, with what cannot
 * be true left out and counted. Ledgers have gaps and contradictions, are written late, and by
 * clocks that jump.
 *
 * E1. Nothing is read that was not known at the time that it is read as of, whatever it says of
 *     earlier times: so labels never come from the future.
 * E2. Of a time in which the ledger's clock ran twice nothing is known, of any host.
 * E3. The order of entries matters only for that; events are put in order by when they happened.
 */
import {COMPONENTS, type Component} from '../../core/domain/components.ts';

/** What we, or somebody for us, did to a host because a risk was high. */
export type Act = {
  /** The part that was feared for. */
  readonly component: Component;
  /** Of the model in service. */
  readonly risk: number;
  /** Chance that this was done to a host like this: below 1 where some are held back by chance. */
  readonly propensity: number;
};

type Times = {
  readonly host: string;
  readonly atMs: number;
  /** When it was written down. */
  readonly recordedAtMs: number;
};

export type HostEvent = Times &
  (
    | {readonly kind: 'failed'; readonly component: Component}
    // Nobody knows yet why.
    | {readonly kind: 'crashed'}
    | {readonly kind: 'rebooted'}
    | {readonly kind: 'returned'}
    | {readonly kind: 'repaired'; readonly component: Component; readonly act?: Act}
    // Its VMs were moved; it goes on and is watched.
    | {readonly kind: 'evacuated'; readonly act: Act}
    | {readonly kind: 'taken-away'; readonly act?: Act}
    | {readonly kind: 'changed'}
    | {readonly kind: 'unobserved'; readonly untilMs: number}
  );

/** What ends the time in which one can see whether a part fails. */
export type Ending = {
  readonly atMs: number;
  readonly kind: 'failed' | 'crashed' | 'rebooted' | 'repaired' | 'taken-away';
  /** The part that failed or was replaced. */
  component: Component | undefined;
  /** Why it was repaired or taken away. */
  readonly act: Act | undefined;
};

export type HostTimeline = {
  /** By time. */
  readonly endings: Ending[];
  readonly evacuations: {readonly atMs: number; readonly act: Act}[];
  /** When nobody watched. */
  readonly unobserved: TimeSpan[];
};

export type TimeSpan = {readonly fromMs: number; readonly untilMs: number};

/** What was wrong with a ledger. Left out unless the name says otherwise. */
export type LedgerCounts = {
  events: number;
  /** No host, no time, no such part or kind, or an end before its beginning. */
  malformed: number;
  /** Written down after the time that the ledger is read as of. */
  notYetKnown: number;
  /** Said to have happened after it was written down. */
  fromTheFuture: number;
  duplicates: number;
  /** Of a host that is down, or back although it never went. */
  contradictions: number;
  /** Taken: a host that fails again without having come back, long after. */
  gaps: number;
  /** Taken: written down more than the settling time after it happened. */
  late: number;
  /** The clock of the ledger went back. */
  clockJumps: number;
};

/** Of a ledger with which nothing is wrong. */
export function cleanCounts(events: number): LedgerCounts {
  return {
    events,
    malformed: 0,
    notYetKnown: 0,
    fromTheFuture: 0,
    duplicates: 0,
    contradictions: 0,
    gaps: 0,
    late: 0,
    clockJumps: 0,
  };
}

export type EventLedger = {
  readonly asOfMs: number;
  readonly settleMs: number;
  readonly hosts: ReadonlyMap<string, HostTimeline>;
  /** In which nothing is known of any host. */
  readonly unobserved: readonly TimeSpan[];
  readonly counts: LedgerCounts;
};

export type LedgerOptions = {
  readonly asOfMs: number;
  /** So long after it happened an event is written down, as a rule. */
  readonly settleMs: number;
};

/** Clocks of those who write may be off by so much. */
const CLOCK_OFF_MS = 60_000;
const SAME_MS = 1000;
/** A host that was not seen to return and fails so much later has returned. */
const RETURN_MISSED_MS = 24 * 3_600_000;

/** @param events In the order in which they were written down. O(n log n). */
export function readLedger(
  events: readonly HostEvent[],
  {asOfMs, settleMs}: LedgerOptions,
): EventLedger {
  const counts = cleanCounts(events.length);
  const unobserved: TimeSpan[] = [];
  const kept = new Map<string, HostEvent[]>();
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    if (!isWellFormed(event)) counts.malformed++;
    else if (event.recordedAtMs > asOfMs) counts.notYetKnown++;
    else {
      const {recordedAtMs, atMs, host} = event;
      if (recordedAtMs < newestMs - CLOCK_OFF_MS) {
        counts.clockJumps++;
        unobserved.push({fromMs: recordedAtMs, untilMs: newestMs});
        newestMs = recordedAtMs;
      }
      newestMs = Math.max(newestMs, recordedAtMs);
      if (atMs > recordedAtMs + CLOCK_OFF_MS) counts.fromTheFuture++;
      else {
        if (recordedAtMs - atMs > settleMs) counts.late++;
        const own = kept.get(host);
        if (own === undefined) kept.set(host, [event]);
        else own.push(event);
      }
    }
  }
  const hosts = new Map([...kept].map(([host, own]) => [host, orderEvents(own, counts)]));
  return {asOfMs, settleMs, hosts, unobserved, counts};
}

const KINDS: readonly string[] = [
  'failed',
  'crashed',
  'rebooted',
  'returned',
  'repaired',
  'evacuated',
  'taken-away',
  'changed',
  'unobserved',
] satisfies HostEvent['kind'][];

function isWellFormed(event: HostEvent): boolean {
  const {host, atMs, recordedAtMs, kind} = event;
  if (host === '' || !Number.isFinite(atMs) || !Number.isFinite(recordedAtMs)) return false;
  if (!KINDS.includes(kind)) return false;
  if ('component' in event && !isComponent(event.component)) return false;
  if ('act' in event && event.act !== undefined && !isAct(event.act)) return false;
  return event.kind !== 'unobserved' || event.untilMs >= atMs;
}

function isAct({component, risk, propensity}: Act): boolean {
  return isComponent(component) && risk >= 0 && risk <= 1 && propensity > 0 && propensity <= 1;
}

const isComponent = (name: string) => (COMPONENTS as readonly string[]).includes(name);

/** A host as its events tell it, the impossible ones left out. */
type Telling = HostTimeline & {
  /** Since when it is down; undefined: it is up. */
  downAtMs: number | undefined;
  isAway: boolean;
  /** Why its VMs were moved, until it has been down. */
  feared: Act | undefined;
};

function orderEvents(events: readonly HostEvent[], counts: LedgerCounts): HostTimeline {
  const sorted = [...events].sort((a, b) => a.atMs - b.atMs);
  const telling: Telling = {
    endings: [],
    evacuations: [],
    unobserved: [],
    downAtMs: undefined,
    isAway: false,
    feared: undefined,
  };
  for (const [at, event] of sorted.entries()) {
    if (isRepeated(sorted, at)) counts.duplicates++;
    else if (!tell(telling, event, counts)) counts.contradictions++;
  }
  const {endings, evacuations, unobserved} = telling;
  return {endings, evacuations, unobserved};
}

function isRepeated(sorted: readonly HostEvent[], at: number): boolean {
  const event = sorted[at] as HostEvent;
  for (let before = at - 1; before >= 0; before--) {
    const other = sorted[before] as HostEvent;
    if (event.atMs - other.atMs > SAME_MS) return false;
    if (other.kind === event.kind && componentOf(other) === componentOf(event)) return true;
  }
  return false;
}

function componentOf(event: HostEvent): Component | undefined {
  if ('component' in event) return event.component;
  return 'act' in event ? event.act?.component : undefined;
}

/** @returns False if it cannot be. */
function tell(telling: Telling, event: HostEvent, counts: LedgerCounts): boolean {
  const {endings, downAtMs} = telling;
  const {atMs} = event;
  switch (event.kind) {
    case 'changed':
      return true;
    case 'unobserved':
      telling.unobserved.push({fromMs: atMs, untilMs: event.untilMs});
      return true;
    case 'returned':
      if (downAtMs === undefined) return false;
      Object.assign(telling, {downAtMs: undefined, isAway: false, feared: undefined});
      return true;
    case 'evacuated':
      if (downAtMs !== undefined) return false;
      telling.evacuations.push({atMs, act: event.act});
      telling.feared = event.act;
      return true;
    default:
  }
  if (downAtMs !== undefined) {
    // While it is down somebody finds out why.
    const last = endings.at(-1);
    const isFinding = event.kind === 'failed' || event.kind === 'repaired';
    if (isFinding && last?.kind === 'crashed' && last.component === undefined) {
      last.component = event.component;
      return true;
    }
    if (event.kind === 'repaired') return true;
    if (telling.isAway || atMs - downAtMs < RETURN_MISSED_MS) return false;
    counts.gaps++;
  }
  const act = ('act' in event ? event.act : undefined) ?? telling.feared;
  endings.push({atMs, kind: event.kind, component: componentOf(event), act});
  telling.feared = undefined;
  // A reboot is over by itself, and a repair of a host that runs does not take it down.
  const isUp = event.kind === 'rebooted' || event.kind === 'repaired';
  telling.downAtMs = isUp ? undefined : atMs;
  telling.isAway = event.kind === 'taken-away';
  return true;
}
