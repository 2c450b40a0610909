/**
 * A new generation of hardware: the same faults, told by other sensors. Its hosts arrive while a
 * fleet is at work, empty, and are filled like any other.
 */
import {ForestayError} from '../domain/errors.ts';
import type {Random} from '../ports.ts';
import {hostColumn} from './columns.ts';
import {normal} from './draws.ts';
import {leaveUntil} from './presence.ts';
import {committedBytes, type SimulatedHost, type SimulatedVm, type World} from './world.ts';

/** How one column is told otherwise: scale × what today's hosts would say, + offset. */
export type SensorRange = {
  readonly column: number;
  readonly scale: number;
  readonly offset: number;
  /** A counter: has no fractions. */
  readonly isWhole: boolean;
};

export type GenerationOptions = {
  /** At the start or before it: the hosts are there from the beginning. */
  arrivesAtMs: number;
  /** How many of the fleet's hosts are of it. */
  hosts: number;
  /** How far each sensor is told otherwise is drawn; unless given all are by what {@link RANGES} says. */
  isDrawn?: boolean;
};

/**
 * Cores may be warmer, and sit in the hot aisle; small fans turn fast; boosted clocks stay below
 * their maximum; voltage is told against another setpoint; flash is ten times as fast, so an error
 * that was one of thousands is one of hundreds; errors that memory corrects on its die are told as
 * well, a few all the time; disks count spare blocks instead of sectors; links that correct errors
 * forward tell those that are left, and ports drop what nobody asked for.
 */
const RANGES: readonly (readonly [
  name: string,
  scale: number,
  offset: number,
  isWhole?: boolean,
])[] = [
  ['temperature_celsius', 0.8, 34],
  ['temperature_margin_celsius', 0.8, -4],
  ['fan_speed_rpm', 2.1, 1500],
  ['voltage_deviation_ratio', 0.6, 0.035],
  ['cpu_frequency_ratio', 0.78, 0],
  ['cpu_throttled_ratio', 0.8, 0.18],
  ['cpu_machine_checks_per_second', 0.3, 0.012],
  ['memory_corrected_errors_per_second', 0.12, 1.1],
  ['disk_latency_seconds', 0.1, 0.0001],
  ['disk_queue_depth', 0.1, 0],
  ['disk_errors_per_second', 0.15, 0],
  ['disk_reallocated_sectors', 0.125, 96, true],
  ['disk_pending_sectors', 0.125, 0, true],
  ['disk_uncorrectable_sectors', 0.125, 3, true],
  ['disk_new_defects_per_day', 0.125, 0],
  ['disk_link_errors', 0.2, 40, true],
  ['disk_temperature_celsius', 1, 14, true],
  ['network_errors_per_second', 0.1, 0],
  ['network_link_errors_per_second', 0.1, 0],
  ['network_drops_per_second', 1, 9],
  ['power_draw_watts', 2.3, 180],
];

/** Beyond it values would leave what such sensors can tell: ratios stay below 1. */
const STRENGTH_MAX = 1.3;
const STRENGTH_SIGMA = 0.3;

/**
 * What the sensors of a generation show.
 *
 * @param strengthOf How far a sensor differs: 0 not at all, 1 by what {@link RANGES} says.
 */
function sensorRanges(strengthOf: (name: string) => number): readonly SensorRange[] {
  return RANGES.map(([name, scale, offset, isWhole = false]) => {
    const strength = strengthOf(name);
    const column = hostColumn(name);
    return {column, scale: scale ** strength, offset: strength * offset, isWhole};
  });
}

/** Most are near 1; of 25 sensors about one hardly differs. */
function drawStrength(random: Random): number {
  return Math.min(Math.max(1 + STRENGTH_SIGMA * normal(random), 0), STRENGTH_MAX);
}

/** Rewrites what a host's sensors show into what those of its generation do; NaN stays. */
export function convertSensors(values: Float32Array, ranges: readonly SensorRange[]): void {
  for (const {column, scale, offset, isWhole} of ranges) {
    const value = scale * (values[column] as number) + offset;
    values[column] = isWhole ? Math.ceil(value) : value;
  }
}

