/**
 * The trial of acting, as the tick comes upon it (skill/trial-book.ts): who is drawn, and what is seen
 * of those that were.
 *
 * What is drawn is in the journal with its decision, and a replay takes it from there: another share,
 * or another way to draw, must not rewrite who was held back.
 */
import type {Decision, DecisionTrial} from '../domain/decision.ts';
import type {CellView, HostView, VmView} from '../domain/fleet.ts';
import type {Proposal} from '../domain/proposal.ts';
import {isAhead} from '../domain/safety.ts';
import {drawHoldBack} from '../domain/skill/hold-back.ts';
import {followVm, knownDraw, takeDraw} from '../domain/skill/trial-book.ts';
import {vmName} from '../domain/telemetry.ts';
import type {PartitionState} from './partition-state.ts';
import type {TickDraft} from './tick-draft.ts';

/**
 * What is drawn for a VM that would be acted upon now: the same until its host leaves the band.
 * Undefined: it has no part in the trial.
 */
export function drawTrial(
  {skills, hosts, policy}: PartitionState,
  proposal: Proposal,
  {cell}: CellView,
  host: HostView | undefined,
  vm: VmView | undefined,
): DecisionTrial | undefined {
  const trial = skills.get(cell)?.trial;
  const episodeAtMs = hosts.get(proposal.host)?.raisedAtMs;
  if (vm === undefined || trial === undefined || episodeAtMs === undefined) return undefined;
  if (proposal.healing || !isAhead(proposal, host)) return undefined;
  const known = knownDraw(trial, {vm: vm.name, host: proposal.host, episodeAtMs});
  const drawn =
    known ??
    drawHoldBack(
      policy.holdBack,
      {name: vm.name, criticality: vm.declaredCriticality},
      `${proposal.host}/${episodeAtMs}`,
    );
  if (drawn === undefined) return undefined;
  return {heldBack: drawn.heldBack, propensity: drawn.propensity, episodeAtMs};
}

/** Whether this is the first decision that says what was drawn. */
export function isNewDraw(
  state: PartitionState,
  {entity, host}: Pick<Decision, 'entity' | 'host'>,
  trial: DecisionTrial | undefined,
): boolean {
  const book = bookOf(state, host);
  if (trial === undefined || book === undefined) return false;
  const vm = vmName(entity) ?? '';
  return knownDraw(book, {vm, host, episodeAtMs: trial.episodeAtMs}) === undefined;
}

/** Those that a decision speaks of have a part in the trial from now on. */
export function noteDraw(state: PartitionState, decision: Decision): void {
  const {trial, entity, host, modelHash} = decision;
  const book = bookOf(state, host);
  if (trial === undefined || book === undefined) return;
  takeDraw(book, {...trial, vm: vmName(entity) ?? '', host, drawnAtMs: state.timeMs, modelHash});
}

/** In these a VM serves nobody. */
const DOWN: readonly string[] = [
  'recovering.awaiting-restart',
  'recovering.restarting',
  'ghost-active.activating',
];

/** Last in a tick: VMs in the trial that went down in it, or run again. */
export function followTrials({state, transitions}: TickDraft): void {
  const {skills, vms, hosts, timeMs} = state;
  if ([...skills.values()].every(({trial}) => trial.open.length === 0)) return;
  for (const {actor, to} of transitions) {
    const vm = vms.get(vmName(actor) ?? '');
    const trial = skills.get(vm?.cell ?? '')?.trial;
    const entry = trial?.open.findLast(each => each.vm === vm?.name);
    if (trial === undefined || entry === undefined) continue;
    const isDown = DOWN.includes(to);
    // It went with its host, which was heard last some time before that was proven.
    const heardAtMs = hosts.get(entry.on)?.heardAtMs ?? timeMs;
    followVm(trial, entry.vm, isDown, isDown ? Math.min(heardAtMs, timeMs) : timeMs);
  }
}

function bookOf({skills, hosts}: PartitionState, host: string) {
  return skills.get(hosts.get(host)?.cell ?? '')?.trial;
}
