/** Who is where at the start: cells, racks, hosts of one size, VMs that fit with room to spare. */
import {strict as assert} from 'node:assert';
import {ForestayError} from '../domain/errors.ts';
import {partitionOfCell} from '../domain/hash.ts';
import {HOST_METRICS} from '../domain/metric-sets.ts';
import type {Random} from '../ports.ts';
import {between, lognormal, noiseSeed, pick} from './draws.ts';
import {drawEpisodes, type FaultPlan} from './faults.ts';
import {drawHabit} from './habits.ts';
import {drawOccasions, habitOf, type IntentHost} from './intents.ts';
import {drawLifeEpisodes} from './life-faults.ts';
import {firstReboot} from './occasions.ts';
import {drawMissing, drawPast, drawPeople} from './past.ts';
import {nobody} from './people.ts';
import {noStress} from './symptoms.ts';
import type {Tempo} from './tempo.ts';
import {drawVmLoad} from './vm-load.ts';
import type {HostTraits, SimulatedHost, SimulatedVm} from './world.ts';

export type TopologyOptions = {
  cells: number;
  hosts: number;
  vms: number;
  racks: number;
  cellPrefix?: string | undefined;
};

const GIB = 2 ** 30;
/** Share of memory and cores that is given to VMs at the start: the rest lets hosts be emptied. */
const COMMITTED_RATIO = 0.72;
const MIGRATION_BYTES_PER_SECOND = 1.25e9;
const TENANTS = 12;
const SIZES = [
  {cores: 2, weight: 0.3},
  {cores: 4, weight: 0.4},
  {cores: 8, weight: 0.25},
  {cores: 16, weight: 0.05},
];
/** Boards differ in what they can measure: each group is missing on some. */
const SENSOR_GROUPS = [
  ['voltage_deviation_ratio'],
  ['fan_speed_rpm'],
  ['memory_corrected_errors_per_second', 'memory_uncorrected_errors_per_second'],
];
const SENSOR_MISSING_RATIO = 0.04;
const WATCHDOG_SHARE = 0.4;

/** Names of cells that fall into different partitions: `cell-a`, `cell-b`, … */
export function cellNames(count: number, prefix = 'cell-'): string[] {
  const names: string[] = [];
  const taken = new Set<number>();
  for (let number = 0; names.length < count; number++) {
    assert.ok(number < 10_000, `${count} cells need more partitions than there are`);
    const name = `${prefix}${letters(number)}`;
    const partition = partitionOfCell(name);
    if (taken.has(partition)) continue;
    taken.add(partition);
    names.push(name);
  }
  return names;
}

/** a, b, … z, aa, ab, … */
function letters(number: number): string {
  const last = String.fromCharCode(97 + (number % 26));
  return number < 26 ? last : letters(Math.floor(number / 26) - 1) + last;
}

/** What is to happen besides faults. */
export type LifePlan = FaultPlan & {tempo: Tempo; intents: 'none' | 'usual'};

type VmDraft = Omit<SimulatedVm, 'host'> & {cell: number};

/** Draws hosts and VMs and places the VMs, each cell by itself. */
export function buildTopology(
  random: Random,
  options: TopologyOptions,
  plan: LifePlan,
): {hosts: SimulatedHost[]; vms: SimulatedVm[]} {
  const {cells, hosts: hostCount, vms: vmCount} = options;
  assert.ok(cells >= 1 && hostCount >= cells, `${hostCount} hosts cannot fill ${cells} cells`);
  const drafts = Array.from({length: vmCount}, (_, index) =>
    draftVm(random, index, Math.floor((index * cells) / vmCount), options),
  );
  const memoryBytes = roomFor(drafts, hostCount, vm => vm.memoryBytes, 32 * GIB);
  const cpuCores = roomFor(drafts, hostCount, vm => vm.cpuCores, 8);
  const names = cellNames(cells, options.cellPrefix);
  const hosts = Array.from({length: hostCount}, (_, index) => {
    const cell = Math.floor((index * cells) / hostCount);
    const place = placeInRack(index, cell, options);
    return buildHost(random, index, {cell: names[cell] as string, ...place}, plan, {
      memoryBytes,
      cpuCores,
    });
  });
  const vms = names.flatMap((name, cell) =>
    placeVms(
      hosts.filter(host => host.cell === name),
      drafts.filter(vm => vm.cell === cell),
    ),
  );
  if (!plan.tempo.isLapse) for (const host of hosts) liveLong(host, vms, plan);
  return {hosts, vms: vms.sort((a, b) => a.index - b.index)};
}

