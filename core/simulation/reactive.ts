import type {IssuedEffect} from '../domain/effects.ts';
import {Capacity, type PlacementVm} from '../domain/placement.ts';
import {DEFAULT_POLICY, type TargetPolicy} from '../domain/policy.ts';
import {createUsage, recordUsage, usageP95} from '../domain/usage.ts';
import type {Datacenter} from './datacenter.ts';
import type {LedgerSummary} from './ledger.ts';
import type {SimulatedHost, SimulatedVm} from './world.ts';

export type ReactiveOptions = {
  untilMs: number;
  /** How long a host must be silent before its loss is taken as confirmed. */
  confirmAfterMs?: number;
  target?: TargetPolicy;
};

export const CONFIRM_AFTER_MS = 30_000;
/** A restart that failed, for want of room, is tried again after this long. */
const RETRY_MS = 30_000;

/**
 * Ordinary high availability, to compare with: a host that has been silent for
 * {@link CONFIRM_AFTER_MS} is fenced, and its VMs are restarted elsewhere, critical ones first, by
 * the planner's own placement rules. Nothing is done before a failure. Runs the datacenter to
 * `untilMs` and gives its ledger.
 */
export function runReactive(datacenter: Datacenter, options: ReactiveOptions): LedgerSummary {
  const run = new Reactive(datacenter, options);
  while (datacenter.nowMs + 1000 <= options.untilMs) {
    datacenter.step(datacenter.nowMs + 1000);
    run.watch();
  }
  return datacenter.ledger.summary(datacenter.nowMs);
}

class Reactive {
  readonly #datacenter: Datacenter;
  readonly #confirmAfterMs: number;
  readonly #target: TargetPolicy;
  readonly #usage;
  readonly #silentSinceMs: Float64Array;
  readonly #fences = new Map<SimulatedHost, string>();
  readonly #triedMs: Float64Array;
  #effects = 0;

  constructor(datacenter: Datacenter, options: ReactiveOptions) {
    this.#datacenter = datacenter;
    this.#confirmAfterMs = options.confirmAfterMs ?? CONFIRM_AFTER_MS;
    this.#target = options.target ?? DEFAULT_POLICY.target;
    this.#usage = createUsage(datacenter.vms.length);
    this.#silentSinceMs = new Float64Array(datacenter.hosts.length).fill(Number.NaN);
    this.#triedMs = new Float64Array(datacenter.vms.length).fill(Number.NEGATIVE_INFINITY);
  }

  /** One second of attention. */
  watch(): void {
    const {hosts, vms, nowMs} = this.#datacenter;
    for (const vm of vms) {
      recordUsage(this.#usage, vm.index, nowMs, vm.cpuCoresUsed / vm.cpuCores);
    }
    for (const host of hosts) {
      if (this.#datacenter.isReporting(host.name)) {
        this.#silentSinceMs[host.index] = Number.NaN;
        this.#fences.delete(host);
        continue;
      }
      const sinceMs = this.#silentSinceMs[host.index] as number;
      if (Number.isNaN(sinceMs)) this.#silentSinceMs[host.index] = nowMs;
      else if (nowMs - sinceMs >= this.#confirmAfterMs && !this.#fences.has(host)) {
        this.#fences.set(host, this.#ask('fence-host', host));
      }
    }
    this.#restartDead();
  }

  /** VMs on hosts that were fenced, and those that could not be placed before. */
  #restartDead(): void {
    const {vms, nowMs} = this.#datacenter;
    const dead = vms.filter(
      vm =>
        vm.state === 'dead' &&
        vm.pinnedReason === '' &&
        (vm.host.fenced || vm.host.state === 'up') &&
        nowMs - (this.#triedMs[vm.index] as number) >= RETRY_MS,
    );
    if (dead.length === 0) return;
    const cells = new Map<string, Capacity>();
    dead.sort((a, b) => b.criticality - a.criticality || a.index - b.index);
    for (const vm of dead) {
      this.#triedMs[vm.index] = nowMs;
      const {cell} = vm.host;
      const capacity = cells.get(cell) ?? this.#capacity(cell);
      cells.set(cell, capacity);
      const wanted = this.#placementVm(vm);
      const choice = capacity.choose(wanted, vm.host.rack);
      if ('because' in choice) continue;
      capacity.occupy(choice.host, wanted);
      this.#ask('restart-vm', vm.host, vm, choice.host);
    }
  }

  #capacity(cell: string): Capacity {
    const {hosts, vms} = this.#datacenter;
    const members = hosts.filter(host => host.cell === cell);
    const capacity = new Capacity(
      members.map(({name, rack, cpuCores, memoryBytes, state}) => ({
        name,
        rack,
        cpuCores,
        memoryBytes,
        closedBecause: state === 'up' ? '' : 'silent',
        avoidedBecause: '',
        risk: Number.NaN,
      })),
      this.#target,
    );
    for (const vm of vms) capacity.occupy(vm.host.name, this.#placementVm(vm));
    return capacity;
  }

  #placementVm(vm: SimulatedVm): PlacementVm {
    const p95 = usageP95(this.#usage, vm.index);
    const {name, cpuCores, memoryBytes, antiAffinityGroup} = vm;
    const cpuP95Cores = Number.isNaN(p95) ? cpuCores : p95 * cpuCores;
    return {name, host: vm.host.name, cpuP95Cores, memoryBytes, antiAffinityGroup};
  }

  #ask(kind: IssuedEffect['kind'], host: SimulatedHost, vm?: SimulatedVm, target = ''): string {
    const id = `reactive/${this.#effects++}`;
    const {nowMs, drivers} = this.#datacenter;
    const names = {host: host.name, vm: vm?.name ?? '', targetHost: target};
    const rest = {weightPercent: 0, deadlineMs: nowMs + 300_000, agent: 'reactive', address: ''};
    drivers.start({id, kind, ...names, ...rest}, nowMs);
    return id;
  }
}
