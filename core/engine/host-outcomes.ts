/**
 * What became of a host: decided here, once, as the tick comes upon it, and told to all who keep it:
 * its cell's layer (cell-layer.ts), the proof of prediction (skill-fold.ts), and those who tend models.
 *
 * O1 A host whose shutdown was announced, or whose agent took a reboot for likely, was rebooted on
 *    purpose; what an operator does to a host that runs is no failure either.
 * O2 How a host that started anew while nobody looked had gone down, it says itself: that counts
 *    before what its agent took for likely, not before what was announced, as a reset is no clean
 *    shutdown. It is waited for, a few minutes. A host that was fenced is not asked: what it says is of
 *    the fence.
 * O3 People know best which part has failed: their word makes a failure of what had been taken for a
 *    reboot, or was taken away, while the host is down. What they say of a host that is back is of its last
 *    failure, if that had one: who brings a host back with a new part may have feared for the old one.
 * O4 All are told the same in one order; of a host that nobody forecast there is nothing to prove.
 */
import {COMPONENTS, type Component} from '../domain/components.ts';
import type {HostOutcome} from '../domain/observed.ts';
import {standing} from '../domain/skill/alert-book.ts';
import {isAway} from '../domain/skill/host-life.ts';
import type {Outcome} from '../domain/skill/skill-events.ts';
import {takeOutcome} from '../domain/skill/skill-fold.ts';
import {learnCause, learnOutage, learnReturn} from './cell-learning.ts';
import {bandRow, type HostEntry, type PartitionState} from './partition-state.ts';
import type {RunningEffect} from './running-effects.ts';
import {lastUnclean, rebootWord, riskiestComponent} from './set-table.ts';
import type {TickDraft} from './tick-draft.ts';

/** A host that started anew while nobody looked, and has not said yet how it had gone down. */
export type UnexplainedBoot = {
  /** When the boot was first heard of, by its edge's clock, and at which tick. */
  bootAtMs: number;
  noticedAtMs: number;
  /** Whether its agent had taken a reboot on purpose for likely. */
  likely: boolean;
};

/** The last time that a host was down, of which people may still say what failed. */
export type LastOutage = {
  atMs: number;
  /** Tick time when its cell learned of it. */
  noticedAtMs: number;
  kind: 'lost' | 'crashed' | 'rebooted' | 'taken-away';
  /** The part that failed; empty: not known. */
  component: Component | '';
};

/** Records of boots are read within seconds of a start, by a tool within minutes. */
const BOOT_WORD_MS = 300_000;

/**
 * It is proven gone.
 *
 * @param part That has failed, as people say; empty: nobody has said so.
 */
export function hostLost(
  draft: TickDraft,
  host: HostEntry,
  proof: 'fence' | 'operator' | 'lease',
  part: Component | '' = '',
): void {
  const {state} = draft;
  const unexplained = state.unexplained.get(host.name);
  if (unexplained !== undefined) explain(draft, host, unexplained, unexplained.likely);
  const isHeard = state.timeMs - host.heardAtMs <= state.policy.silence.staleAfterMs;
  if (proof === 'operator' && isHeard && part === '') {
    learnOutage(state, host, 'planned', state.timeMs);
    note(draft, host, 'taken-away', state.timeMs);
    return;
  }
  const isPlanned = part === '' && lastWord(state, host) !== 'none';
  learnOutage(state, host, isPlanned ? 'planned' : part || 'unknown', state.timeMs);
  note(draft, host, 'lost', host.heardAtMs, part);
  // Known as a loss first, so that it stays away until it returns.
  if (isPlanned) note(draft, host, 'rebooted', host.heardAtMs);
}

/**
 * People name the part that has failed: of a host that is lost, or, as it returns or later, of the failure
 * that it came back from. Without one, nothing is told.
 */
export function hostBlamed(
  draft: TickDraft,
  host: HostEntry,
  said: 'lost' | 'returned',
  part: Component,
): void {
  const {state} = draft;
  const unexplained = state.unexplained.get(host.name);
  if (unexplained !== undefined) explain(draft, host, unexplained, false);
  const {outage} = host;
  const isDown = state.actors.hostContext(host.name)?.lost === true;
  if (outage === undefined || outage.component === part) return;
  const hadFailed = outage.kind === 'lost' || outage.kind === 'crashed';
  if (!hadFailed && said === 'returned') return;
  learnCause(
    state,
    host,
    outage.noticedAtMs,
    part,
    hadFailed ? outage.component || 'unknown' : 'planned',
  );
  // Of one that runs again nobody is told that it is down.
  note(draft, host, isDown ? 'lost' : 'crashed', outage.atMs, part, outage.noticedAtMs);
}

/** A host that was gone is back. */
export function hostReturned(draft: TickDraft, host: HostEntry): void {
  const {timeMs} = draft.state;
  learnReturn(draft.state, host, timeMs - (host.lostAtMs ?? Number.NaN));
  note(draft, host, 'returned', timeMs);
}

