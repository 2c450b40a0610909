import type {CellView, HostView, VmView} from '../../core/domain/fleet.ts';
import type {Policy} from '../../core/domain/policy.ts';

export const GIB = 2 ** 30;
export const MINUTE_MS = 60_000;
/** When the cells of these tests are looked at. */
export const NOW_MS = 1_000_000_000;

/** Fixed here, so that tuning the product's defaults moves no test. */
export const policy: Policy = {
  version: 1,
  mode: 'auto',
  band: {enter: 0.25, enterHoldMs: 10_000, leave: 0.15, leaveHoldMs: 120_000},
  reboot: {threshold: 0.75},
  learning: {enabled: true},
  holdBack: {share: 0, criticalityMax: 0.3},
  horizonMs: 30 * MINUTE_MS,
  costs: {
    interruptionMinutes: 5,
    restartMinutes: 1.5,
    ghostTakeoverMinutes: 0.3,
    moveMinutes: 1,
    ghostMinutes: 0.3,
    ghostMinutesPerGibHour: 0.02,
    cordonMinutesPerHour: 0.5,
    weightBase: 0.25,
    weightCritical: 1.25,
  },
  budgets: {
    concurrentPerHost: 2,
    concurrentPerCell: 6,
    movesPerHourPerCell: 120,
    ghostMemoryRatio: 0.25,
    ghostCriticalityMin: 0.7,
  },
  target: {cpuLimitRatio: 0.85, memoryLimitRatio: 0.95, riskLimit: 0.2},
  silence: {staleAfterMs: 10_000, fenceAfterMs: 30_000, fenceAtRiskAfterMs: 12_000},
  breaker: {hostsAtRiskRatio: 0.4, hostsAtRiskMin: 3},
  dwellMs: 10 * MINUTE_MS,
  cooldownMs: 2 * MINUTE_MS,
  probationMs: 2 * MINUTE_MS,
};

export const everyCapability = [
  'cordon-host',
  'uncordon-host',
  'fence-host',
  'start-migration',
  'arm-ghost',
  'restart-vm',
];

/** A healthy, idle, empty host that can do everything. */
export function aHost(name: string, changes: Partial<HostView> = {}): HostView {
  return {
    name,
    cell: 'c1',
    rack: 'r1',
    cpuCores: 32,
    memoryBytes: 128 * GIB,
    migrationBytesPerSecond: GIB,
    capabilities: everyCapability,
    observeOnly: false,
    top: 'normal',
    path: 'normal',
    risk: 0.01,
    announced: false,
    component: '',
    atRisk: false,
    cordoned: false,
    suspected: false,
    lost: false,
    frozen: false,
    silentForMs: 0,
    lagMs: 0,
    failedAtMs: 0,
    clearedAtMs: 0,
    busy: false,
    ...changes,
  };
}

/** A host that the model expects to fail. */
export function aRiskyHost(name: string, changes: Partial<HostView> = {}): HostView {
  return aHost(name, {
    top: 'at-risk',
    path: 'at-risk.watching',
    risk: 0.6,
    component: 'memory',
    atRisk: true,
    ...changes,
  });
}

/** A small critical VM at rest on a healthy host. */
export function aVm(name: string, host: string, changes: Partial<VmView> = {}): VmView {
  return {
    name,
    host,
    cpuCores: 4,
    memoryBytes: 8 * GIB,
    criticality: 1,
    declaredCriticality: changes.criticality ?? 1,
    dirtyBytesPerSecond: GIB / 100,
    antiAffinityGroup: '',
    pinnedReason: '',
    top: 'normal',
    path: 'normal',
    ghostHost: '',
    ghostArmed: false,
    homeHost: '',
    targetHost: '',
    cpuP95Cores: 2,
    busy: false,
    movedAtMs: 0,
    failedAtMs: 0,
    ...changes,
  };
}

/** The same VM on a host at risk, waiting for a decision. */
export function aRiskyVm(name: string, host: string, changes: Partial<VmView> = {}): VmView {
  return aVm(name, host, {top: 'at-risk', path: 'at-risk.observing', ...changes});
}

export function aCell(
  hosts: readonly HostView[],
  vms: readonly VmView[] = [],
  changes: Partial<CellView> = {},
): CellView {
  return {cell: 'c1', nowMs: NOW_MS, hosts, vms, movesLastHour: 0, ...changes};
}
