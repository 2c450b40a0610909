/** What VMs are like is told when it changed, and once an hour: their needs drift. */
import {takeClosed, type Workload} from '../domain/workload.ts';
import {DIRTY_CLASSES, dirtyClassOf} from '../domain/workload-profile.ts';
import {linkBytesPerSecond, workloadOf} from './fleet-view.ts';
import type {PartitionState, VmEntry} from './partition-state.ts';
import type {SetTable} from './set-table.ts';
import type {TickDraft} from './tick-draft.ts';

/** Slots between two that are told although nothing changed. */
const REPEAT_SLOTS = 12;

/** Looks at the VMs whose slots were closed by this tick's samples. O(those). */
export function takeWorkloads(draft: TickDraft): void {
  const {state} = draft;
  for (const table of state.tables.values()) {
    const {workload} = table;
    if (workload === undefined || workload.closed.length === 0) continue;
    for (const vm of vmsOf(state, table, takeClosed(workload))) {
      const profile = workloadOf(state, vm);
      const facts = state.hosts.get(vm.seenOn)?.facts;
      const share = profile.dirtyBytesPerSecond / linkBytesPerSecond(facts);
      const dirtyClass = dirtyClassOf(share, profile.dirtyClass);
      workload.dirty[vm.row] = DIRTY_CLASSES.indexOf(dirtyClass);
      if (isNews(workload, vm.row)) draft.workloads.push({vm: vm.name, ...profile, dirtyClass});
    }
  }
}

function vmsOf({vms}: PartitionState, {set, names}: SetTable, rows: readonly number[]): VmEntry[] {
  return rows
    .map(row => vms.get((names[row] as string).slice('vms/'.length)))
    .filter((vm): vm is VmEntry => vm?.table === set.name && vm.row >= 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isNews({kind, daily, dirty, told, slots}: Workload, row: number): boolean {
  const now = 1 + [kind, daily, dirty].reduce((code, of) => 8 * code + (of[row] as number), 0);
  const isRepeated = ((slots[row] as number) + row) % REPEAT_SLOTS === 0;
  if (told[row] === now && !isRepeated) return false;
  told[row] = now;
  return true;
}
