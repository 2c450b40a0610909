import {
  effectiveness,
  estimateGhost,
  estimateMigration,
  ghostCost,
  interruptionCost,
  moveCost,
} from './cost.ts';
import type {Alternative} from './decision.ts';
import type {HostView, VmView} from './fleet.ts';
import type {Capacity} from './placement.ts';
import type {Policy} from './policy.ts';
import {
  canBeDone,
  expectationOf,
  fixed,
  type Proposal,
  percent,
  placementVm,
  vmProposal,
} from './proposal.ts';

export type RiskyVm = {
  vm: VmView;
  host: HostView;
  hosts: ReadonlyMap<string, HostView>;
  capacity: Capacity;
  policy: Policy;
};

/**
 * The ladder for one VM on a host at risk: each rung's gain is
 * P(failure) × P(done in time) × what the interruption would cost, against what the rung costs
 * anyway plus the risk at the target. The rung with the highest surplus wins; none above zero is
 * the outcome "no beneficial action".
 */
export function planRiskyVm(input: RiskyVm): Proposal {
  const {vm, host, capacity} = input;
  const alternatives = [migrationRung(input), ghostRung(input)];
  const best = alternatives
    .filter(rung => rung.rejectedBecause === '')
    .sort((a, b) => surplus(b) - surplus(a))[0];
  const expected = expectationOf(host);
  const {risk, component} = host;
  const common = {risk, component, expectedInMs: expected.ms, healing: false};
  if (best === undefined || surplus(best) <= 0) {
    return vmProposal(vm, 'none', '', 0, {
      ...common,
      because: `no beneficial action: ${alternatives.map(describeRung).join('; ')}`,
      alternatives: alternatives.map(rung => ({
        ...rung,
        rejectedBecause: rung.rejectedBecause || 'costs more than it gains',
      })),
    });
  }
  capacity.occupy(best.targetHost, placementVm(vm), best.action === 'arm-ghost' ? 'ghost' : 'vm');
  return vmProposal(vm, best.action, best.targetHost, best.finishesInSeconds * 1000, {
    ...common,
    because: `risk ${percent(host.risk)} on ${host.name}${expected.words}: ${describeRung(best)}`,
    alternatives: alternatives.map(rung =>
      rung === best || rung.rejectedBecause !== ''
        ? rung
        : {...rung, rejectedBecause: `less surplus than ${best.action}`},
    ),
  });
}

function surplus(rung: Alternative): number {
  return rung.gainVmMinutes - rung.costVmMinutes;
}

function describeRung(rung: Alternative): string {
  if (rung.rejectedBecause !== '') return `${rung.action}: ${rung.rejectedBecause}`;
  return `${rung.action} gains ${fixed(rung.gainVmMinutes)} for ${fixed(rung.costVmMinutes)} VM-minutes`;
}

function refused(action: Alternative['action'], because: string): Alternative {
  return {
    action,
    targetHost: '',
    gainVmMinutes: 0,
    costVmMinutes: 0,
    finishesInSeconds: 0,
    rejectedBecause: because,
  };
}

function migrationRung({vm, host, hosts, capacity, policy}: RiskyVm): Alternative {
  if (vm.pinnedReason !== '') return refused('migrate', `cannot move: ${vm.pinnedReason}`);
  if (!canBeDone(host, 'start-migration')) return refused('migrate', 'not supported here');
  const estimate = estimateMigration(vm, host.migrationBytesPerSecond);
  if (!estimate.converges) {
    return refused('migrate', 'its memory is dirtied faster than it can be copied');
  }
  const choice = capacity.choose(placementVm(vm), host.rack);
  if ('because' in choice) return refused('migrate', choice.because);
  const {costs, horizonMs} = policy;
  const atStake = interruptionCost(vm, costs);
  const targetRisk = hosts.get(choice.host)?.risk ?? 0;
  return {
    action: 'migrate',
    targetHost: choice.host,
    gainVmMinutes:
      host.risk * effectiveness(estimate.finishesInMs, horizonMs, host.curve) * atStake,
    costVmMinutes:
      moveCost(vm, host.migrationBytesPerSecond, costs) +
      (Number.isNaN(targetRisk) ? 0 : targetRisk) * atStake,
    finishesInSeconds: estimate.finishesInMs / 1000,
    rejectedBecause: '',
  };
}

function ghostRung({vm, host, capacity, policy}: RiskyVm): Alternative {
  if (vm.ghostArmed || vm.ghostHost !== '') return refused('arm-ghost', 'has a ghost already');
  if (!canBeDone(host, 'arm-ghost')) return refused('arm-ghost', 'not supported here');
  if (vm.pinnedReason !== '')
    return refused('arm-ghost', `cannot run elsewhere: ${vm.pinnedReason}`);
  if (vm.declaredCriticality < policy.budgets.ghostCriticalityMin) {
    return refused('arm-ghost', 'not critical enough to hold memory for it');
  }
  const choice = capacity.choose(placementVm(vm), host.rack, 'ghost');
  if ('because' in choice) return refused('arm-ghost', choice.because);
  const {costs, horizonMs} = policy;
  const finishesInMs = estimateGhost(vm, host.migrationBytesPerSecond);
  const saved =
    interruptionCost({...vm, ghostArmed: false}, costs) -
    interruptionCost({...vm, ghostArmed: true}, costs);
  return {
    action: 'arm-ghost',
    targetHost: choice.host,
    gainVmMinutes: host.risk * effectiveness(finishesInMs, horizonMs, host.curve) * saved,
    costVmMinutes: costs.ghostMinutes + ghostCost(vm, horizonMs, costs),
    finishesInSeconds: finishesInMs / 1000,
    rejectedBecause: '',
  };
}
