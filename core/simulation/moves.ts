/** How memory travels: links that copies share, writes that race them, ghosts that are kept in sync. */
import {drawPause, endTask, type Task} from './tasks.ts';
import {dirtyRate} from './vm-load.ts';
import type {SimulatedHost, SimulatedVm, World} from './world.ts';

/** Connecting, checking and starting the other side. */
const SETUP_MS = 1500;
/** Pre-copy gives up after so long without gaining on a VM that writes faster than any link … */
const HOPELESS_MS = 20_000;
/** … or than its share of one. */
const STALLED_MS = 90_000;
/** Share of a link that one armed ghost's synchronisation takes, and all of them together. */
const SYNC_SHARE = 0.05;
const SYNC_SHARE_MAX = 0.4;

/**
 * How old the ghost's state is when it has to take over. Epochs send each page once however often
 * it was written, so even the hardest writer is followed, only at a longer interval.
 */
export function recoveryPointSeconds(vm: SimulatedVm): number {
  const seconds = (4 * vm.dirtyBytesPerSecond) / vm.host.migrationBytesPerSecond;
  return Math.round(10 * Math.min(15, Math.max(1, seconds))) / 10;
}

/** Lets every copy run for a second, or until it is through. */
export function copyForASecond(world: World): void {
  if (world.tasks.length === 0) return;
  const copies = world.tasks.filter(task => task.leftBytes > 0);
  const users = new Map<SimulatedHost, number>();
  for (const {host, target} of copies) {
    for (const end of [host, target]) {
      if (end !== undefined) users.set(end, (users.get(end) ?? 0) + 1);
    }
  }
  const free = (host: SimulatedHost) =>
    (host.migrationBytesPerSecond * (1 - syncShare(world, host))) / (users.get(host) ?? 1);
  for (const task of copies) {
    const {vm, host, target} = task;
    if (vm === undefined || host === undefined || target === undefined) continue;
    copy(world, task, vm, Math.min(free(host), free(target)));
  }
}

function syncShare(world: World, host: SimulatedHost): number {
  let ghosts = 0;
  for (const vm of world.vms) if (vm.ghost?.armed && vm.host === host) ghosts++;
  return Math.min(SYNC_SHARE_MAX, ghosts * SYNC_SHARE);
}

function copy(world: World, task: Task, vm: SimulatedVm, bytesPerSecond: number): void {
  // Only a live migration must catch up with the writes; ghosts get them in epochs afterwards.
  const lost = task.effect.kind === 'start-migration' ? dirtyRate(vm) : 0;
  const gain = bytesPerSecond - lost;
  if (gain < 0.02 * bytesPerSecond) {
    task.sentBytes += bytesPerSecond;
    task.stalledMs += 1000;
    const link = vm.host.migrationBytesPerSecond;
    if (task.stalledMs < (lost >= 0.95 * link ? HOPELESS_MS : STALLED_MS)) return;
    endTask(
      world,
      task,
      'failed',
      'NO_CONVERGENCE',
      `pre-copy of ${vm.name} gained nothing for ${task.stalledMs / 1000} s: it writes ` +
        `${megabytes(lost)} MB/s, its share of the link is ${megabytes(bytesPerSecond)} MB/s`,
    );
    return;
  }
  const seconds = task.leftBytes / gain;
  if (seconds > 1) {
    task.sentBytes += bytesPerSecond;
    task.leftBytes -= gain;
    return;
  }
  task.sentBytes += bytesPerSecond * seconds;
  task.leftBytes = 0;
  const startMs = Math.max(world.nowMs, task.startedMs);
  task.endsAtMs = startMs + Math.ceil(seconds * 1000) + SETUP_MS;
  if (task.effect.kind !== 'start-migration') return;
  task.pauseSeconds = drawPause(vm, lost / bytesPerSecond);
  task.endsAtMs += Math.ceil(task.pauseSeconds * 1000);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
