/** What happens to hosts and their VMs: failing, power off, coming back, booting, moving. */
import {between} from './draws.ts';
import {type Episode, type FaultKind, RESTART_MINUTES, repairMs} from './faults.ts';
import {noStress} from './symptoms.ts';
import {
  type HostState,
  isServing,
  type SimulatedHost,
  type SimulatedVm,
  type World,
} from './world.ts';

/** How each kind of fault leaves its host. */
const FAILED_STATE: Readonly<Record<FaultKind, HostState>> = {
  dimm: 'crashed',
  disk: 'crashed',
  psu: 'off',
  nic: 'unreachable',
  overheat: 'off',
  hang: 'hung',
  leak: 'crashed',
};

/** Somebody has to switch it on again. */
const POWER_ON_MS = 10_000;
const BOOT_SECONDS_MIN = 25;
const BOOT_SECONDS_MAX = 60;

/** The host's next failure, under way or still to come. */
export function nextFailure(host: SimulatedHost): Episode | undefined {
  for (const episode of host.episodes) if (episode.component !== undefined) return episode;
  return undefined;
}

/** The next fault runs its course: the host stops, and with it, or with its link, its VMs. */
export function failHost(world: World, host: SimulatedHost): void {
  const episode = nextFailure(host);
  if (episode === undefined) return;
  const atMs = episode.peakMs;
  const unprotected = world.vms.filter(
    vm => vm.host === host && isServing(vm) && vm.pinnedReason === '' && !vm.ghost?.armed,
  );
  world.ledger.hostFailed(host.name, atMs, unprotected.length);
  goDown(world, host, FAILED_STATE[episode.kind as FaultKind], atMs, episode.endMs);
}

/**
 * Power off through the out-of-band controller: proof that nothing runs here, and nothing will by
 * itself. A part that was failing is replaced while the host is off.
 */
export function powerOff(world: World, host: SimulatedHost, atMs: number): void {
  const ramping = nextFailure(host);
  let returnsAtMs = host.returnsAtMs;
  if (host.state === 'up') {
    const failing = ramping !== undefined && ramping.onsetMs <= atMs;
    const random = host.random.fork(`power-off/${host.boots}`);
    returnsAtMs =
      atMs +
      (failing
        ? ramping.endMs - ramping.peakMs
        : repairMs(random, RESTART_MINUTES, world.repairFactor));
  }
  goDown(world, host, 'off', atMs, Math.max(returnsAtMs, atMs + POWER_ON_MS));
  host.fenced = true;
}

function goDown(
  world: World,
  host: SimulatedHost,
  state: HostState,
  atMs: number,
  returnsAtMs: number,
): void {
  host.state = state;
  host.returnsAtMs = returnsAtMs;
  // What was to begin before it is back happens to nobody.
  host.episodes = host.episodes.filter(episode => episode.onsetMs >= returnsAtMs);
  host.stress = noStress();
  const stopped = state === 'crashed' || state === 'off';
  for (const vm of world.vms) {
    if (stopped && vm.ghost?.host === host) vm.ghost = undefined;
    if (stopped && vm.syncedBack?.host === host) vm.syncedBack = undefined;
    if (vm.host !== host) continue;
    if (stopped) setVmState(vm, 'dead');
    noteService(world, vm, atMs);
  }
}

/** The host's own agent stops its VMs, if it can still do anything. */
export function stopVms(world: World, host: SimulatedHost, atMs: number): void {
  if (host.state !== 'up' && host.state !== 'unreachable') return;
  for (const vm of world.vms) {
    if (vm.host !== host) continue;
    setVmState(vm, 'dead');
    noteService(world, vm, atMs);
  }
}

/**
 * Repaired and booted, with a new part. VMs that are still placed here start again, unless the host
 * was fenced: then they may be started elsewhere any moment, and only pinned ones start here.
 */
export function returnHost(world: World, host: SimulatedHost): void {
  const atMs = host.returnsAtMs;
  host.state = 'up';
  host.boots++;
  host.returnsAtMs = Number.POSITIVE_INFINITY;
  host.temperatureCelsius = host.traits.inletCelsius + 18;
  const {fenced} = host;
  host.fenced = false;
  for (const vm of world.vms) {
    if (vm.ghost?.host === host) vm.ghost = undefined;
    if (vm.host === host && (!fenced || vm.pinnedReason !== '')) bootVm(world, vm, host, atMs);
  }
}

/** Starts a VM from its disk on a host; `finishBoot` follows when it is up. */
export function bootVm(world: World, vm: SimulatedVm, host: SimulatedHost, atMs: number): void {
  const random = vm.random.fork(`boot/${vm.draws++}`);
  vm.host = host;
  vm.ghost = undefined;
  vm.traffic = undefined;
  vm.syncedBack = undefined;
  setVmState(vm, 'booting');
  vm.bootedAtMs = atMs + Math.round(1000 * between(random, BOOT_SECONDS_MIN, BOOT_SECONDS_MAX));
  noteService(world, vm, atMs);
}

export function finishBoot(world: World, vm: SimulatedVm): void {
  const atMs = vm.bootedAtMs;
  setVmState(vm, 'running');
  noteService(world, vm, atMs);
}

/** Places a running VM on another host without a pause: the end of a move. */
export function relocateVm(world: World, vm: SimulatedVm, host: SimulatedHost, atMs: number): void {
  vm.host = host;
  setVmState(vm, 'running');
  noteService(world, vm, atMs);
}

/** The ghost becomes the VM. Clients go on asking the old address until the balancer is told. */
export function takeOver(world: World, vm: SimulatedVm, target: SimulatedHost, atMs: number): void {
  if (vm.traffic?.host !== target) vm.traffic = {host: vm.host, share: 1};
  vm.ghost = undefined;
  relocateVm(world, vm, target, atMs);
}

function setVmState(vm: SimulatedVm, state: SimulatedVm['state']): void {
  vm.state = state;
  vm.bootedAtMs = Number.POSITIVE_INFINITY;
}

/** Tells the ledger whether the VM is served from `atMs` on. */
function noteService(world: World, vm: SimulatedVm, atMs: number): void {
  world.ledger.serve(vm.index, isServing(vm), atMs);
}
