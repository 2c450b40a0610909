import {between} from './draws.ts';
import {done, refuse, refuseSource, refuseTarget, type VmRule} from './driver-rules.ts';
import {recoveryPointSeconds} from './moves.ts';
import {endTask} from './tasks.ts';
import {mayRun} from './world.ts';

/** The first copy sends a little more than the memory: pages that change meanwhile. */
const FIRST_COPY_SHARE = 1.05;

/** Builds a paused twin on the target; armed when the first copy is through. */
export const armGhost: VmRule = on => {
  const {world, vm, host, target, nowMs} = on;
  if (vm.host !== host) {
    return refuse('WRONG_SOURCE', `${vm.name} is on ${vm.host.name}, not on ${host.name}`);
  }
  if (vm.pinnedReason !== '') {
    return refuse('PINNED', `${vm.name} cannot run elsewhere: ${vm.pinnedReason}`);
  }
  if (vm.host === target)
    return refuse('GHOST_ON_TARGET', `${vm.name} itself is on ${target.name}`);
  if (vm.ghost?.host === target && vm.ghost.armed) return done(`its ghost is armed already`);
  if (vm.ghost !== undefined) {
    return refuse(
      'GHOST_EXISTS',
      `${vm.name} has a ghost on ${vm.ghost.host.name}: retire it first`,
    );
  }
  const refusal = refuseSource(on) ?? refuseTarget(on);
  if (refusal !== undefined) return refusal;
  world.ledger.act(host.name, nowMs);
  vm.ghost = {host: target, armed: false, recoveryPointSeconds: recoveryPointSeconds(vm)};
  return {status: 'running', vm, host, target, totalBytes: FIRST_COPY_SHARE * vm.memoryBytes};
};

/** Drops the twin, finished or not, and gives its memory back. Done if there is none. */
export const retireGhost: VmRule = ({world, vm, target}) => {
  if (vm.ghost?.host !== target) return done(`${target.name} has no ghost of ${vm.name}`);
  const waking = world.tasks.find(task => task.vm === vm && task.effect.kind === 'activate-ghost');
  if (waking !== undefined) return refuse('BUSY', `${vm.name} is taken over by its ghost just now`);
  const arming = world.tasks.find(task => task.vm === vm && task.effect.kind === 'arm-ghost');
  if (arming !== undefined) endTask(world, arming, 'cancelled', '', 'its ghost was retired');
  vm.ghost = undefined;
  return done('', {memory_bytes: vm.memoryBytes});
};

/**
 * The twin becomes the VM. Refused, and counted as a violation, while the primary may still run:
 * a silent host is not a dead one.
 */
export const activateGhost: VmRule = ({world, vm, target, nowMs}) => {
  const {ghost} = vm;
  if (vm.host === target && vm.state === 'running') return done(`${vm.name} runs there already`);
  if (ghost?.host !== target || !ghost.armed) {
    return refuse('NO_GHOST', `${target.name} has no armed ghost of ${vm.name}`);
  }
  if (mayRun(vm)) {
    const message = `${vm.name} may still run on ${vm.host.name}, which is ${vm.host.state}: fence it first`;
    world.ledger.violation(`activate-ghost: ${message}`);
    return refuse('PRIMARY_NOT_FENCED', message);
  }
  if (target.state !== 'up') return refuse('TARGET_LOST', `${target.name} is ${target.state}`);
  const stream = vm.random.fork(`activate/${vm.draws++}`);
  const endsAtMs = nowMs + Math.round(1000 * between(stream, 0.2, 0.6));
  return {status: 'running', vm, host: vm.host, target, endsAtMs};
};
