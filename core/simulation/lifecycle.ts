/** What happens to hosts and their VMs: failing, power off, coming back, booting, moving. */

import {noteBoot} from './boots.ts';
import {between} from './draws.ts';
import {type Episode, type FaultKind, RESTART_MINUTES, repairMs} from './faults.ts';
import {nobody} from './people.ts';
import {bringFault, dueReboot, goAboutUntil, leaveUntil} from './presence.ts';
import {noStress} from './symptoms.ts';
import {newDisk} from './wear.ts';
import {
  type HostState,
  isServing,
  type Outage,
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
  let next: Episode | undefined;
  for (const episode of host.episodes) {
    if (episode.component === undefined) continue;
    if (next === undefined || episode.peakMs < next.peakMs) next = episode;
  }
  return next;
}

/** The next fault runs its course: the host stops, and with it, or with its link, its VMs. */
export function failHost(world: World, host: SimulatedHost): void {
  const episode = nextFailure(host);
  if (episode === undefined) return;
  const {kind, component, peakMs: atMs} = episode;
  world.ledger.hostFailed(host.name, atMs, unprotectedVms(world, host));
  const outage: Outage = {fromMs: atMs, untilMs: episode.endMs, cause: 'failed', kind, component};
  goDown(world, host, FAILED_STATE[kind as FaultKind], outage);
}

/**
 * Somebody, or a watchdog, restarts the host now. VMs that nobody has moved go down with it. Parts
 * that wear out go on doing so, unless it was maintenance; what a restart cures is cured.
 */
export function rebootHost(world: World, host: SimulatedHost): void {
  const atMs = host.rebootsAtMs;
  goAboutUntil(host, atMs);
  const occasion = dueReboot(host);
  if (occasion === undefined) return;
  const {kind, regression} = occasion;
  const isMeant = kind !== 'watchdog';
  const unprotected = unprotectedVms(world, host);
  if (isMeant) world.ledger.hostRebooted(host.name, atMs, unprotected);
  else world.ledger.hostFailed(host.name, atMs, unprotected);
  const untilMs = atMs + occasion.downMs;
  const outage: Outage = isMeant
    ? {fromMs: atMs, untilMs, cause: 'planned', kind, component: undefined}
    : {fromMs: atMs, untilMs, cause: 'failed', kind, component: 'cpu'};
  const goesOn = (episode: Episode): boolean =>
    kind !== 'maintenance' &&
    episode.peakMs > untilMs &&
    episode.component !== undefined &&
    episode.kind !== 'leak' &&
    episode.kind !== 'hang';
  goDown(world, host, 'off', outage, goesOn);
  bringFault(host, regression);
}

/** Movable VMs that would go down with the host. */
function unprotectedVms(world: World, host: SimulatedHost): number {
  return world.vms.filter(
    vm => vm.host === host && isServing(vm) && vm.pinnedReason === '' && !vm.ghost?.armed,
  ).length;
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
  const untilMs = Math.max(returnsAtMs, atMs + POWER_ON_MS);
  const component = undefined;
  goDown(world, host, 'off', {fromMs: atMs, untilMs, cause: 'fenced', kind: 'fence', component});
  host.fenced = true;
}

function goDown(
  world: World,
  host: SimulatedHost,
  state: HostState,
  outage: Outage,
  goesOn: (episode: Episode) => boolean = () => false,
): void {
  const {fromMs: atMs, untilMs: returnsAtMs} = outage;
  goAboutUntil(host, atMs);
  const last = host.outages.at(-1);
  // A host that is fenced while it is down is down for the reason that it was.
  if (host.state !== 'up' && last !== undefined) last.untilMs = returnsAtMs;
  else host.outages.push(outage);
  host.state = state;
  host.returnsAtMs = returnsAtMs;
  // What was to begin before it is back happens to nobody.
  const {episodes} = host;
  host.episodes = episodes.filter(episode => episode.onsetMs >= returnsAtMs || goesOn(episode));
  const wasFailing = episodes.some(({kind, onsetMs}) => kind === 'disk' && onsetMs <= atMs);
  const isFailing = host.episodes.some(({kind, onsetMs}) => kind === 'disk' && onsetMs <= atMs);
  if (wasFailing && !isFailing) host.wear = newDisk();
  leaveUntil(host, returnsAtMs);
  host.stress = noStress();
  const stopped = state === 'crashed' || state === 'off';
  for (const vm of world.vms) {
    if (stopped && vm.ghost?.host === host) vm.ghost = undefined;
    if (stopped && vm.syncedBack?.host === host) vm.syncedBack = undefined;
    if (vm.host !== host) continue;
    if (stopped) setVmState(vm, 'dead');
    noteService(world, vm, atMs, outage.cause === 'planned');
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
  rememberBoot(host, atMs);
  host.returnsAtMs = Number.POSITIVE_INFINITY;
  host.temperatureCelsius = host.traits.inletCelsius + 18;
  const {fenced} = host;
  host.fenced = false;
  for (const vm of world.vms) {
    if (vm.ghost?.host === host) vm.ghost = undefined;
    if (vm.host === host && (!fenced || vm.pinnedReason !== '')) bootVm(world, vm, host, atMs);
  }
}

/** A boot ends all sessions and runs what was installed for it. */
function rememberBoot(host: SimulatedHost, atMs: number): void {
  const outage = host.outages.at(-1);
  const fromMs = outage?.fromMs ?? atMs;
  const unclean = outage?.cause !== 'planned';
  noteBoot(host.history, {atMs, unclean, downSeconds: (atMs - fromMs) / 1000});
  if (host.people.kernelNewer > 0) host.changes.kernel = atMs;
  if (host.people.firmwareNewer > 0) host.changes.firmware = atMs;
  host.people = nobody();
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
  vm.host.changes.migration = atMs;
  host.changes.migration = atMs;
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
function noteService(world: World, vm: SimulatedVm, atMs: number, isPlanned = false): void {
  world.ledger.serve(vm.index, isServing(vm), atMs, isPlanned);
}
