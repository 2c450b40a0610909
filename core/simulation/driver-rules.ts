/** What the rules of the drivers share: what they are asked about, and what they may answer. */
import {committedBytes, type SimulatedHost, type SimulatedVm, type World} from './world.ts';

/** Why the datacenter refuses or gives up an effect: the `code` of a failed report. */
export type DriverCode =
  | 'UNKNOWN_HOST'
  | 'UNKNOWN_VM'
  | 'WRONG_SOURCE'
  | 'OTHER_CELL'
  | 'PINNED'
  | 'BUSY'
  | 'SOURCE_LOST'
  | 'TARGET_LOST'
  | 'TARGET_FULL'
  | 'NO_CONVERGENCE'
  | 'NO_GHOST'
  | 'GHOST_EXISTS'
  | 'GHOST_ON_TARGET'
  | 'PRIMARY_NOT_FENCED'
  | 'STILL_RUNNING'
  | 'NOT_SYNCED';

/** How an effect begins: at once done or refused, or running until a time or a copy's end. */
export type Start = {
  status: 'running' | 'done' | 'failed';
  host?: SimulatedHost;
  vm?: SimulatedVm;
  target?: SimulatedHost;
  /** Bytes to copy; without any, `endsAtMs` says when it is done. */
  totalBytes?: number;
  /** Room held on the target until the end. */
  heldBytes?: number;
  endsAtMs?: number;
  pauseSeconds?: number;
  code?: DriverCode;
  message?: string;
  figures?: Record<string, number>;
};

type OnHost = {world: World; host: SimulatedHost; nowMs: number};
export type OnVm = OnHost & {vm: SimulatedVm; target: SimulatedHost; weightPercent: number};

export type HostRule = (on: OnHost) => Start;
export type VmRule = (on: OnVm) => Start;

export function refuse(code: DriverCode, message: string): Start {
  return {status: 'failed', code, message};
}

/** It is so already. */
export function done(message = '', figures: Record<string, number> = {}): Start {
  return {status: 'done', message, figures};
}

/** Why a copy of the VM cannot be made on the target, or nothing. */
export function refuseTarget({world, vm, target}: OnVm): Start | undefined {
  if (target.cell !== vm.host.cell) {
    return refuse(
      'OTHER_CELL',
      `${vm.name} is in ${vm.host.cell}, ${target.name} in ${target.cell}: choose a host of its cell`,
    );
  }
  if (target.state !== 'up') return refuse('TARGET_LOST', `${target.name} is ${target.state}`);
  const free = target.memoryBytes - committedBytes(world, target);
  if (vm.memoryBytes <= free) return undefined;
  return refuse(
    'TARGET_FULL',
    `${vm.name} needs ${vm.memoryBytes} bytes, ${target.name} has ${free} left: choose another host`,
  );
}

/** Why the VM cannot be copied from where it is, or nothing. */
export function refuseSource({world, vm}: OnVm): Start | undefined {
  if (vm.state !== 'running' || vm.host.state !== 'up') {
    return refuse('SOURCE_LOST', `${vm.name} is ${vm.state}, its host ${vm.host.state}`);
  }
  const busy = world.tasks.find(task => task.vm === vm);
  if (busy === undefined) return undefined;
  return refuse('BUSY', `${vm.name} is the subject of ${busy.effect.kind} ${busy.id}`);
}
