import type {Component} from '../../core/domain/components.ts';
import type {HostOutcome} from '../../core/domain/observed.ts';
import type {HostEvent} from '../learning/event-ledger.ts';

/**
 * What partitions told of hosts as a ledger that labels are read from: one entry or two an outcome,
 * in the order in which they were told. What was a loss and turns out to have been wanted is a
 * reboot. A host that was lost sight of is unobserved until something else is told of it, or for
 * good. An evacuation that names no part, or no risk or propensity that can be, tells nothing.
 *
 * @param outcomes In the order in which they were told; of several partitions in any.
 */
export function toHostEvents(outcomes: readonly HostOutcome[]): HostEvent[] {
  const events: HostEvent[] = [];
  const lives = new Map<string, Life>();
  for (const outcome of outcomes) {
    let life = lives.get(outcome.host);
    if (life === undefined) {
      life = {hiddenAt: undefined, lossAt: undefined, endAt: undefined, isDown: false};
      lives.set(outcome.host, life);
    }
    tell(events, life, outcome);
  }
  return events;
}

/** A host between two outcomes; places are those of its entries in the ledger. */
type Life = {
  /** Of the entry that nobody watches it. */
  hiddenAt: number | undefined;
  /** Of its last loss. */
  lossAt: number | undefined;
  /** Of how it went down last, whatever it was. */
  endAt: number | undefined;
  isDown: boolean;
};

function tell(events: HostEvent[], life: Life, outcome: HostOutcome): void {
  const {host, atMs, recordedAtMs} = outcome;
  const times = {host, atMs, recordedAtMs};
  if (life.hiddenAt !== undefined && outcome.kind !== 'unwatched') {
    const hidden = events[life.hiddenAt] as HostEvent;
    events[life.hiddenAt] = {...hidden, kind: 'unobserved', untilMs: Math.max(hidden.atMs, atMs)};
    life.hiddenAt = undefined;
  }
  switch (outcome.kind) {
    case 'lost':
    case 'crashed':
      if (isNamedLate(events, life, outcome)) {
        // A reboot is over by itself; this was none.
        if (events[life.endAt as number]?.kind === 'rebooted')
          life.isDown = outcome.kind === 'lost';
        events[life.endAt as number] = {...times, ...failure(outcome.component)};
        return;
      }
      life.lossAt = events.push({...times, ...failure(outcome.component)}) - 1;
      life.endAt = life.lossAt;
      life.isDown = outcome.kind === 'lost';
      // Nobody tells that it returned: it ran already when the crash became known.
      if (!life.isDown) events.push({...times, kind: 'returned', atMs: recordedAtMs});
      return;
    case 'rebooted':
      tellReboot(events, life, times);
      return;
    case 'taken-away':
      life.endAt = events.push({...times, kind: 'taken-away'}) - 1;
      life.isDown = true;
      return;
    case 'unwatched':
      if (life.hiddenAt !== undefined || life.isDown) return;
      life.hiddenAt =
        events.push({...times, kind: 'unobserved', untilMs: Number.POSITIVE_INFINITY}) - 1;
      return;
    case 'returned':
      if (life.isDown) events.push({...times, kind: 'returned'});
      life.isDown = false;
      return;
    case 'evacuated': {
      const {component, risk, propensity} = outcome;
      const isAct = risk >= 0 && risk <= 1 && propensity > 0 && propensity <= 1;
      if (component === '' || !isAct) return;
      events.push({...times, kind: 'evacuated', act: {component, risk, propensity}});
    }
  }
}

/**
 * People name the part of what is told already, as something else or as over: it is not told twice. Of a
 * loss that lasts the ledger takes both, as it was not known before.
 */
function isNamedLate(
  events: readonly HostEvent[],
  {endAt = -1, isDown}: Life,
  {atMs, component}: HostOutcome,
): boolean {
  const end = events[endAt];
  if (end?.atMs !== atMs || component === '') return false;
  return !isDown || end.kind === 'taken-away' || end.kind === 'rebooted';
}

/** The part is told when the host is lost, or later by people. */
function failure(
  component: Component | '',
): {kind: 'failed'; component: Component} | {kind: 'crashed'} {
  return component === '' ? {kind: 'crashed'} : {kind: 'failed', component};
}

type Times = {readonly host: string; readonly atMs: number; readonly recordedAtMs: number};

function tellReboot(events: HostEvent[], life: Life, times: Times): void {
  const loss = life.lossAt === undefined ? undefined : events[life.lossAt];
  if (life.isDown && loss !== undefined && loss.atMs === times.atMs) {
    // Told as a loss first, so that the host stays away until it returns; a reboot is over by itself.
    events[life.lossAt as number] = {...times, kind: 'rebooted'};
    life.isDown = false;
    return;
  }
  life.endAt = events.push({...times, kind: 'rebooted'}) - 1;
}
