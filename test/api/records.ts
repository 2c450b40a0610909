import {COMPONENTS} from '../../core/domain/components.ts';
import type {Decision} from '../../core/domain/decision.ts';
import type {IssuedEffect} from '../../core/domain/effects.ts';
import type {ScoresRecord, Tick, Transition, VmWorkload} from '../../core/domain/records.ts';
import type {InventoryHost, InventoryVm} from '../../core/domain/telemetry.ts';
import {UNKNOWN_WORKLOAD} from '../../core/domain/workload-profile.ts';

/** 2026-01-01T00:00:00Z */
export const START_MS = 1_767_225_600_000;

export function aTick(number: number, fields: Partial<Tick> = {}): Tick {
  return {
    timeMs: START_MS + number * 1000,
    epoch: 1,
    number,
    cut: {telemetryOffset: number, inboxOffset: 0, scoreRequest: 0},
    transitions: [],
    risks: [],
    timers: [],
    effects: [],
    decisions: [],
    inventory: [],
    modelHash: 'feed',
    ...fields,
  };
}

export function aHost(host: string, vms: readonly InventoryVm[] = []): InventoryHost {
  return {
    host,
    rack: 'r1',
    cpuCores: 32,
    memoryBytes: 128 * 2 ** 30,
    actuatorAddress: '127.0.0.1:7500',
    capabilities: ['start-migration'],
    migrationBytesPerSecond: 1e9,
    vms,
    bootId: `boot-${host}`,
    observeOnly: false,
    hardware: '',
  };
}

export function aVm(vm: string, fields: Partial<InventoryVm> = {}): InventoryVm {
  return {
    vm,
    cpuCores: 2,
    memoryBytes: 4 * 2 ** 30,
    criticality: 0.5,
    dirtyBytesPerSecond: 1e6,
    antiAffinityGroup: '',
    pinnedReason: '',
    tenant: 'acme',
    ...fields,
  };
}

/** A batch job's VM that was watched for half a day. */
export function aWorkload(vm: string, fields: Partial<VmWorkload> = {}): VmWorkload {
  return {
    ...UNKNOWN_WORKLOAD,
    vm,
    kind: 'batch',
    observedMs: 12 * 3_600_000,
    cpuRatio: 0.5,
    memoryRatio: 0.25,
    readBytesPerSecond: 3 * 2 ** 20,
    writeBytesPerSecond: 2 ** 20,
    variation: 0.9,
    fullShare: 0.4,
    dirtyClass: 'low',
    dirtyBytesPerSecond: 2 ** 20,
    dirtySource: 'writes',
    ...fields,
  };
}

export function aMove(
  actor: string,
  seq: number,
  from: string,
  to: string,
  context: Record<string, unknown> = {},
): Transition {
  const base = {
    id: actor.split('/')[1],
    deadlineMs: 0,
    enteredAtMs: START_MS + seq * 1000,
    risk: 0.4,
    stale: false,
    frozen: false,
    silenced: false,
  };
  return {
    actor,
    machine: actor.startsWith('hosts/') ? 'host' : 'vm',
    machineVersion: 1,
    seq,
    from,
    to,
    event: 'risk.raised',
    context: JSON.stringify({...base, ...context}),
  };
}

export function aScore(
  timeMs: number,
  hosts: readonly string[],
  risks: readonly number[],
  fields: Partial<ScoresRecord> = {},
): ScoresRecord {
  return {
    timeMs,
    epoch: 1,
    tickNumber: 1,
    kind: 'risk',
    featureHash: 0,
    modelHash: 'feed',
    hosts,
    risks: Float32Array.from(risks),
    components: COMPONENTS.slice(0, risks.length / hosts.length),
    reasons: [],
    ...fields,
  };
}

export function aDecision(number: number, fields: Partial<Decision> = {}): Decision {
  return {
    id: `0/1/${number}/d0`,
    atMs: START_MS + number * 1000,
    entity: 'hosts/h1',
    host: 'h1',
    risk: 0.4,
    component: 'memory',
    action: 'cordon',
    targetHost: '',
    because: 'risk 0.40 is above 0.10',
    outcome: 'would-act',
    blockedBy: '',
    alternatives: [],
    modelHash: 'feed',
    policyVersion: 1,
    ...fields,
  };
}

export function anEffect(number: number, fields: Partial<IssuedEffect> = {}): IssuedEffect {
  return {
    id: `0/1/${number}/0`,
    kind: 'cordon-host',
    host: 'h1',
    vm: '',
    targetHost: '',
    weightPercent: 0,
    deadlineMs: START_MS + 60_000,
    agent: 'h1',
    address: '127.0.0.1:7500',
    ...fields,
  };
}
