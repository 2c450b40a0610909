/** Effects under way: how they end, and what a failing host does to them. */
import type {EffectStatus, IssuedEffect} from '../domain/effects.ts';
import {between} from './draws.ts';
import {nextFailure, powerOff, relocateVm, takeOver} from './lifecycle.ts';
import type {SimulatedHost, SimulatedVm, World} from './world.ts';

/** An effect that was asked for. It is under way while its status is `running`. */
export type Task = {
  readonly id: string;
  readonly effect: IssuedEffect;
  readonly startedMs: number;
  /** Subject of the effect; a task on a host has none. */
  readonly vm: SimulatedVm | undefined;
  /** Where memory comes from, or the host that the task is about. */
  readonly host: SimulatedHost | undefined;
  /** Where memory goes to. */
  readonly target: SimulatedHost | undefined;
  /** Room held on the target until the end. */
  readonly heldBytes: number;
  /** Bytes to copy in all; 0: this task copies nothing. */
  readonly totalBytes: number;
  leftBytes: number;
  sentBytes: number;
  /** How long it has not gained on the VM's writes. */
  stalledMs: number;
  /** When it ends if nothing happens; infinite while it copies. */
  endsAtMs: number;
  /** Figure of the last part: what users feel of a switchover. */
  pauseSeconds: number;
  status: EffectStatus;
  code: string;
  message: string;
  figures: Record<string, number>;
};

/** A move is needless if its source neither fails nor is rebooted within this time of its start. */
const NEEDED_WITHIN_MS = 30 * 60_000;

/** Ends a task: it keeps its figures and gives back what it held. */
export function endTask(
  world: World,
  task: Task,
  status: 'done' | 'failed' | 'cancelled',
  code = '',
  message = '',
): void {
  task.status = status;
  task.code = code;
  task.message = message;
  if (task.totalBytes > 0) task.figures.transferred_bytes = Math.round(task.sentBytes);
  world.tasks = world.tasks.filter(other => other !== task);
  if (status !== 'done' && task.effect.kind === 'arm-ghost' && !task.vm?.ghost?.armed) {
    if (task.vm !== undefined) task.vm.ghost = undefined;
  }
}

/** The task's time has come: what it was for happens now. */
export function finishTask(world: World, task: Task): void {
  const {vm, host, target, endsAtMs: atMs} = task;
  task.figures.duration_seconds = (atMs - task.startedMs) / 1000;
  if (task.effect.kind === 'fence-host' && host !== undefined) {
    powerOff(world, host, atMs);
    interruptTasks(world, host);
  } else if (vm !== undefined && target !== undefined) {
    finishVmTask(world, task, vm, target);
  }
  endTask(world, task, 'done');
}

function finishVmTask(world: World, task: Task, vm: SimulatedVm, target: SimulatedHost): void {
  const atMs = task.endsAtMs;
  switch (task.effect.kind) {
    case 'start-migration':
      world.ledger.count('migrations');
      if (!failsBefore(task.host, task.startedMs + NEEDED_WITHIN_MS)) {
        world.ledger.count('needlessMoves');
      }
      switchOver(world, task, vm, target);
      break;
    case 'arm-ghost':
      if (vm.ghost !== undefined) vm.ghost.armed = true;
      task.figures.recovery_point_age_seconds = vm.ghost?.recoveryPointSeconds ?? 0;
      task.figures.memory_bytes = vm.memoryBytes;
      break;
    case 'activate-ghost':
      task.figures.downtime_seconds = (atMs - world.ledger.downSinceMs(vm.index)) / 1000;
      task.figures.recovery_point_age_seconds = vm.ghost?.recoveryPointSeconds ?? 0;
      takeOver(world, vm, target, atMs);
      world.ledger.count('ghostActivations');
      break;
    case 'sync-back':
      vm.syncedBack = {host: target, untilMs: atMs + SYNCED_BACK_MS};
      break;
    case 'fail-back':
      world.ledger.count('failBacks');
      switchOver(world, task, vm, target);
      vm.ghost = undefined;
      break;
    case 'restart-vm':
      world.ledger.count('restarts');
      task.figures.boot_seconds = task.figures.duration_seconds ?? 0;
      break;
    default:
  }
}

/** How long a repaired home keeps the changes that were copied back to it. */
const SYNCED_BACK_MS = 10 * 60_000;

function switchOver(world: World, task: Task, vm: SimulatedVm, target: SimulatedHost): void {
  task.figures.downtime_seconds = task.pauseSeconds;
  world.ledger.pause(vm.index, task.pauseSeconds);
  relocateVm(world, vm, target, task.endsAtMs);
  vm.syncedBack = undefined;
  // The VM announces its address from where it is now.
  vm.traffic = undefined;
}

function failsBefore(host: SimulatedHost | undefined, atMs: number): boolean {
  if (host === undefined) return false;
  const failsAtMs = nextFailure(host)?.peakMs ?? Number.POSITIVE_INFINITY;
  return Math.min(failsAtMs, host.rebootsAtMs) <= atMs;
}

/** A host stopped: whatever needed it ends here. The VM is wherever it really is. */
export function interruptTasks(world: World, host: SimulatedHost): void {
  for (const task of [...world.tasks]) {
    const {kind} = task.effect;
    if (kind === 'fence-host') continue;
    if (task.target === host) {
      endTask(world, task, 'failed', 'TARGET_LOST', `${kind}: its target ${host.name} went down`);
    } else if (task.host === host && (task.totalBytes > 0 || kind === 'fail-back')) {
      endTask(world, task, 'failed', 'SOURCE_LOST', `${kind}: its source ${host.name} went down`);
    }
  }
}

/** Seconds that users wait while a copy takes over: more for VMs that write a lot. */
export function drawPause(vm: SimulatedVm, writeShare: number): number {
  const stream = vm.random.fork(`switchover/${vm.draws++}`);
  return 0.04 + 0.46 * Math.min(1, writeShare) * between(stream, 0.5, 1);
}
