import type {HostContext, VmContext} from '../../statecharts/events.ts';
import type {CellView, HostView, VmView} from '../domain/fleet.ts';
import type {TopState} from '../domain/fleet-state.ts';
import {usageP95} from '../domain/usage.ts';
import {resource} from './actor-directory.ts';
import {bandRow, type HostEntry, type PartitionState, type VmEntry} from './partition-state.ts';
import {riskiestComponent} from './set-table.ts';

/** The partition's cells as the planner sees them, by name; hosts and VMs ascend by name. */
export function cellViews(state: PartitionState): CellView[] {
  const busy = new Set<string>();
  for (const effect of state.running.values()) {
    busy.add(effect.vm === '' ? `hosts/${effect.host}` : `vms/${effect.vm}`);
  }
  const cells = new Map<string, {hosts: HostView[]; vms: VmView[]}>();
  const cell = (name: string) => {
    const known = cells.get(name) ?? {hosts: [], vms: []};
    cells.set(name, known);
    return known;
  };
  for (const host of state.hosts.values()) {
    const context = state.actors.hostContext(host.name);
    if (context !== undefined) cell(host.cell).hosts.push(hostView(state, host, context, busy));
  }
  for (const vm of state.vms.values()) {
    const context = state.actors.vmContext(vm.name);
    if (context !== undefined) cell(vm.cell).vms.push(vmView(state, vm, context, busy));
  }
  return [...cells]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, {hosts, vms}]) => ({
      cell: name,
      nowMs: state.timeMs,
      hosts: hosts.sort(byName),
      vms: vms.sort(byName),
      movesLastHour: movesLastHour(state, name),
    }));
}

function byName(a: {name: string}, b: {name: string}): number {
  return a.name < b.name ? -1 : 1;
}

function movesLastHour(state: PartitionState, cell: string): number {
  const moves = state.moves.get(cell) ?? [];
  return moves.filter(atMs => state.timeMs - atMs < 3_600_000).length;
}

export function topOf(path: string): TopState {
  return path.split('.', 1)[0] as TopState;
}

/** What a link is taken to carry where the inventory does not say: 10 Gbit/s. */
const LINK_BYTES_PER_SECOND = 1.25e9;

function hostView(
  state: PartitionState,
  host: HostEntry,
  context: HostContext,
  busy: ReadonlySet<string>,
): HostView {
  const path = state.actors.path(resource('host', host.name));
  const found = bandRow(state, host);
  const {facts} = host;
  return {
    name: host.name,
    cell: host.cell,
    rack: facts?.rack ?? '',
    cpuCores: facts?.cpuCores ?? 0,
    memoryBytes: facts?.memoryBytes ?? 0,
    migrationBytesPerSecond: facts?.migrationBytesPerSecond || LINK_BYTES_PER_SECOND,
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
    busy: busy.has(resource('host', host.name)),
  };
}

function vmView(
  state: PartitionState,
  vm: VmEntry,
  context: VmContext,
  busy: ReadonlySet<string>,
): VmView {
  const path = state.actors.path(resource('vm', vm.name));
  const {facts} = vm;
  const table = state.tables.get(vm.table);
  const p95 = table === undefined || vm.row < 0 ? Number.NaN : usageP95(table.usage, vm.row);
  return {
    name: vm.name,
    cpuCores: facts.cpuCores,
    memoryBytes: facts.memoryBytes,
    criticality: facts.criticality,
    dirtyBytesPerSecond: facts.dirtyBytesPerSecond,
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
    busy: busy.has(resource('vm', vm.name)),
    movedAtMs: vm.movedAtMs,
    failedAtMs: vm.failedAtMs,
  };
}