/** Size of each host so that all VMs together take {@link COMMITTED_RATIO} of it. */
function roomFor(
  vms: readonly VmDraft[],
  hosts: number,
  size: (vm: VmDraft) => number,
  step: number,
): number {
  let total = 0;
  let largest = 0;
  for (const vm of vms) {
    total += size(vm);
    largest = Math.max(largest, size(vm));
  }
  const wanted = Math.max(total / hosts / COMMITTED_RATIO, 2 * largest, step);
  return Math.ceil(wanted / step) * step;
}

function placeInRack(index: number, cell: number, {cells, hosts, racks}: TopologyOptions) {
  const first = Math.ceil((cell * hosts) / cells);
  const size = Math.ceil(((cell + 1) * hosts) / cells) - first;
  const racksHere = Math.max(1, Math.round(racks / cells));
  const number = Math.floor(((index - first) * racksHere) / size);
  return {rack: `rack-${letters(cell)}${number + 1}`, rackIndex: cell * racksHere + number};
}

function buildHost(
  root: Random,
  index: number,
  place: {cell: string; rack: string; rackIndex: number},
  plan: LifePlan,
  size: {memoryBytes: number; cpuCores: number},
): SimulatedHost {
  const name = `h${String(index + 1).padStart(2, '0')}`;
  const random = root.fork(`hosts/${name}`);
  const traits = drawTraits(random.fork('traits'));
  const fleetHabit = drawHabit(root.fork('habit'));
  const {hasWatchdog} = traits;
  const rackRandom = root.fork(`racks/${place.rackIndex}`);
  const intentHost: IntentHost = {random, rackRandom, fleetHabit, index, hasWatchdog};
  const occasions = plan.intents === 'none' ? [] : drawOccasions(intentHost, plan);
  return {
    name,
    index,
    ...place,
    ...size,
    migrationBytesPerSecond: MIGRATION_BYTES_PER_SECOND,
    traits,
    random,
    // Those of a long life depend on what runs here.
    episodes: plan.tempo.isLapse ? drawEpisodes(random, plan) : [],
    occasions,
    rebootsAtMs: firstReboot(occasions),
    people: plan.intents === 'none' ? nobody() : drawPeople(random.fork('people')),
    ...drawPast(random.fork('past'), habitOf(intentHost), plan.startMs),
    outages: [],
    state: 'up',
    cordoned: false,
    fenced: false,
    boots: 1,
    returnsAtMs: Number.POSITIVE_INFINITY,
    temperatureCelsius: traits.inletCelsius + 26,
    cpuCoresUsed: 0,
    memoryBytesUsed: 0,
    diskReadBytes: 0,
    diskWriteBytes: 0,
    networkReceiveBytes: 0,
    networkTransmitBytes: 0,
    requestsPerSecond: 0,
    guestCores: 0,
    batchCores: 0,
    steadyCores: 0,
    stress: noStress(),
    values: new Float32Array(HOST_METRICS.columns.length).fill(Number.NaN),
  };
}

function liveLong(host: SimulatedHost, vms: readonly SimulatedVm[], plan: LifePlan): void {
  const guests = vms.filter(vm => vm.host === host);
  const cores = guests.reduce((sum, vm) => sum + vm.cpuCores, 0);
  const batch = guests.filter(vm => vm.load.character === 'batch');
  const batchCores = batch.reduce((sum, vm) => sum + vm.cpuCores, 0);
  const context = {
    batchRatio: cores === 0 ? 0 : batchCores / cores,
    diskAgeHours: host.wear.ageHours,
  };
  host.episodes = drawLifeEpisodes(host.random, plan, context, plan.tempo.labelMs);
}

function drawTraits(random: Random): HostTraits {
  const missing = new Uint8Array(HOST_METRICS.columns.length);
  for (const group of SENSOR_GROUPS) {
    if (random.next() >= SENSOR_MISSING_RATIO) continue;
    for (const column of group) missing[HOST_METRICS.columns.indexOf(column)] = 1;
  }
  // Of a stream of its own, so that what hosts differed in before stays as it is.
  const more = random.fork('more');
  drawMissing(more, HOST_METRICS.columns, missing);
  return {
    noiseSeed: noiseSeed(random),
    inletCelsius: between(random, 21, 26),
    fanRpm: between(random, 7000, 9500),
    voltageRatio: between(random, -0.01, 0.01),
    diskLatencySeconds: lognormal(random, 0.0012, 0.35),
    // Most memory is clean; one module in twelve has corrected errors all its long life.
    correctedErrorsPerSecond: random.next() < 0.08 ? between(random, 0.02, 0.5) : 0.0005,
    latencySeconds: lognormal(more, 0.02, 0.6),
    hasWatchdog: more.next() < WATCHDOG_SHARE,
    missing,
    generation: undefined,
    hardware: '',
  };
}

