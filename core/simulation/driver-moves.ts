import {between} from './draws.ts';
import {
  done,
  type OnVm,
  refuse,
  refuseSource,
  refuseTarget,
  type Start,
  type VmRule,
} from './driver-rules.ts';
import {drawPause} from './tasks.ts';
import type {SimulatedHost} from './world.ts';

/** Share of the memory that differs after the home was away. */
const CHANGED_SHARE = 0.6;

/** Pre-copy live migration to the target. */
export const migrate: VmRule = on => {
  const {world, vm, host, target, nowMs} = on;
  if (vm.host === target && vm.state === 'running') return done(`${vm.name} is there already`);
  if (vm.host !== host) return wrongSource(on);
  if (vm.pinnedReason !== '') return refuse('PINNED', `${vm.name} cannot move: ${vm.pinnedReason}`);
  if (vm.ghost?.host === target) {
    return refuse('GHOST_ON_TARGET', `${target.name} has the ghost of ${vm.name}: retire it first`);
  }
  const refusal = refuseSource(on) ?? refuseTarget(on);
  if (refusal !== undefined) return refusal;
  world.ledger.act(host.name, nowMs);
  return copyTo(on, host, vm.memoryBytes);
};

/** What changed since the takeover goes back to the repaired home, which holds room for it. */
export const syncBack: VmRule = on => {
  const {vm, host: home} = on;
  if (vm.host === home) return done(`${vm.name} is home already`);
  const back = {...on, target: home};
  const refusal = refuseSource(back);
  if (refusal !== undefined) return refusal;
  vm.syncedBack = undefined;
  return refuseTarget(back) ?? copyTo(back, vm.host, CHANGED_SHARE * vm.memoryBytes);
};

/** A planned switchover to the home that was synchronised; the ghost is gone afterwards. */
export const failBack: VmRule = on => {
  const {world, vm, host: home, nowMs} = on;
  if (vm.host === home && vm.state === 'running') return done(`${vm.name} is home already`);
  const refusal = refuseSource(on);
  if (refusal !== undefined) return refusal;
  if (home.state !== 'up') return refuse('TARGET_LOST', `${home.name} is ${home.state}`);
  const {syncedBack} = vm;
  if (syncedBack?.host !== home || syncedBack.untilMs <= world.nowMs) {
    return refuse(
      'NOT_SYNCED',
      `${vm.name} was not synchronised back to ${home.name}: do it first`,
    );
  }
  const stream = vm.random.fork(`fail-back/${vm.draws++}`);
  const endsAtMs = nowMs + Math.round(1000 * between(stream, 0.4, 1.2));
  const pauseSeconds = drawPause(vm, 0.5);
  vm.syncedBack = undefined;
  const heldBytes = vm.memoryBytes;
  return {status: 'running', vm, host: vm.host, target: home, heldBytes, endsAtMs, pauseSeconds};
};

function wrongSource({vm, host}: OnVm): Start {
  return refuse('WRONG_SOURCE', `${vm.name} is on ${vm.host.name}, not on ${host.name}`);
}

function copyTo({vm, target}: OnVm, host: SimulatedHost, totalBytes: number): Start {
  return {status: 'running', vm, host, target, totalBytes, heldBytes: vm.memoryBytes};
}
