/** VMs that their host names no longer: deleted, gone down with a reboot, or somewhere else. */
import type {InventoryHost} from '../domain/telemetry.ts';
import {resource} from './actor-row.ts';
import {isDown, loseVm, seenElsewhere} from './host-fate.ts';
import {isOldNews, knownAtMs, OLD_NEWS_MS} from './old-news.ts';
import type {HostEntry, PartitionState, VmEntry} from './partition-state.ts';
import {releaseRow} from './set-table.ts';
import {send, type TickDraft} from './tick-draft.ts';

/** From so many inventories in a row without a VM on it is asked where it is: one is a race. */
const MISSING_MAX = 2;
/** What an edge says of VMs may be older than the samples it travels with by as much. */
const INVENTORY_AGE_MS = 10_000;

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
    const other = seenElsewhere(state, vm, host);
    if (other !== undefined && stillNames(state, other, name)) {
      vm.missing = 0;
      const {timeMs: atMs} = state;
      send(draft, resource('vm', name), {type: 'placement.observed', atMs, host: other.name});
    } else if (wentDown) {
      // Users wait for it: a host that is behind is not waited for. Its lock keeps it from running twice.
      vm.missing = 0;
      loseVm(draft, host, name);
    } else if (haveAllTold(state, vm)) {
      forget(state, name);
    }
  }
}

function forget(state: PartitionState, name: string): void {
  const id = resource('vm', name);
  for (const table of state.tables.values()) releaseRow(table, id);
  state.vms.delete(name);
  state.decided.delete(id);
  state.actors.remove(id);
}

function stillNames(state: PartitionState, host: HostEntry, name: string): boolean {
  return isHeard(state, host) && host.facts?.vms.some(({vm}) => vm === name) === true;
}

/**
 * Whether all hosts of the VM's cell have told of later than when it was first missed: inventories of
 * different hosts come in any order, and the one that has the VM may still be in its edge's spool.
 * An edge whose clock is ahead is believed, whatever its spool holds.
 */
function haveAllTold(state: PartitionState, {cell, missingSinceMs}: VmEntry): boolean {
  for (const host of state.hosts.values()) {
    if (host.cell !== cell || !isHeard(state, host)) continue;
    if (host.toldAtMs <= missingSinceMs + INVENTORY_AGE_MS) return false;
  }
  return true;
}

/** Neither lost nor silent for as long as a spool may be behind: what it says is waited for. */
function isHeard(state: PartitionState, {name, toldAtMs}: HostEntry): boolean {
  if (state.timeMs - toldAtMs > OLD_NEWS_MS) return false;
  return state.actors.hostContext(name)?.lost === false;
}
