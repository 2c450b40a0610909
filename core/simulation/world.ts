import type {Component} from '../domain/components.ts';
import type {Random} from '../ports.ts';
import type {BootHistory} from './boots.ts';
import type {Episode} from './faults.ts';
import type {SensorRange} from './hardware-generation.ts';
import type {Ledger} from './ledger.ts';
import type {LoadShape} from './load-shapes.ts';
import type {Occasion} from './occasions.ts';
import type {ChangeTimes, People} from './people.ts';
import type {Stress} from './symptoms.ts';
import type {Task} from './tasks.ts';
import type {Wear} from './wear.ts';

/**
 * `unreachable`: it runs, nobody hears it. `hung`: its VMs stand still and may go on. `crashed` and
 * `off`: nothing runs on it.
 */
export type HostState = 'up' | 'unreachable' | 'hung' | 'crashed' | 'off';

export type SimulatedHost = {
  readonly name: string;
  readonly index: number;
  readonly cell: string;
  readonly rack: string;
  readonly rackIndex: number;
  readonly cpuCores: number;
  /** What guests may have; the machine itself has a little more. */
  readonly memoryBytes: number;
  readonly migrationBytesPerSecond: number;
  readonly traits: HostTraits;
  readonly random: Random;
  /** Faults and disturbances still to come or under way, by onset. */
  episodes: Episode[];
  /** What people will do or are doing here, by beginning. */
  occasions: Occasion[];
  /** When the next of them takes the host down; infinite: none. */
  rebootsAtMs: number;
  people: People;
  changes: ChangeTimes;
  readonly history: BootHistory;
  wear: Wear;
  /** Every time it went down, oldest first; the last one may still last. */
  readonly outages: Outage[];
  state: HostState;
  cordoned: boolean;
  /** Powered off by us: its VMs do not start by themselves when it is back. */
  fenced: boolean;
  /** Counts the boots; part of the boot id. */
  boots: number;
  /** When it comes back; infinite while it is up. */
  returnsAtMs: number;
  temperatureCelsius: number;
  /** Sums over the VMs that run here, of this second. */
  cpuCoresUsed: number;
  memoryBytesUsed: number;
  diskReadBytes: number;
  diskWriteBytes: number;
  networkReceiveBytes: number;
  networkTransmitBytes: number;
  requestsPerSecond: number;
  /** Cores of the VMs that are placed here, and of those among them that are batch or steady. */
  guestCores: number;
  batchCores: number;
  steadyCores: number;
  stress: Stress;
  /** Columns of host.v2 in this second; all NaN when nothing is heard of it. */
  values: Float32Array;
};

/** One time that a host was down or cut off. */
export type Outage = {
  readonly fromMs: number;
  /** When it is back, as far as that is known. */
  untilMs: number;
  /** `planned`: somebody meant it; `fenced`: we did. */
  readonly cause: 'failed' | 'planned' | 'fenced';
  readonly kind: string;
  /** The part that failed. */
  readonly component: Component | undefined;
};

/** How one host differs from the next. */
export type HostTraits = {
  noiseSeed: number;
  inletCelsius: number;
  fanRpm: number;
  voltageRatio: number;
  diskLatencySeconds: number;
  correctedErrorsPerSecond: number;
  latencySeconds: number;
  hasWatchdog: boolean;
  /** 1 where a column has no sensor. */
  missing: Uint8Array;
  /** What sensors of a newer generation tell otherwise; undefined: none. */
  generation: readonly SensorRange[] | undefined;
  /** What its inventory names it; empty where all hosts are of one model. */
  hardware: string;
};

type VmState = 'running' | 'booting' | 'dead';

export type SimulatedVm = {
  readonly name: string;
  readonly index: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  readonly criticality: number;
  readonly dirtyBytesPerSecond: number;
  readonly antiAffinityGroup: string;
  readonly pinnedReason: string;
  readonly tenant: string;
  readonly requestsPerSecond: number;
  readonly load: VmLoad;
  readonly random: Random;
  /** Where it runs, boots, or died. */
  host: SimulatedHost;
  state: VmState;
  /** When it has booted; infinite unless it boots. */
  bootedAtMs: number;
  ghost: Ghost | undefined;
  /** Traffic that the balancer was told to send to a host; the rest follows the VM. */
  traffic: {host: SimulatedHost; share: number} | undefined;
  /** Changes that were copied back to a repaired home, which holds room for them for a while. */
  syncedBack: {host: SimulatedHost; untilMs: number} | undefined;
  /** How often each kind of thing was done to it: names the next draw. */
  draws: number;
  cpuCoresUsed: number;
  memoryRatio: number;
  diskReadBytes: number;
  diskWriteBytes: number;
};

/** How one VM plays a recorded load. */
export type VmLoad = {
  shape: LoadShape;
  /** Row of the recording that the run starts at. */
  firstRow: number;
  cpuBase: number;
  cpuRange: number;
  memoryBase: number;
  diskBytes: number;
  networkBytes: number;
  noiseSeed: number;
  character: 'batch' | 'steady' | 'varying';
};

/** A paused twin; it holds the VM's memory on its host. */
type Ghost = {host: SimulatedHost; armed: boolean; recoveryPointSeconds: number};

export type World = {
  readonly hosts: readonly SimulatedHost[];
  readonly vms: readonly SimulatedVm[];
  readonly racks: number;
  readonly random: Random;
  readonly startMs: number;
  readonly repairFactor: number;
  readonly ledger: Ledger;
  /** Effects under way, in the order of their start. */
  tasks: Task[];
  nowMs: number;
};

/** Whether users of the VM are served, apart from where the balancer sends them. */
export function isServing(vm: SimulatedVm): boolean {
  return vm.state === 'running' && vm.host.state === 'up';
}

/** Whether anything of the VM may still run where it is placed: a hung host may go on. */
export function mayRun(vm: SimulatedVm): boolean {
  const {state} = vm.host;
  return vm.state !== 'dead' && (state === 'up' || state === 'unreachable' || state === 'hung');
}

/** Memory that a host has given away: VMs, ghosts, and room held for what is on its way. */
export function committedBytes(world: World, host: SimulatedHost): number {
  let bytes = 0;
  for (const vm of world.vms) {
    if (vm.host === host) bytes += vm.memoryBytes;
    if (vm.ghost?.host === host) bytes += vm.memoryBytes;
    if (vm.syncedBack?.host === host && vm.syncedBack.untilMs > world.nowMs) {
      bytes += vm.memoryBytes;
    }
  }
  for (const task of world.tasks) if (task.target === host) bytes += task.heldBytes;
  return bytes;
}
