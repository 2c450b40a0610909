import type {TargetPolicy} from './policy.ts';

/** What placement needs to know of a host. */
export type PlacementHost = {
  name: string;
  rack: string;
  cpuCores: number;
  memoryBytes: number;
  /** Not to be used at all: silent, lost, only observed, frozen. Empty: usable. */
  closedBecause: string;
  /** To be used only by what is down and fits nowhere else: cordoned, at risk. Empty: freely. */
  avoidedBecause: string;
  /** NaN: unknown, taken as 0. */
  risk: number;
};

/** What placement needs to know of a VM. */
export type PlacementVm = {
  name: string;
  host: string;
  cpuP95Cores: number;
  memoryBytes: number;
  antiAffinityGroup: string;
};

type Room = PlacementHost & {
  cpuFreeCores: number;
  memoryFreeBytes: number;
  ghostFreeBytes: number;
  groups: Map<string, number>;
};

/**
 * How full every host of a cell is while a plan is made. Choosing a target deducts it, so that the
 * next VM of the same plan sees what the earlier ones will take.
 */
export class Capacity {
  readonly #rooms: Room[];
  readonly #byName: Map<string, Room>;
  readonly #policy: TargetPolicy;

  /** @param ghostMemoryRatio Share of a host's memory that ghosts may hold. */
  constructor(hosts: readonly PlacementHost[], policy: TargetPolicy, ghostMemoryRatio = 1) {
    this.#policy = policy;
    this.#rooms = hosts.map(host => ({
      ...host,
      cpuFreeCores: host.cpuCores * policy.cpuLimitRatio,
      memoryFreeBytes: host.memoryBytes * policy.memoryLimitRatio,
      ghostFreeBytes: host.memoryBytes * ghostMemoryRatio,
      groups: new Map<string, number>(),
    }));
    this.#byName = new Map(this.#rooms.map(room => [room.name, room]));
  }

  /** Takes a VM's room on a host; a ghost takes memory but next to no CPU. */
  occupy(host: string, vm: PlacementVm, as: 'vm' | 'ghost' = 'vm'): void {
    const room = this.#byName.get(host);
    if (room === undefined) return;
    room.memoryFreeBytes -= vm.memoryBytes;
    if (as === 'vm') room.cpuFreeCores -= vm.cpuP95Cores;
    else room.ghostFreeBytes -= vm.memoryBytes;
    if (vm.antiAffinityGroup === '') return;
    room.groups.set(vm.antiAffinityGroup, (room.groups.get(vm.antiAffinityGroup) ?? 0) + 1);
  }

  /** Gives it back, for an alternative that was not taken. */
  release(host: string, vm: PlacementVm, as: 'vm' | 'ghost' = 'vm'): void {
    const room = this.#byName.get(host);
    if (room === undefined) return;
    room.memoryFreeBytes += vm.memoryBytes;
    if (as === 'vm') room.cpuFreeCores += vm.cpuP95Cores;
    else room.ghostFreeBytes += vm.memoryBytes;
    if (vm.antiAffinityGroup === '') return;
    room.groups.set(vm.antiAffinityGroup, (room.groups.get(vm.antiAffinityGroup) ?? 1) - 1);
  }

  /**
   * Best target for a VM, or why there is none. Of those that fit: another rack than `avoidRack`
   * first, then the largest share of room left free less the risk, then by name. A `rescue` is of a
   * VM that is down: it may also go where nothing else is put. O(hosts).
   */
  choose(
    vm: PlacementVm,
    avoidRack = '',
    as: 'vm' | 'ghost' | 'rescue' = 'vm',
  ): {host: string; risk: number} | {because: string} {
    let best: Room | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const room of this.#rooms) {
      if (this.#refuses(room, vm, as) !== '') continue;
      const free = Math.min(
        (room.cpuFreeCores - vm.cpuP95Cores) / room.cpuCores,
        (room.memoryFreeBytes - vm.memoryBytes) / room.memoryBytes,
      );
      // Free room less risk is between -1 and 1: another rack outweighs all of it.
      const score = free - knownRisk(room) + (avoidRack !== '' && room.rack !== avoidRack ? 2 : 0);
      if (score > bestScore) {
        best = room;
        bestScore = score;
      }
    }
    if (best !== undefined) return {host: best.name, risk: knownRisk(best)};
    const refused = new Map<string, number>();
    for (const room of this.#rooms) {
      const because = this.#refuses(room, vm, as);
      refused.set(because, (refused.get(because) ?? 0) + 1);
    }
    const counts = [...refused].sort(([a], [b]) => (a < b ? -1 : 1));
    return {because: `no target: ${counts.map(([why, n]) => `${n} ${why}`).join(', ')}`};
  }

  /** Why a VM may not go to this very host; empty if it may. */
  refusal(host: string, vm: PlacementVm): string {
    const room = this.#byName.get(host);
    return room === undefined ? 'not in the cell' : this.#refuses(room, vm, 'vm');
  }

  #refuses(room: Room, vm: PlacementVm, as: 'vm' | 'ghost' | 'rescue'): string {
    // Where it went down it may start again, once that host is back.
    const isBack = as === 'rescue' && room.closedBecause === '';
    if (room.name === vm.host && !isBack) return 'is the source';
    if (room.closedBecause !== '') return room.closedBecause;
    if (as !== 'rescue' && room.avoidedBecause !== '') return room.avoidedBecause;
    if (as !== 'rescue' && knownRisk(room) >= this.#policy.riskLimit) return 'too risky itself';
    if (room.memoryFreeBytes < vm.memoryBytes) return 'without memory';
    if (as === 'ghost' && room.ghostFreeBytes < vm.memoryBytes) return 'full of ghosts';
    if (room.cpuFreeCores < vm.cpuP95Cores) return 'without CPU';
    if (vm.antiAffinityGroup !== '' && (room.groups.get(vm.antiAffinityGroup) ?? 0) > 0) {
      return 'with a VM of its anti-affinity group';
    }
    return '';
  }
}

function knownRisk(host: PlacementHost): number {
  return Number.isNaN(host.risk) ? 0 : host.risk;
}
