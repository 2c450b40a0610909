import type {HostEvent, VmEvent} from '../../statecharts/events.ts';
import {type Decision, type DecisionTrial, decisionKey} from '../domain/decision.ts';
import type {CellView, HostView, VmView} from '../domain/fleet.ts';
import {plan} from '../domain/planner.ts';
import type {Proposal} from '../domain/proposal.ts';
import {
  countMove,
  createLedger,
  forbids,
  type Guard,
  groundOf,
  type Ledger,
  suspectGrounds,
} from '../domain/safety.ts';
import {vmName} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import {learnedHere} from './cell-learning.ts';
import {isRestrained} from './cell-restraint.ts';
import {drawTrial, followTrials, isNewDraw, noteDraw} from './cell-trial.ts';
import {cellViews, troubledCells} from './fleet-view.ts';
import {modelOf} from './model-switch.ts';
import type {PartitionState} from './partition-state.ts';
import {send, type TickDraft} from './tick-draft.ts';
import {spreadRisk} from './tick-spread.ts';

/** An unchanged decision is recorded again after this long. */
const REPEAT_MS = 300_000;
/** An action gets this many times its expected length, and at least this long. */
const DEADLINE_FACTOR = 3;
const DEADLINE_MIN_MS = 60_000;

/** Plans every cell of the partition and lets the actors hear what was chosen. */
export function planTick(draft: TickDraft): void {
  const {state} = draft;
  spreadRisk(draft);
  if (takePlanningTurn(state)) {
    for (const cell of cellViews(state, troubledCells(state))) planCell(draft, cell);
  }
  followTrials(draft);
}

/** Risks change by the second; planning more often would only repeat itself. */
const PLAN_EVERY_MS = 1000;

/** Whether this tick plans; if so, the next ones do not for a while. */
export function takePlanningTurn(state: PartitionState): boolean {
  if (state.timeMs - state.plannedAtMs < PLAN_EVERY_MS) return false;
  state.plannedAtMs = state.timeMs;
  return true;
}

function planCell(draft: TickDraft, cell: CellView): void {
  const proposals = plan(cell, draft.state.policy);
  if (proposals.length > 0) follow(draft, cell, proposals);
  endEvacuations(draft, cell);
}

/** Lets through what the kernel does not forbid. */
function follow(draft: TickDraft, cell: CellView, proposals: readonly Proposal[]): void {
  const {state} = draft;
  const hosts = new Map(cell.hosts.map(host => [host.name, host]));
  const vms = new Map(cell.vms.map(vm => [vm.name, vm]));
  const vmOf = ({entity}: Proposal) => vms.get(vmName(entity) ?? '');
  const suspect = suspectGrounds(cell, state.policy);
  const ledger = ledgerOf(draft, cell);
  for (const proposal of proposals) {
    const [host, vm] = [hosts.get(proposal.host), vmOf(proposal)];
    const forbidden =
      proposal.action === 'none'
        ? undefined
        : forbids({
            proposal,
            cell,
            host,
            target: hosts.get(proposal.targetHost),
            vm,
            control: state.control,
            policy: state.policy,
            ledger,
            breaker: suspect.has(groundOf(proposal)),
            restrained: isRestrained(state, cell.cell, proposal.host),
          });
    const trial = forbidden === undefined ? drawTrial(state, proposal, cell, host, vm) : undefined;
    const guard = trial?.heldBack ? 'hold-back' : forbidden;
    const acts = proposal.action !== 'none' && guard === undefined;
    const accepted = !acts || carryOn(draft, proposal, vm);
    record(draft, proposal, accepted ? guard : 'actor', host, trial);
    if (!acts || !accepted) continue;
    if (proposal.action === 'migrate' || proposal.action === 'arm-ghost') {
      countMove(ledger, proposal.host, proposal.targetHost);
    }
    if (proposal.action === 'migrate') ledger.movesLastHour++;
  }
}

/** What is under way counts against the budgets; a move of the hour counts from its start. */
function ledgerOf({state}: TickDraft, cell: CellView): Ledger {
  const ledger = createLedger(cell.movesLastHour);
  for (const effect of state.running.values()) {
    if (effect.kind !== 'start-migration' && effect.kind !== 'arm-ghost') continue;
    if (state.vms.get(effect.vm)?.cell !== cell.cell) continue;
    countMove(ledger, effect.host, effect.targetHost);
    if (effect.kind === 'start-migration') ledger.movesLastHour++;
  }
  return ledger;
}

/** Tells the actor; false if it holds back (it rests after failures, or waits for an outcome). */
function carryOn(draft: TickDraft, proposal: Proposal, vm: VmView | undefined): boolean {
  const atMs = draft.state.timeMs;
  const deadlineMs =
    atMs + Math.max(DEADLINE_MIN_MS, Math.ceil(DEADLINE_FACTOR * proposal.finishesInMs));
  const event = eventFor(proposal, atMs, deadlineMs, vm);
  if (event === undefined || !send(draft, proposal.entity, event)) return false;
  if (proposal.action === 'migrate') startEvacuation(draft, proposal);
  return true;
}

