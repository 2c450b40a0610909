import type {Random} from '../ports.ts';
import {relocateVm} from './lifecycle.ts';
import {committedBytes, type SimulatedHost, type SimulatedVm, type World} from './world.ts';

const MOVES_PER_SECOND = 1 / 40;
const DRAINS_PER_SECOND = 1 / 900;
const DRAIN_MOVES_PER_SECOND = 1 / 6;

/**
 * Ordinary operations, blind to health: single moves, and now and then a host emptied for a while.
 *
 * @returns What to call once a virtual second.
 */
export function createChurn(world: World, random: Random): () => void {
  let draining: SimulatedHost | undefined;
  return () => {
    if (random.next() < DRAINS_PER_SECOND) draining = any(world.hosts, random);
    if (random.next() < MOVES_PER_SECOND) move(world, any(world.vms, random), draining, random);
    if (draining === undefined || random.next() >= DRAIN_MOVES_PER_SECOND) return;
    const left = world.vms.find(vm => vm.host === draining);
    if (left === undefined) draining = undefined;
    else move(world, left, draining, random);
  };
}

function move(
  world: World,
  vm: SimulatedVm | undefined,
  avoid: SimulatedHost | undefined,
  random: Random,
): void {
  const target = any(world.hosts, random);
  if (vm === undefined || target === undefined || vm.state !== 'running') return;
  if (target === avoid || target.cell !== vm.host.cell) return;
  if (target.state !== 'up' || vm.host.state !== 'up') return;
  if (committedBytes(world, target) + vm.memoryBytes > target.memoryBytes) return;
  relocateVm(world, vm, target, world.nowMs);
}

function any<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items[Math.floor(random.next() * items.length)];
}
