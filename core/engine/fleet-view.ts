import type {HostContext, VmContext} from '../../statecharts/events.ts';
import type {CellView, HostView, VmView} from '../domain/fleet.ts';
import type {TopState} from '../domain/fleet-state.ts';
import {isAnnounced, riskCurve} from '../domain/lead-time.ts';
import {combineRisks} from '../domain/risk.ts';
import type {InventoryHost} from '../domain/telemetry.ts';
import {usageP95} from '../domain/usage.ts';
import {profileOf} from '../domain/workload.ts';
import {
  dirtyRate,
  plannedDirtyRate,
  UNKNOWN_WORKLOAD,
  type WorkloadProfile,
  weighedCriticality,
} from '../domain/workload-profile.ts';
import type {ActorAt} from './actor-directory.ts';
import {
  bandRow,
  type HostEntry,
  isAtRisk,
  type PartitionState,
  sortedKeys,
  type VmEntry,
} from './partition-state.ts';
import {partsOf, rebootWord, riskiestComponent, type SetTable} from './set-table.ts';

/**
 * Cells in which there may be something to decide. In all others the planner finds nothing
 * (`needsPlan`), so that they need not be shown to it.
 */
export function troubledCells(state: PartitionState): ReadonlySet<string> {
  const cells = new Set<string>();
  for (const id of state.actors.troubled) {
    const name = id.slice(id.indexOf('/') + 1);
    const entry = (id.startsWith('hosts/') ? state.hosts : state.vms).get(name);
    if (entry !== undefined) cells.add(entry.cell);
  }
  for (const host of state.hosts.values()) if (isAtRisk(state, host)) cells.add(host.cell);
  return cells;
}

/** These cells as the planner sees them, by name; hosts and VMs ascend by name. */
export function cellViews(state: PartitionState, wanted: ReadonlySet<string>): CellView[] {
  if (wanted.size === 0) return [];
  const cells = new Map(
    [...wanted].sort().map(name => [name, {hosts: [] as HostView[], vms: [] as VmView[]}]),
  );
  for (const name of sortedKeys(state.hosts)) {
    const host = state.hosts.get(name) as HostEntry;
    const actor = state.actors.host(name);
    if (actor !== undefined) cells.get(host.cell)?.hosts.push(hostView(state, host, actor));
  }
  for (const name of sortedKeys(state.vms)) {
    const vm = state.vms.get(name) as VmEntry;
    const actor = wanted.has(vm.cell) ? state.actors.vm(name) : undefined;
    if (actor !== undefined) cells.get(vm.cell)?.vms.push(vmView(state, vm, actor));
  }
  return [...cells].map(([cell, {hosts, vms}]) => ({
    cell,
    nowMs: state.timeMs,
    hosts,
    vms,
    movesLastHour: movesLastHour(state, cell),
  }));
}

function movesLastHour(state: PartitionState, cell: string): number {
  const moves = state.moves.get(cell) ?? [];
  return moves.filter(atMs => state.timeMs - atMs < 3_600_000).length;
}

export function topOf(path: string): TopState {
  const dot = path.indexOf('.');
  return (dot < 0 ? path : path.slice(0, dot)) as TopState;
}

/** What a link is taken to carry where the inventory does not say: 10 Gbit/s. */
const LINK_BYTES_PER_SECOND = 1.25e9;

/** Of a host's link for migrations. */
export function linkBytesPerSecond(facts: InventoryHost | undefined): number {
  return facts?.migrationBytesPerSecond || LINK_BYTES_PER_SECOND;
}

/** What is known of how a VM works: its samples, its inventory, its last move. */
export function workloadOf({tables}: PartitionState, vm: VmEntry): WorkloadProfile {
  const workload = tables.get(vm.table)?.workload;
  const isSampled = workload !== undefined && vm.row >= 0;
  const learned = isSampled ? profileOf(workload, vm.row) : UNKNOWN_WORKLOAD;
  const known = {
    inventory: vm.facts.dirtyBytesPerSecond,
    migration: vm.dirtiedBytesPerSecond,
    writes: learned.writeBytesPerSecond,
  };
  return {...learned, ...dirtyRate(known)};
}

function hostView(state: PartitionState, host: HostEntry, actor: ActorAt<HostContext>): HostView {
  const {state: path, context} = actor;
  const found = bandRow(state, host);
  const {facts} = host;
  return {
    ...(found === undefined
      ? {announced: false}
      : whenOf(found.table, found.row, state.timeMs, state.policy.horizonMs)),
    name: host.name,
    cell: host.cell,
    rack: facts?.rack ?? '',
    cpuCores: facts?.cpuCores ?? 0,
    memoryBytes: facts?.memoryBytes ?? 0,
    migrationBytesPerSecond: linkBytesPerSecond(facts),
    capabilities: facts?.capabilities ?? [],
    observeOnly: facts === undefined || facts.observeOnly || facts.actuatorAddress === '',
    top: topOf(path),
    path,
    risk: found === undefined ? Number.NaN : (found.table.bands.risk[found.row] as number),
    component: found === undefined ? '' : riskiestComponent(found.table, found.row),
    atRisk: found !== undefined && found.table.bands.band[found.row] === 1,
    cordoned: context.cordoned,
    suspected: context.suspected,
    lost: context.lost,
    frozen: host.frozen,
    silentForMs: state.timeMs - host.heardAtMs,
    lagMs:
      found === undefined ? 0 : state.timeMs - (found.table.windows.lastMs[found.row] as number),
    failedAtMs: host.failedAtMs,
    clearedAtMs: host.clearedAtMs,
    busy: state.running.isHostBusy(host.name),
  };
}

/** When a reboot that counts comes, and whether people have announced one. */
function whenOf(
  table: SetTable,
  row: number,
  nowMs: number,
  horizonMs: number,
): Pick<HostView, 'curve' | 'announced'> {
  const {outputs, risks} = table;
  const parts = partsOf(outputs);
  if (parts === outputs.length) return {announced: false};
  const from = row * outputs.length;
  const word = rebootWord(table, row, nowMs);
  const announced = isAnnounced(word.dueInMs, horizonMs);
  const reboot = risks[from + parts] as number;
  if (!(reboot > 0)) return {announced};
  const failure = combineRisks(risks, from, parts) || 0;
  return {curve: riskCurve(failure, reboot, word, horizonMs), announced};
}

function vmView(state: PartitionState, vm: VmEntry, actor: ActorAt<VmContext>): VmView {
  const {state: path, context} = actor;
  const {facts} = vm;
  const workload = workloadOf(state, vm);
  const table = state.tables.get(vm.table);
  const p95 = table === undefined || vm.row < 0 ? Number.NaN : usageP95(table.usage, vm.row);
  return {
    name: vm.name,
    cpuCores: facts.cpuCores,
    memoryBytes: facts.memoryBytes,
    criticality: weighedCriticality(facts.criticality, workload),
    declaredCriticality: facts.criticality,
    dirtyBytesPerSecond: plannedDirtyRate(workload),
    antiAffinityGroup: facts.antiAffinityGroup,
    pinnedReason: facts.pinnedReason,
    top: topOf(path),
    path,
    host: context.host,
    ghostHost: context.ghostHost,
    ghostArmed: context.ghostArmed,
    homeHost: context.homeHost,
    targetHost: context.targetHost,
    cpuP95Cores: (Number.isNaN(p95) ? 1 : p95) * facts.cpuCores,
    busy: state.running.isVmBusy(vm.name),
    movedAtMs: vm.movedAtMs,
    failedAtMs: vm.failedAtMs,
  };
}