function draftVm(root: Random, index: number, cell: number, options: TopologyOptions): VmDraft {
  const name = `v${String(index + 1).padStart(3, '0')}`;
  const random = root.fork(`vms/${name}`);
  const size = pick(random, SIZES, one => one.weight);
  const critical = random.next() < 0.12;
  // Large in-memory databases write faster than the link can carry: they never converge.
  const writesHard = random.next() < 0.55 && critical;
  const cpuCores = writesHard ? 8 : size.cores;
  const gibPerCore = random.next() < 0.5 ? 2 : 4;
  const calmBytes = Math.min(2.5e8, lognormal(random, 3e7, 0.8));
  const criticality = critical ? between(random, 0.9, 1) : 0.05 + 0.75 * random.next() ** 2;
  const pinned = random.next() < 0.015 && !critical;
  return {
    name,
    index,
    cell,
    cpuCores,
    memoryBytes: cpuCores * gibPerCore * GIB,
    criticality: Math.round(criticality * 100) / 100,
    dirtyBytesPerSecond: Math.round(writesHard ? between(random, 1.5e9, 2.1e9) : calmBytes),
    antiAffinityGroup: antiAffinityGroup(root, index, cell, options),
    pinnedReason: pinned ? 'uses a GPU of its host' : '',
    tenant: `tenant-${1 + Math.floor(random.next() * TENANTS)}`,
    requestsPerSecond: Math.round(lognormal(random, 15, 0.6) * (1 + 4 * criticality)),
    load: drawVmLoad(random.fork('load'), cpuCores),
    random,
    state: 'running',
    bootedAtMs: Number.POSITIVE_INFINITY,
    ghost: undefined,
    traffic: undefined,
    syncedBack: undefined,
    draws: 0,
    cpuCoresUsed: 0,
    memoryRatio: 0,
    diskReadBytes: 0,
    diskWriteBytes: 0,
  };
}

/** Every eighth couple of neighbours by number must not share a host. */
function antiAffinityGroup(
  root: Random,
  index: number,
  cell: number,
  {cells, hosts, vms}: TopologyOptions,
): string {
  const first = index - (index % 2);
  const cellOf = (vm: number) => Math.floor((vm * cells) / vms);
  if (hosts < 2 * cells || first + 1 >= vms || cellOf(first) !== cellOf(first + 1)) return '';
  assert.equal(cellOf(first), cell);
  return root.fork(`pairs/${first}`).next() < 0.125 ? `pair-${first + 1}` : '';
}

/** Largest first, each onto the host with the smallest share of memory given away. */
function placeVms(hosts: readonly SimulatedHost[], drafts: readonly VmDraft[]): SimulatedVm[] {
  const rooms = hosts.map(host => ({host, memoryBytes: 0, cpuCores: 0, groups: new Set<string>()}));
  const order = [...drafts].sort((a, b) => b.memoryBytes - a.memoryBytes || a.index - b.index);
  return order.map(({cell: _, ...draft}) => {
    const group = draft.antiAffinityGroup;
    const open = rooms.filter(
      room =>
        !(group !== '' && room.groups.has(group)) &&
        room.memoryBytes + draft.memoryBytes <= room.host.memoryBytes,
    );
    if (open.length === 0) throw noRoom(drafts.length, hosts.length);
    const best = open.reduce((a, b) => (fullness(b) < fullness(a) ? b : a));
    best.memoryBytes += draft.memoryBytes;
    best.cpuCores += draft.cpuCores;
    if (group !== '') best.groups.add(group);
    return {...draft, host: best.host};
  });
}

/** Too many VMs that must not share a host, or too large ones, for so few hosts. */
function noRoom(vms: number, hosts: number): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot place ${vms} VMs on the ${hosts} hosts of a cell; ask for more hosts or fewer VMs`,
    {details: {vms, hosts}},
  );
}

function fullness(room: {host: SimulatedHost; memoryBytes: number; cpuCores: number}): number {
  return Math.max(room.memoryBytes / room.host.memoryBytes, room.cpuCores / room.host.cpuCores);
}
