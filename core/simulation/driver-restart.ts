import {done, refuse, refuseTarget, type VmRule} from './driver-rules.ts';
import {bootVm} from './lifecycle.ts';
import {mayRun} from './world.ts';

/**
 * Ordinary HA: boots the VM from its disk. Refused, and counted as a violation, while it may still
 * run elsewhere: the lock on its disk is held.
 */
export const restart: VmRule = on => {
  const {world, vm, target, nowMs} = on;
  if (vm.host === target && vm.state === 'running' && target.state === 'up') {
    return done(`${vm.name} runs there already`);
  }
  if (mayRun(vm)) {
    const message = `${vm.name} may still run on ${vm.host.name}, which is ${vm.host.state}: fence it first`;
    world.ledger.violation(`restart-vm: ${message}`);
    return refuse('STILL_RUNNING', message);
  }
  if (vm.pinnedReason !== '' && target !== vm.host) {
    return refuse('PINNED', `${vm.name} cannot run elsewhere: ${vm.pinnedReason}`);
  }
  const waking = world.tasks.find(task => task.vm === vm);
  if (waking !== undefined) return refuse('BUSY', `${vm.name} is taken over by its ghost just now`);
  // Where it died it still has its room; a ghost there gives its room up.
  const hasRoom = vm.host === target || vm.ghost?.host === target;
  const refusal = hasRoom && target.state === 'up' ? undefined : refuseTarget(on);
  if (refusal !== undefined) return refusal;
  bootVm(world, vm, target, nowMs);
  return {status: 'running', vm, host: target, target, endsAtMs: vm.bootedAtMs};
};

/** The balancer sends this share of the VM's requests to a host. */
export const shiftTraffic: VmRule = ({vm, target, weightPercent}) => {
  vm.traffic = {host: target, share: weightPercent / 100};
  return done('', {weight_percent: weightPercent});
};
