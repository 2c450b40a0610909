import type {ActionKind, Alternative} from './decision.ts';
import type {EffectKind} from './effects.ts';
import type {HostView, VmView} from './fleet.ts';
import {expectedInMs} from './lead-time.ts';
import type {PlacementVm} from './placement.ts';

/** What the planner would do, before the safety kernel has spoken. */
export type Proposal = {
  /** `hosts/h01` or `vms/v17`. */
  entity: string;
  /** Host that the risk or the loss is about. */
  host: string;
  action: ActionKind;
  targetHost: string;
  because: string;
  risk: number;
  component: string;
  alternatives: readonly Alternative[];
  /** Gives back what was taken or lost: never blocked by the breaker. */
  healing: boolean;
  /** Expected length of the action, for its deadline. */
  finishesInMs: number;
  /** By when half of the risk has come; absent: any time within the horizon is as likely. */
  expectedInMs?: number | undefined;
};

/** When what a host has a risk of is expected, where that is known: for a proposal and in words. */
export function expectationOf({curve, announced}: HostView): {ms?: number; words: string} {
  if (curve === undefined) return {words: ''};
  const ms = expectedInMs(curve);
  return {ms, words: `${announced ? ', announced, due' : ', expected'} in ${minutes(ms)}`};
}

/** What a VM takes of a host's room. */
export function placementVm(vm: VmView): PlacementVm {
  return {
    name: vm.name,
    host: vm.host,
    cpuP95Cores: vm.cpuP95Cores,
    memoryBytes: vm.memoryBytes,
    antiAffinityGroup: vm.antiAffinityGroup,
  };
}

/** A proposal about a VM. */
export function vmProposal(
  vm: VmView,
  action: ActionKind,
  targetHost: string,
  finishesInMs: number,
  rest: Pick<Proposal, 'because' | 'healing'> & Partial<Proposal>,
): Proposal {
  return {
    entity: `vms/${vm.name}`,
    host: vm.host,
    action,
    targetHost,
    risk: Number.NaN,
    component: '',
    alternatives: [],
    finishesInMs,
    ...rest,
  };
}

export function percent(ratio: number): string {
  return Number.isNaN(ratio) ? 'unknown' : `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`;
}

export function fixed(value: number): string {
  return value.toFixed(2);
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

/** `4 min`, `0.5 min`. */
function minutes(ms: number): string {
  return `${Number((ms / 60_000).toFixed(ms < 600_000 ? 1 : 0))} min`;
}

/**
 * Whether a plan may ask for this on a host. For one that is only observed it says what would be
 * done; the safety kernel keeps it from being done.
 */
export function canBeDone(host: HostView, kind: EffectKind): boolean {
  return host.observeOnly || host.capabilities.includes(kind);
}
