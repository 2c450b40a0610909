import {seededRandom} from '../../core/adapters/random-seeded.ts';
import type {EffectKind, EffectReport, IssuedEffect} from '../../core/domain/effects.ts';
import {
  createDatacenter,
  type Datacenter,
  type DatacenterOptions,
} from '../../core/simulation/datacenter.ts';
import type {SimulatedHost, SimulatedVm} from '../../core/simulation/world.ts';
import {committedBytes} from '../../core/simulation/world.ts';

export const START_MS = Date.UTC(2026, 0, 5, 8);
export const HOUR_MS = 3_600_000;

/** An hour of a datacenter. */
export function datacenter(
  seed: number | string,
  options: Partial<DatacenterOptions> = {},
): Datacenter {
  const random = seededRandom(seed);
  return createDatacenter({random, startMs: START_MS, durationMs: HOUR_MS, ...options});
}

/** A small one in which nothing happens by itself. */
export function quiet(seed: number | string = 1): Datacenter {
  return datacenter(seed, {hosts: 8, vms: 48, faults: 'none', disturbances: false});
}

let issued = 0;

export function effect(kind: EffectKind, on: Partial<IssuedEffect>): IssuedEffect {
  const names = {host: '', vm: '', targetHost: '', weightPercent: 0};
  const rest = {deadlineMs: START_MS + HOUR_MS, agent: '', address: ''};
  return {id: `5/1/1/${issued++}`, kind, ...names, ...rest, ...on};
}

/** Lets seconds pass. */
export function pass(world: Datacenter, seconds: number): void {
  world.step(world.nowMs + seconds * 1000);
}

/** Starts an effect and lets time pass until it has ended, at most ten minutes. */
export function carryOut(world: Datacenter, kind: EffectKind, on: Partial<IssuedEffect>) {
  const asked = effect(kind, on);
  let report: EffectReport = world.drivers.start(asked, world.nowMs);
  for (let second = 0; report.status === 'running' && second < 600; second++) {
    pass(world, 1);
    report = world.drivers.progress(asked.id, world.nowMs);
  }
  return report;
}

/** A VM that can be moved, and a host with room for it in its cell. */
export function movable(
  world: Datacenter,
  accept: (vm: SimulatedVm) => boolean = () => true,
): {vm: SimulatedVm; source: SimulatedHost; target: SimulatedHost} {
  for (const vm of world.vms) {
    if (vm.pinnedReason !== '' || vm.dirtyBytesPerSecond > 5e8 || !accept(vm)) continue;
    const target = roomFor(world, vm);
    if (target !== undefined) return {vm, source: vm.host, target};
  }
  throw new Error('no VM of this datacenter can be moved');
}

export function roomFor(world: Datacenter, vm: SimulatedVm): SimulatedHost | undefined {
  return world.hosts.find(
    host =>
      host !== vm.host &&
      host.cell === vm.host.cell &&
      host.state === 'up' &&
      committedBytes(world.world, host) + vm.memoryBytes <= host.memoryBytes,
  );
}

/** What must hold at every moment; gives the first thing that does not. */
export function brokenLaw(world: Datacenter): string | undefined {
  for (const host of world.hosts) {
    const committed = committedBytes(world.world, host);
    if (committed > host.memoryBytes) return `${host.name} gave away more memory than it has`;
    if (host.state !== 'up' && world.isReporting(host.name))
      return `${host.name} speaks while down`;
  }
  const seen = new Map<string, string>();
  for (const host of world.hosts) {
    for (const {vm} of world.inventory(host.name).vms) {
      if (seen.has(vm)) return `${vm} is on ${seen.get(vm)} and on ${host.name}`;
      seen.set(vm, host.name);
    }
  }
  for (const vm of world.vms) {
    if (vm.ghost?.host === vm.host) return `the ghost of ${vm.name} shares its host`;
    if (vm.ghost?.host.state === 'off' || vm.ghost?.host.state === 'crashed') {
      return `the ghost of ${vm.name} outlived its host`;
    }
    if (vm.ghost && vm.ghost.host.cell !== vm.host.cell) return `a ghost left its cell`;
    if (vm.state !== 'dead' && (vm.host.state === 'off' || vm.host.state === 'crashed')) {
      return `${vm.name} is ${vm.state} on a host that is ${vm.host.state}`;
    }
    if (vm.state !== 'dead' && !seen.has(vm.name)) return `${vm.name} is in no inventory`;
  }
  const running = world.world.tasks.filter(task => task.status !== 'running');
  return running.length > 0 ? 'an ended task is still under way' : undefined;
}