/** It runs in another boot, and nobody had noticed that it was down. */
export function hostRestarted(draft: TickDraft, host: HostEntry): void {
  const {state} = draft;
  const earlier = state.unexplained.get(host.name);
  if (earlier !== undefined) explain(draft, host, earlier, earlier.likely);
  const word = lastWord(state, host);
  const {bootAtMs} = host;
  const boot = {bootAtMs, noticedAtMs: state.timeMs, likely: word !== 'none'};
  const canSay = (bandRow(state, host)?.table.rebootColumns.at(-1) ?? -1) >= 0;
  if (word === 'announced' || !canSay) explain(draft, host, boot, boot.likely);
  else state.unexplained.set(host.name, boot);
}

/** After the samples of a tick that took input: what hosts say of how they had gone down. */
export function explainBoots(draft: TickDraft): void {
  const {state} = draft;
  for (const [name, boot] of [...state.unexplained]) {
    const host = state.hosts.get(name);
    const found = host && bandRow(state, host);
    if (host === undefined || found === undefined) continue;
    const unclean = lastUnclean(found.table, found.row, boot.bootAtMs);
    if (!Number.isNaN(unclean)) explain(draft, host, boot, unclean < 0.5);
    else if (state.timeMs - boot.noticedAtMs >= BOOT_WORD_MS) {
      explain(draft, host, boot, boot.likely);
    }
  }
}

function explain(
  draft: TickDraft,
  host: HostEntry,
  {bootAtMs, noticedAtMs}: UnexplainedBoot,
  wasMeant: boolean,
): void {
  draft.state.unexplained.delete(host.name);
  learnOutage(draft.state, host, wasMeant ? 'planned' : 'unknown', noticedAtMs);
  learnReturn(draft.state, host, Number.NaN);
  note(draft, host, wasMeant ? 'rebooted' : 'crashed', bootAtMs, '', noticedAtMs);
}

/** It has been silent for too long: nothing is known of it until it is heard again. */
export function hostHidden(draft: TickDraft, host: HostEntry): void {
  if (!isHidden(draft.state, host)) note(draft, host, 'unwatched', host.heardAtMs);
}

export function hostSeen(draft: TickDraft, host: HostEntry): void {
  if (isHidden(draft.state, host)) note(draft, host, 'returned', draft.state.timeMs);
}

/** An act ahead of a failure was done; {@link noteAct} knows of it already. */
export function hostEvacuated(draft: TickDraft, {id, vm, host: name, issuedAtMs}: RunningEffect) {
  const {state} = draft;
  const host = state.hosts.get(name);
  if (host === undefined) return;
  const {alerts, acts} = state.skills.get(host.cell) ?? {};
  const alert =
    alerts &&
    (standing(alerts, name) ??
      [...alerts.settled, ...alerts.open].findLast(
        each => each.host === name && each.raisedAtMs <= issuedAtMs,
      ));
  const act = acts?.open.findLast(each => each.id === id && each.vm === vm);
  draft.outcomes.push({
    ...named(state, host),
    atMs: state.timeMs,
    kind: 'evacuated',
    ...fear(state, host, alert),
    propensity: act?.propensity ?? 1,
  });
}

/** What was feared when it came into the band; without that, what is now. */
function fear(
  state: PartitionState,
  host: HostEntry,
  alert: {risk: number; component: string} | undefined,
): {risk: number; component: Component | ''} {
  const found = bandRow(state, host);
  const component =
    alert?.component ?? (found === undefined ? '' : riskiestComponent(found.table, found.row));
  const risk = alert?.risk ?? found?.table.bands.risk[found.row] ?? Number.NaN;
  return {risk, component: COMPONENTS.find(each => each === component) ?? ''};
}

function note(
  draft: TickDraft,
  host: HostEntry,
  kind: Outcome['kind'],
  happenedAtMs: number,
  component: Component | '' = '',
  noticedAtMs = draft.state.timeMs,
): void {
  const {state} = draft;
  const atMs = Math.min(happenedAtMs, state.timeMs);
  if (kind !== 'unwatched' && kind !== 'returned') {
    host.outage = {atMs, noticedAtMs, kind, component};
  }
  draft.outcomes.push({...named(state, host), atMs, kind, component});
  const skill = state.skills.get(host.cell);
  if (skill?.hosts.has(host.name)) {
    takeOutcome(skill, {host: host.name, atMs, kind, component});
  }
}

function named(
  {partition, timeMs}: PartitionState,
  {name, cell}: HostEntry,
): Pick<HostOutcome, 'partition' | 'host' | 'cell' | 'recordedAtMs'> {
  return {partition, host: name, cell, recordedAtMs: timeMs};
}

function isHidden({skills}: PartitionState, {cell, name}: HostEntry): boolean {
  const skill = skills.get(cell);
  const life = skill?.lives[skill.hosts.get(name) ?? -1];
  return life !== undefined && isAway(life);
}

/** What its agent said last before it went: a shutdown was scheduled, or a reboot likely enough. */
function lastWord(state: PartitionState, host: HostEntry): 'announced' | 'likely' | 'none' {
  const found = bandRow(state, host);
  if (found === undefined || found.table.rebootColumns.length === 0) return 'none';
  const {within, dueInMs} = rebootWord(found.table, found.row, state.timeMs);
  if (Number.isFinite(dueInMs)) return 'announced';
  return (within.at(-1) ?? 0) >= state.policy.reboot.threshold ? 'likely' : 'none';
}