function eventFor(
  proposal: Proposal,
  atMs: number,
  deadlineMs: number,
  vm: VmView | undefined,
): HostEvent | VmEvent | undefined {
  const {host, targetHost} = proposal;
  switch (proposal.action) {
    case 'cordon':
      return {type: 'cordon.chosen', atMs};
    case 'uncordon':
      return {type: 'uncordon.chosen', atMs};
    case 'fence':
      return {type: 'fence.chosen', atMs};
    case 'migrate':
      return {type: 'migration.chosen', atMs, host, targetHost, deadlineMs};
    case 'arm-ghost':
      return {type: 'ghost.chosen', atMs, host, targetHost, deadlineMs};
    case 'retire-ghost':
      return {type: 'retire-ghost.chosen', atMs};
    case 'restart':
      return {type: 'restart.chosen', atMs, targetHost, deadlineMs};
    case 'fail-back':
      return {type: 'fail-back.chosen', atMs, host: vm?.homeHost ?? targetHost, deadlineMs};
    case 'activate-ghost': // the VM's actor does it by itself when its host is proven lost
    case 'none':
      return undefined;
  }
}

function startEvacuation(draft: TickDraft, proposal: Proposal): void {
  const count = draft.state.actors.vmsOn(proposal.host);
  send(draft, `hosts/${proposal.host}`, {
    type: 'evacuation.started',
    atMs: draft.state.timeMs,
    count,
  });
}

/** A host whose last migration has ended is no longer migrating. */
function endEvacuations(draft: TickDraft, cell: CellView): void {
  for (const host of cell.hosts) {
    if (host.top !== 'migrating') continue;
    const moving = cell.vms.some(vm => vm.host === host.name && vm.top === 'migrating');
    const started = [...draft.state.running.values()].some(
      effect => effect.kind === 'start-migration' && effect.host === host.name,
    );
    if (moving || started) continue;
    send(draft, `hosts/${host.name}`, {
      type: 'evacuation.ended',
      atMs: draft.state.timeMs,
      count: draft.state.actors.vmsOn(host.name),
    });
  }
}

function record(
  draft: TickDraft,
  proposal: Proposal,
  guard: Guard | undefined,
  host: HostView | undefined,
  trial: DecisionTrial | undefined,
): void {
  const {state} = draft;
  const outcome = outcomeOf(proposal, guard);
  const key = decisionKey({...proposal, outcome, blockedBy: guard ?? ''});
  const last = state.decided.get(proposal.entity);
  const repeated = last?.key === key && state.timeMs - last.atMs < REPEAT_MS;
  if (repeated && outcome !== 'acted' && !isNewDraw(state, proposal, trial)) return;
  state.decided.set(proposal.entity, {key, atMs: state.timeMs});
  const {epoch, tickNumber, partition} = state;
  const decision: Decision = {
    id: `${partition}/${epoch}/${tickNumber + 1}/d${draft.decisions.length}`,
    atMs: state.timeMs,
    entity: proposal.entity,
    host: proposal.host,
    risk: Number.isNaN(proposal.risk) ? (host?.risk ?? Number.NaN) : proposal.risk,
    component: proposal.component || (host?.component ?? ''),
    action: proposal.action,
    targetHost: proposal.targetHost,
    because: becauseOf(proposal, trial),
    outcome,
    blockedBy: guard ?? '',
    alternatives: proposal.alternatives,
    modelHash: modelOf(state, proposal.host).hash,
    policyVersion: state.control.policyVersion,
    learned: learnedHere(state, proposal.host),
    expectedInSeconds:
      proposal.expectedInMs === undefined ? undefined : Math.round(proposal.expectedInMs / 1000),
    ...(trial === undefined ? {} : {trial}),
  };
  noteDraw(state, decision);
  draft.decisions.push(decision);
  publish('decision.made', {action: decision.action, outcome, blockedBy: decision.blockedBy});
}

function becauseOf({because}: Proposal, trial: DecisionTrial | undefined): string {
  if (!trial?.heldBack) return because;
  return `held back for the trial, chance ${Number((1 - trial.propensity).toFixed(3))}: ${because}`;
}

/** Guards under which it is said what would be done, for people to do it. */
const ADVISED: ReadonlySet<Guard> = new Set(['mode', 'observe-only', 'skill']);

function outcomeOf(proposal: Proposal, guard: Guard | undefined): Decision['outcome'] {
  if (proposal.action === 'none') return 'no-action';
  if (guard === undefined) return 'acted';
  return ADVISED.has(guard) ? 'would-act' : 'blocked';
}
