/** VMs that their host names no longer: deleted, gone down with a reboot, or somewhere else. */
import type {InventoryHost} from '../domain/telemetry.ts';
import {resource} from './actor-row.ts';
import {isDown, loseVm} from './host-fate.ts';
import {isOldNews, knownAtMs, OLD_NEWS_MS} from './old-news.ts';
import type {HostEntry, PartitionState, VmEntry} from './partition-state.ts';
import {releaseRow} from './set-table.ts';
import {send, type TickDraft} from './tick-draft.ts';

/** Inventories in a row without a VM before it is believed gone: one is a race, two are a fact. */
const MISSING_MAX = 2;

/**
 * Takes note of what an inventory does not name. A VM that nobody is moving and that no host of its
 * cell names was deleted, and is forgotten. One that nobody has seen since its host started anew went
 * down with the host's former life and did not come back: it is lost.
 */
export function takeMissing(
  draft: TickDraft,
  host: HostEntry,
  facts: InventoryHost,
  madeAtMs: number,
): void {
  const {state} = draft;
  const named = new Set(facts.vms.map(vm => vm.vm));
  for (const name of state.actors.vmsAt(host.name)) {
    const vm = state.vms.get(name);
    if (vm === undefined || named.has(name)) continue;
    if (isOldNews(state, madeAtMs, knownAtMs(vm))) continue;
    if (state.actors.vmContext(name)?.host !== host.name) continue;
    const path = state.actors.path(resource('vm', name));
    const wentDown = knownAtMs(vm) < host.bootAtMs;
    if (state.running.isVmBusy(name) || (wentDown ? isDown(path) : path !== 'normal')) continue;
    if (vm.missing === 0) vm.missingSinceMs = state.timeMs;
    vm.missing = Math.min(vm.missing + 1, MISSING_MAX);
    if (vm.missing < MISSING_MAX) continue;
    if (wentDown) {
      vm.missing = 0;
      loseVm(draft, host, name);
    } else {
      findOrForget(draft, vm, host);
    }
  }
}

function findOrForget(draft: TickDraft, vm: VmEntry, missedOn: HostEntry): void {
  const {state} = draft;
  const id = resource('vm', vm.name);
  const other = namedBy(state, vm.name, missedOn);
  if (other !== undefined) {
    vm.missing = 0;
    send(draft, id, {type: 'placement.observed', atMs: state.timeMs, host: other.name});
    return;
  }
  if (!haveAllTold(state, vm)) return;
  for (const table of state.tables.values()) releaseRow(table, id);
  state.vms.delete(vm.name);
  state.decided.delete(id);
  state.actors.remove(id);
}

/** Another host whose newest inventory has the VM: it is where it was not looked for, not deleted. */
function namedBy(state: PartitionState, vm: string, missedOn: HostEntry): HostEntry | undefined {
  for (const host of state.hosts.values()) {
    if (host === missedOn || isLost(state, host)) continue;
    if (host.facts?.vms.some(named => named.vm === vm)) return host;
  }
  return undefined;
}

/**
 * Whether all hosts of the VM's cell have told of later than when it was first missed: inventories of
 * different hosts come in any order, and the one that has the VM may still be in its edge's spool.
 * A host that has not told for as long as a spool may be behind is not waited for.
 */
function haveAllTold(state: PartitionState, {cell, missingSinceMs}: VmEntry): boolean {
  if (state.timeMs - missingSinceMs > OLD_NEWS_MS) return true;
  for (const host of state.hosts.values()) {
    if (host.cell !== cell || host.facts === undefined || isLost(state, host)) continue;
    if (host.toldAtMs <= missingSinceMs) return false;
  }
  return true;
}

function isLost(state: PartitionState, {name}: HostEntry): boolean {
  return state.actors.hostContext(name)?.lost !== false;
}