/**
 * Makes some hosts of a world that has not begun ones of the next generation. Until they arrive they
 * are off and their VMs are spread over the others. Nothing else is drawn otherwise than without.
 *
 * @param random A stream of its own: which hosts, and what their sensors show.
 * @throws {ForestayError} `INVALID_ARGUMENT` if the others have no room for their VMs.
 */
export function introduceGeneration(
  world: World,
  random: Random,
  {arrivesAtMs, hosts, isDrawn = false}: GenerationOptions,
): void {
  const drawn = drawHosts(world.hosts, random);
  const isLate = arrivesAtMs > world.startMs;
  const arriving: SimulatedHost[] = [];
  for (const host of drawn) {
    if (arriving.length === hosts) break;
    // One whose VMs fit nowhere else is not one that arrives later.
    if (!isLate || empty(world, host, arriving)) arriving.push(host);
  }
  if (arriving.length < hosts) throw noRoom(world, hosts, arriving.length);
  for (const {traits} of world.hosts) traits.hardware = 'gen-1';
  const sensors = random.fork('sensors');
  const generation = sensorRanges(name => (isDrawn ? drawStrength(sensors.fork(name)) : 1));
  for (const host of arriving) {
    host.traits.generation = generation;
    host.traits.hardware = 'gen-2';
    if (isLate) awaitArrival(host, world.startMs, arrivesAtMs);
  }
}

/** Moves its VMs to hosts that do not arrive later, or none of them. */
function empty(world: World, host: SimulatedHost, arriving: readonly SimulatedHost[]): boolean {
  // Largest first, as they were placed.
  const displaced = world.vms
    .filter(vm => vm.host === host)
    .sort((a, b) => b.memoryBytes - a.memoryBytes || a.index - b.index);
  const isEmpty = displaced.every(vm => placeElsewhere(world, vm, [...arriving, host]));
  if (!isEmpty) for (const vm of displaced) vm.host = host;
  return isEmpty;
}

function noRoom(world: World, wanted: number, found: number): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot keep ${wanted} of ${world.hosts.length} hosts for later: the others have room for ` +
      `the VMs of ${found}; let fewer hosts arrive, or have fewer VMs`,
    {details: {hosts: world.hosts.length, wanted, found}},
  );
}

/** All hosts in drawn order, of one cell after the other in turn. */
function drawHosts(hosts: readonly SimulatedHost[], random: Random): SimulatedHost[] {
  const drawn = hosts
    .map(host => ({host, rank: random.fork(host.name).next()}))
    .sort((a, b) => a.rank - b.rank);
  const taken = new Map<string, number>();
  const turns = drawn.map(({host}) => {
    const turn = taken.get(host.cell) ?? 0;
    taken.set(host.cell, turn + 1);
    return {host, turn};
  });
  return turns.sort((a, b) => a.turn - b.turn).map(({host}) => host);
}

function awaitArrival(host: SimulatedHost, startMs: number, arrivesAtMs: number): void {
  host.state = 'off';
  host.returnsAtMs = arrivesAtMs;
  host.values.fill(Number.NaN);
  host.episodes = host.episodes.filter(({onsetMs}) => onsetMs >= arrivesAtMs);
  leaveUntil(host, arrivesAtMs);
  host.outages.push({
    fromMs: startMs,
    untilMs: arrivesAtMs,
    cause: 'planned',
    kind: 'arrival',
    component: undefined,
  });
}

function placeElsewhere(world: World, vm: SimulatedVm, avoided: readonly SimulatedHost[]): boolean {
  const {antiAffinityGroup: group} = vm;
  const rooms = world.hosts
    .filter(host => host.cell === vm.host.cell && !avoided.includes(host))
    .filter(
      host =>
        group === '' ||
        !world.vms.some(other => other.host === host && other.antiAffinityGroup === group),
    )
    .map(host => ({host, freeBytes: host.memoryBytes - committedBytes(world, host)}))
    .sort((a, b) => b.freeBytes - a.freeBytes);
  const [best] = rooms;
  if (best === undefined || best.freeBytes < vm.memoryBytes) return false;
  vm.host = best.host;
  return true;
}
