/**
 * Planning chooses; execution obeys. A pure function from one cell at one tick to proposals, in the
 * order in which they may use the budgets: healing first, then hosts, then VMs by criticality.
 */
import {interruptionCost, vmWeight} from './cost.ts';
import type {ActionKind, Alternative} from './decision.ts';
import type {CellView, HostView, VmView} from './fleet.ts';
import {Capacity, type PlacementHost} from './placement.ts';
import {planRiskyVm} from './planner-vm.ts';
import type {Policy} from './policy.ts';
import {
  canBeDone,
  expectationOf,
  fixed,
  type Proposal,
  percent,
  placementVm,
  seconds,
  vmProposal,
} from './proposal.ts';

/** States of a VM in which it waits for nothing and nobody. */
const OPEN_TO_PLANS: readonly string[] = ['at-risk.observing', 'at-risk.protected'];

/** Everything worth deciding in a cell now. Empty in a quiet cell. O(hosts + vms) then. */
export function plan(cell: CellView, policy: Policy): Proposal[] {
  if (!needsPlan(cell)) return [];
  const capacity = occupiedCapacity(cell, policy);
  const hosts = new Map(cell.hosts.map(host => [host.name, host]));
  const proposals: Proposal[] = [];
  for (const vm of byUrgency(cell.vms.filter(needsHealing))) {
    const healing = planHealing(vm, hosts, capacity, policy);
    if (healing !== undefined) proposals.push(healing);
  }
  for (const host of cell.hosts) {
    const proposal = planHost(host, cell, policy);
    if (proposal !== undefined) proposals.push(proposal);
  }
  for (const vm of byUrgency(cell.vms.filter(isOpenToPlans))) {
    const host = hosts.get(vm.host);
    if (host === undefined || !host.atRisk || host.lost) continue;
    proposals.push(planRiskyVm({vm, host, hosts, capacity, policy}));
  }
  return proposals;
}

function needsPlan(cell: CellView): boolean {
  return (
    cell.hosts.some(host => host.atRisk || host.cordoned || host.suspected || host.lost) ||
    cell.vms.some(vm => vm.top !== 'normal' || vm.ghostHost !== '')
  );
}

/** High criticality first, then by name: a total order, so that plans repeat. */
function byUrgency(vms: readonly VmView[]): VmView[] {
  return [...vms].sort((a, b) => b.criticality - a.criticality || (a.name < b.name ? -1 : 1));
}

function placementHost(host: HostView, onlyObserved: boolean): PlacementHost {
  return {
    name: host.name,
    rack: host.rack,
    cpuCores: host.cpuCores,
    memoryBytes: host.memoryBytes,
    closedBecause: closedBecause(host, onlyObserved),
    avoidedBecause: avoidedBecause(host),
    risk: host.risk,
  };
}

/** @param onlyObserved Nothing can be done in the whole cell: then a plan says what would be. */
function closedBecause(host: HostView, onlyObserved = false): string {
  if (host.lost) return 'lost';
  if (host.suspected) return 'silent';
  if (host.observeOnly && !onlyObserved) return 'only observed';
  return host.frozen ? 'not answering this epoch' : '';
}

function avoidedBecause(host: HostView): string {
  if (host.cordoned) return 'cordoned';
  return host.atRisk ? 'at risk' : '';
}

function occupiedCapacity(cell: CellView, policy: Policy): Capacity {
  const {ghostMemoryRatio} = policy.budgets;
  const onlyObserved = cell.hosts.every(host => host.observeOnly);
  const capacity = new Capacity(
    cell.hosts.map(host => placementHost(host, onlyObserved)),
    policy.target,
    ghostMemoryRatio,
  );
  for (const vm of cell.vms) {
    const taken = placementVm(vm);
    capacity.occupy(vm.host, taken);
    if (vm.ghostHost !== '' && vm.ghostHost !== vm.host) {
      capacity.occupy(vm.ghostHost, taken, 'ghost');
    }
    if (vm.targetHost !== '' && vm.targetHost !== vm.host && vm.targetHost !== vm.ghostHost) {
      capacity.occupy(vm.targetHost, taken);
    }
  }
  return capacity;
}

function planHost(host: HostView, cell: CellView, policy: Policy): Proposal | undefined {
  if (host.busy) return undefined;
  if (host.suspected && !host.lost) return planFence(host, policy);
  if (host.lost || host.suspected) return undefined;
  if (host.path === 'at-risk.watching' && !host.cordoned) return planCordon(host, cell, policy);
  if (host.cordoned && !host.atRisk && host.top === 'normal') {
    return planUncordon(host, cell, policy);
  }
  return undefined;
}

/** Silence is no proof of death: ask the power controller for one. */
function planFence(host: HostView, policy: Policy): Proposal | undefined {
  const {fenceAfterMs, fenceAtRiskAfterMs} = policy.silence;
  const patienceMs = host.atRisk ? fenceAtRiskAfterMs : fenceAfterMs;
  if (host.silentForMs < patienceMs || !canBeDone(host, 'fence-host')) return undefined;
  const announced = host.atRisk ? `, and was at risk (${percent(host.risk)})` : '';
  return {
    ...hostProposal(host, 'fence', 30_000),
    because: `silent for ${seconds(host.silentForMs)}${announced}: proof of its state is needed before its VMs may run elsewhere`,
    healing: false,
  };
}

