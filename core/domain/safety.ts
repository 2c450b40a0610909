/**
 * The safety kernel: between plan and executor, nothing goes round it. It answers why a proposal
 * may not be carried out now, or nothing. What must still hold right before the side effect is asked
 * again there (the executor's preconditions).
 */
import type {ActionKind} from './decision.ts';
import type {CellView, HostView, VmView} from './fleet.ts';
import type {Policy} from './policy.ts';
import type {Proposal} from './proposal.ts';
import type {Control} from './records.ts';
import {REBOOT} from './risk.ts';

/** Low-cardinality: it is a metric tag. */
export const guards = [
  'paused',
  'mode',
  'observe-only',
  'frozen',
  'stale',
  'breaker',
  /** In this cell the model was shown to be of no help: it advises, and does not act. */
  'skill',
  'dwell',
  'cooldown',
  'budget-host',
  'budget-cell',
  'budget-hour',
  /** The actor itself holds back: it rests after failures, or waits for an outcome. */
  'actor',
  /** Drawn for the trial: it is left where it is, to see what acting does. */
  'hold-back',
] as const;

export type Guard = (typeof guards)[number];

/** Moves and ghosts under way; the kernel adds what it lets through. */
export type Ledger = {
  perHost: Map<string, number>;
  inCell: number;
  movesLastHour: number;
};

export function createLedger(movesLastHour: number): Ledger {
  return {perHost: new Map(), inCell: 0, movesLastHour};
}

/** Counts a move or ghost between two hosts as under way. */
export function countMove(ledger: Ledger, from: string, to: string): void {
  ledger.inCell++;
  for (const host of [from, to]) ledger.perHost.set(host, (ledger.perHost.get(host) ?? 0) + 1);
}

/** Acts that rest on what was forecast; all others heal, ask for proof, or undo these. */
const AHEAD: readonly ActionKind[] = ['cordon', 'migrate', 'arm-ghost'];

const MOVES: readonly ActionKind[] = ['migrate', 'arm-ghost'];

/** What a proposal rests on: that a host is silent, that a part of it fails, or that it is rebooted. */
const GROUNDS = ['silence', 'failure', 'reboot'] as const;
type Ground = (typeof GROUNDS)[number];

export function groundOf({action, component}: Pick<Proposal, 'action' | 'component'>): Ground {
  if (action === 'fence') return 'silence';
  return component === REBOOT ? 'reboot' : 'failure';
}

/** The grounds on which nothing may be done in this cell now ({@link isSuspect}). */
export function suspectGrounds(cell: CellView, policy: Policy): ReadonlySet<Ground> {
  return new Set(GROUNDS.filter(ground => isSuspect(cell, policy, ground)));
}

/**
 * Whether so large a share of the cell is at risk or silent at once that the model, or our own
 * network, is the likelier culprit. Blocks harm, never healing. To ask for proof of what a silent
 * host is doing rests on its silence alone: only mass silence holds a fence back. Reboots are
 * counted by themselves, as another model says them and many at once are usual; one that people
 * have scheduled is no guess, and not counted.
 */
function isSuspect(cell: CellView, policy: Policy, ground: Ground): boolean {
  const watched = cell.hosts.filter(host => !host.observeOnly && !host.lost);
  const isTroubled = (host: HostView) =>
    host.suspected ||
    (host.atRisk &&
      groundOf({action: 'none', component: host.component}) === ground &&
      !(ground === 'reboot' && host.announced));
  const troubled = watched.filter(isTroubled).length;
  const {hostsAtRiskMin, hostsAtRiskRatio} = policy.breaker;
  return troubled >= hostsAtRiskMin && troubled > hostsAtRiskRatio * watched.length;
}

export type GuardInput = {
  proposal: Proposal;
  cell: CellView;
  host: HostView | undefined;
  target: HostView | undefined;
  vm: VmView | undefined;
  control: Control;
  policy: Policy;
  ledger: Ledger;
  breaker: boolean;
  /** The host's model does not help in this cell. */
  restrained: boolean;
};

/** The first guard that forbids the proposal, or undefined. Order: cheap and final ones first. */
export function forbids(input: GuardInput): Guard | undefined {
  const {proposal, control, host, target, breaker, restrained} = input;
  if (host?.observeOnly || target?.observeOnly) return 'observe-only';
  if (control.mode !== 'auto') return 'mode';
  if (control.paused) return 'paused';
  if (target?.frozen || (host?.frozen && proposal.action !== 'restart')) return 'frozen';
  if (proposal.healing) return undefined;
  if (breaker) return 'breaker';
  if (restrained && isAhead(proposal, host)) return 'skill';
  if (staleFor(input)) return 'stale';
  return forbidsMove(input);
}

/** Whether it rests on a forecast: silence is none, and a reboot that people have scheduled neither. */
export function isAhead(
  proposal: Pick<Proposal, 'action' | 'component'>,
  host: HostView | undefined,
): boolean {
  if (!AHEAD.includes(proposal.action)) return false;
  return !(groundOf(proposal) === 'reboot' && host?.announced === true);
}

/** Nothing is done on stale knowledge, except to ask for proof. */
function staleFor({proposal, host, policy}: GuardInput): boolean {
  if (proposal.action === 'fence' || host === undefined) return false;
  return Math.max(host.silentForMs, host.lagMs) > policy.silence.staleAfterMs;
}

function forbidsMove({proposal, cell, host, vm, policy, ledger}: GuardInput): Guard | undefined {
  const failedAtMs = vm === undefined ? (host?.failedAtMs ?? 0) : vm.failedAtMs;
  if (failedAtMs > 0 && cell.nowMs - failedAtMs < policy.cooldownMs) return 'cooldown';
  if (!MOVES.includes(proposal.action)) return undefined;
  if (vm !== undefined && vm.movedAtMs > 0 && cell.nowMs - vm.movedAtMs < policy.dwellMs) {
    return 'dwell';
  }
  const {concurrentPerHost, concurrentPerCell, movesPerHourPerCell} = policy.budgets;
  for (const name of [proposal.host, proposal.targetHost]) {
    if ((ledger.perHost.get(name) ?? 0) >= concurrentPerHost) return 'budget-host';
  }
  if (ledger.inCell >= concurrentPerCell) return 'budget-cell';
  return ledger.movesLastHour >= movesPerHourPerCell ? 'budget-hour' : undefined;
}
