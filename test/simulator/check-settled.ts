/** S12 to S15: once nothing goes wrong any more, everything comes to rest. */
import type {PartitionState} from '../../core/engine/partition-state.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import type {Invariant} from './oracle.ts';

export type Unsettled = {invariant: Invariant; what: string};

/** Deadlines are told within a tick; after a gap within the next ones. */
const DEADLINE_MS = 10_000;

/** What is not at rest yet; nothing: the fleet is as if nothing had happened. */
export function unsettled(
  states: ReadonlyMap<number, PartitionState>,
  partitions: readonly number[],
  datacenter: Datacenter,
): Unsettled[] {
  const found: Unsettled[] = [];
  const add = (invariant: Invariant, what: string) => found.push({invariant, what});
  for (const partition of partitions) {
    const state = states.get(partition);
    if (state === undefined) add('S14', `nobody runs partition ${partition}`);
    else found.push(...unsettledActors(state));
  }
  for (const host of datacenter.hosts) {
    if (host.cordoned) add('S13', `${host.name} is still cordoned`);
    if (host.state !== 'up') add('S14', `${host.name} is ${host.state}`);
  }
  for (const vm of datacenter.vms) {
    if (vm.ghost !== undefined) add('S13', `${vm.name} still has a ghost on ${vm.ghost.host.name}`);
    if (vm.state !== 'running') add('S12', `${vm.name} is ${vm.state} on ${vm.host.name}`);
  }
  return found;
}

function unsettledActors(state: PartitionState): Unsettled[] {
  const found: Unsettled[] = [];
  const add = (invariant: Invariant, what: string) => found.push({invariant, what});
  for (const actor of state.actors.stored()) {
    const context = JSON.parse(actor.context) as {
      deadlineMs: number;
      cordoned?: boolean;
      ghostHost?: string;
      unresolved?: string;
    };
    const {id, state: path} = actor;
    if (actor.quarantined !== '') add('S16', `${id} is quarantined after ${actor.quarantined}`);
    if (path !== 'normal' && path !== 'ghost-active.serving') add('S12', `${id} is in ${path}`);
    if (path === 'normal' && context.cordoned) add('S13', `${id} is cordoned without a reason`);
    if (path === 'normal' && context.ghostHost) add('S13', `${id} has a ghost without a reason`);
    const {deadlineMs} = context;
    if (deadlineMs > 0 && deadlineMs < state.timeMs - DEADLINE_MS) {
      add('S15', `${id} waits in ${path} since its deadline, ${state.timeMs - deadlineMs} ms ago`);
    }
  }
  for (const {id, kind} of state.running.values()) add('S6', `${kind} ${id} still has no result`);
  for (const {name, frozen} of state.hosts.values()) {
    if (frozen) add('S14', `${name} is frozen`);
  }
  return found;
}