function planCordon(host: HostView, cell: CellView, policy: Policy): Proposal | undefined {
  if (!canBeDone(host, 'cordon-host')) return undefined;
  const {costs, horizonMs} = policy;
  const here = cell.vms.filter(vm => vm.host === host.name);
  const weight =
    here.length === 0
      ? vmWeight(0, costs)
      : here.reduce((sum, vm) => sum + vmWeight(vm.criticality, costs), 0) / here.length;
  const gain = host.risk * weight * (costs.restartMinutes + costs.interruptionMinutes);
  const cost = (horizonMs / 3_600_000) * costs.cordonMinutesPerHour;
  const worth = gain > cost;
  const alternative: Alternative = {
    action: 'cordon',
    targetHost: '',
    gainVmMinutes: gain,
    costVmMinutes: cost,
    finishesInSeconds: 1,
    rejectedBecause: worth ? '' : `its cost ${fixed(cost)} is not below its gain ${fixed(gain)}`,
  };
  return {
    ...hostProposal(host, worth ? 'cordon' : 'none', 10_000),
    because: worth
      ? `risk ${percent(host.risk)}${expectationOf(host).words}: keeping one new VM away is worth ${fixed(gain)} VM-minutes, lost headroom ${fixed(cost)}`
      : `no beneficial action: at risk ${percent(host.risk)} a cordon gains ${fixed(gain)} and costs ${fixed(cost)} VM-minutes`,
    alternatives: [alternative],
    healing: false,
  };
}

function planUncordon(host: HostView, cell: CellView, policy: Policy): Proposal | undefined {
  if (cell.nowMs - host.clearedAtMs < policy.probationMs) return undefined;
  return {
    ...hostProposal(host, 'uncordon', 10_000),
    because: `risk back to ${percent(host.risk)} for ${seconds(cell.nowMs - host.clearedAtMs)}`,
    healing: true,
  };
}

function hostProposal(host: HostView, action: ActionKind, finishesInMs: number) {
  return {
    entity: `hosts/${host.name}`,
    host: host.name,
    action,
    targetHost: '',
    risk: host.risk,
    component: host.component,
    alternatives: [] as readonly Alternative[],
    finishesInMs,
    expectedInMs: expectationOf(host).ms,
  };
}

/** Restart what was lost, bring home what a ghost serves. */
function planHealing(
  vm: VmView,
  hosts: ReadonlyMap<string, HostView>,
  capacity: Capacity,
  policy: Policy,
): Proposal | undefined {
  if (vm.path === 'recovering.awaiting-restart') return planRestart(vm, hosts, capacity, policy);
  return planFailBack(vm, hosts, capacity);
}

function needsHealing({busy, path}: VmView): boolean {
  return !busy && (path === 'recovering.awaiting-restart' || path === 'ghost-active.serving');
}

function isOpenToPlans({busy, path}: VmView): boolean {
  return !busy && OPEN_TO_PLANS.includes(path);
}

function planRestart(
  vm: VmView,
  hosts: ReadonlyMap<string, HostView>,
  capacity: Capacity,
  policy: Policy,
): Proposal {
  if (vm.pinnedReason !== '') {
    const because = `waits for ${vm.host}: it cannot run elsewhere (${vm.pinnedReason})`;
    return vmProposal(vm, 'none', '', 0, {because, healing: true});
  }
  const home = hosts.get(vm.host);
  const wanted = placementVm(vm);
  const safe = capacity.choose(wanted, home?.rack ?? '');
  capacity.release(vm.host, wanted);
  // Down is worse than at risk: what fits nowhere else goes where nothing else is put.
  const choice = 'because' in safe ? capacity.choose(wanted, '', 'rescue') : safe;
  const loss = interruptionCost({criticality: vm.criticality, ghostArmed: false}, policy.costs);
  capacity.occupy('because' in choice ? vm.host : choice.host, wanted);
  if ('because' in choice) {
    return vmProposal(vm, 'none', '', 0, {because: choice.because, healing: true});
  }
  return vmProposal(vm, 'restart', choice.host, policy.costs.restartMinutes * 120_000, {
    because: `its host is proven lost; every minute costs ${fixed(loss / policy.costs.restartMinutes)} VM-minutes`,
    healing: true,
  });
}

function planFailBack(
  vm: VmView,
  hosts: ReadonlyMap<string, HostView>,
  capacity: Capacity,
): Proposal | undefined {
  const home = hosts.get(vm.homeHost);
  if (home === undefined || home.top !== 'normal') return undefined;
  if (closedBecause(home) !== '' || avoidedBecause(home) !== '') return undefined;
  // Nothing was kept free for it while it was away.
  const refusal = capacity.refusal(home.name, placementVm(vm));
  if (refusal !== '') {
    const because = `stays on ${vm.host}: ${home.name} is ${refusal}`;
    return vmProposal(vm, 'none', '', 0, {because, healing: true});
  }
  capacity.occupy(home.name, placementVm(vm));
  return vmProposal(vm, 'fail-back', home.name, 120_000, {
    because: `${home.name} is back and healthy (${percent(home.risk)})`,
    healing: true,
  });
}
