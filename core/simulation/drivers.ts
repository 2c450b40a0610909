import {
  type EffectKind,
  type EffectReport,
  effectKinds,
  type IssuedEffect,
} from '../domain/effects.ts';
import {activateGhost, armGhost, retireGhost} from './driver-ghosts.ts';
import {cordon, fence, uncordon} from './driver-hosts.ts';
import {failBack, migrate, syncBack} from './driver-moves.ts';
import {restart, shiftTraffic} from './driver-restart.ts';
import {type HostRule, refuse, type Start, type VmRule} from './driver-rules.ts';
import {stopVms} from './lifecycle.ts';
import {endTask, interruptTasks, type Task} from './tasks.ts';
import type {SimulatedHost, SimulatedVm, World} from './world.ts';

/** Ended effects that are remembered, oldest forgotten first; the agents keep theirs durably. */
const REMEMBERED_MAX = 10_000;

const HOST_RULES: Partial<Record<EffectKind, HostRule>> = {
  'cordon-host': cordon,
  'uncordon-host': uncordon,
  'fence-host': fence,
};

const VM_RULES: Partial<Record<EffectKind, VmRule>> = {
  'start-migration': migrate,
  'arm-ghost': armGhost,
  'retire-ghost': retireGhost,
  'activate-ghost': activateGhost,
  'sync-back': syncBack,
  'fail-back': failBack,
  'restart-vm': restart,
  'shift-traffic': shiftTraffic,
};

/**
 * The hypervisors, the power controllers and the balancer of the simulated datacenter, behind the
 * agents' contract: an effect is checked against the world as it is, starts, runs on virtual time,
 * and can be asked after and cancelled. A repeated id is answered with what is known of it.
 */
export class SimulatedDrivers {
  readonly #world: World;
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #vms: ReadonlyMap<string, SimulatedVm>;
  readonly #tasks = new Map<string, Task>();

  constructor(world: World) {
    this.#world = world;
    this.#hosts = new Map(world.hosts.map(host => [host.name, host]));
    this.#vms = new Map(world.vms.map(vm => [vm.name, vm]));
  }

  capabilities(): readonly EffectKind[] {
    return effectKinds;
  }

  /**
   * Checks and starts an effect. What takes time is `running` and moves on with the datacenter's
   * steps; a refusal is a `failed` report with a code of {@link DriverCode}, never an exception.
   */
  start(effect: IssuedEffect, nowMs: number): EffectReport {
    const known = this.#tasks.get(effect.id);
    if (known !== undefined) return report(known);
    const startedMs = Math.max(nowMs, this.#world.nowMs);
    const task = createTask(effect, startedMs, this.#check(effect, startedMs));
    this.#tasks.set(effect.id, task);
    if (this.#tasks.size > REMEMBERED_MAX) this.#forget();
    if (task.status === 'running') this.#world.tasks.push(task);
    return report(task);
  }

  /** What is known of an effect; `unknown` if it was never asked for. */
  progress(id: string, _nowMs?: number): EffectReport {
    const task = this.#tasks.get(id);
    return task === undefined ? unknownEffect(id) : report(task);
  }

  /**
   * Stops a copy and undoes what it changed. What is past that point (a fence, a boot, a ghost that
   * wakes up) goes on, and the report says so.
   */
  cancel(id: string, _nowMs?: number): EffectReport {
    const task = this.#tasks.get(id);
    if (task === undefined) return unknownEffect(id);
    if (task.status === 'running' && task.leftBytes > 0) {
      endTask(this.#world, task, 'cancelled', '', 'cancelled while it copied');
    }
    return report(task);
  }

  /**
   * What the agent of a host does when its lease runs out: its VMs stop, and only then may they run
   * elsewhere. A host that hangs cannot do it: it has to be fenced.
   */
  stopVms(agent: string, nowMs: number): void {
    const host = this.#hosts.get(agent);
    if (host === undefined) return;
    stopVms(this.#world, host, Math.max(nowMs, this.#world.nowMs));
    interruptTasks(this.#world, host);
  }

  #check(effect: IssuedEffect, nowMs: number): Start {
    const {kind} = effect;
    const host = this.#hosts.get(effect.host);
    if (host === undefined) {
      return refuse('UNKNOWN_HOST', `${kind}: there is no host '${effect.host}'`);
    }
    const hostRule = HOST_RULES[kind];
    if (hostRule !== undefined) return hostRule({world: this.#world, host, nowMs});
    const vm = this.#vms.get(effect.vm);
    if (vm === undefined) return refuse('UNKNOWN_VM', `${kind}: there is no VM '${effect.vm}'`);
    const target = this.#hosts.get(effect.targetHost);
    if (target === undefined) {
      return refuse('UNKNOWN_HOST', `${kind}: there is no host '${effect.targetHost}'`);
    }
    const {weightPercent} = effect;
    const rule = VM_RULES[kind] as VmRule;
    return rule({world: this.#world, vm, host, target, weightPercent, nowMs});
  }

  #forget(): void {
    for (const [id, task] of this.#tasks) {
      if (task.status === 'running') continue;
      this.#tasks.delete(id);
      return;
    }
  }
}

function createTask(effect: IssuedEffect, startedMs: number, start: Start): Task {
  const base = {id: effect.id, effect, startedMs, sentBytes: 0, stalledMs: 0};
  const totalBytes = start.totalBytes ?? 0;
  return {
    ...base,
    vm: start.vm,
    host: start.host,
    target: start.target,
    heldBytes: start.heldBytes ?? 0,
    totalBytes,
    leftBytes: totalBytes,
    endsAtMs: start.endsAtMs ?? Number.POSITIVE_INFINITY,
    pauseSeconds: start.pauseSeconds ?? 0,
    status: start.status,
    code: start.code ?? '',
    message: start.message ?? '',
    figures: {...start.figures},
  };
}

function report(task: Task): EffectReport {
  const {id, status, code, message} = task;
  return {id, status, code, message, progress: progressOf(task), figures: {...task.figures}};
}

function progressOf(task: Task): number {
  if (task.status === 'done') return 1;
  return task.totalBytes === 0 ? 0 : 1 - task.leftBytes / task.totalBytes;
}

function unknownEffect(id: string): EffectReport {
  return {id, status: 'unknown', code: '', message: '', progress: 0, figures: {}};
}
