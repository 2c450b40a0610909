import {failHost, finishBoot, nextFailure, rebootHost, returnHost} from './lifecycle.ts';
import {finishTask, interruptTasks} from './tasks.ts';
import type {World} from './world.ts';

/** Everything that falls into the time until `toMs`, in the order of its exact time. */
export function happenUntil(world: World, toMs: number): void {
  for (;;) {
    let earliestMs = Number.POSITIVE_INFINITY;
    let happen = () => {};
    for (const host of world.hosts) {
      const up = host.state === 'up';
      const failsAtMs = nextFailure(host)?.peakMs ?? Number.POSITIVE_INFINITY;
      const atMs = up ? Math.min(failsAtMs, host.rebootsAtMs) : host.returnsAtMs;
      if (atMs >= earliestMs) continue;
      earliestMs = atMs;
      happen = () => {
        if (!up) returnHost(world, host);
        else if (failsAtMs <= host.rebootsAtMs) failHost(world, host);
        else rebootHost(world, host);
        interruptTasks(world, host);
      };
    }
    for (const vm of world.vms) {
      if (vm.bootedAtMs >= earliestMs) continue;
      earliestMs = vm.bootedAtMs;
      happen = () => finishBoot(world, vm);
    }
    for (const task of world.tasks) {
      if (task.endsAtMs >= earliestMs) continue;
      earliestMs = task.endsAtMs;
      happen = () => finishTask(world, task);
    }
    if (earliestMs > toMs) return;
    happen();
  }
}
