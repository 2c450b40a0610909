/**
 * A datacenter that runs on virtual time: hosts, VMs, parts that fail, sensors that show it, and
 * users who notice. Equal seeds and equal effects give equal bytes; an effect changes only the hosts
 * and VMs that it touches, because nobody draws from anybody else's stream.
 */
import {strict as assert} from 'node:assert';
import {VM_METRICS} from '../domain/metric-sets.ts';
import type {InventoryHost} from '../domain/telemetry.ts';
import type {Random} from '../ports.ts';
import {momentOf} from './calendar.ts';
import {SimulatedDrivers} from './drivers.ts';
import {type Episode, FAULT_KINDS, type FaultKind, severity} from './faults.ts';
import {type GenerationOptions, introduceGeneration} from './hardware-generation.ts';
import {senseHost, stressHost} from './host-physics.ts';
import {Ledger} from './ledger.ts';
import {copyForASecond} from './moves.ts';
import {goAboutUntil} from './presence.ts';
import {writeLog} from './sense-intent.ts';
import {rackCelsius} from './symptoms.ts';
import {LAPSE, LIFE} from './tempo.ts';
import {happenUntil} from './timeline.ts';
import {buildTopology, type LifePlan} from './topology.ts';
import {loadVm, sampleVm} from './vm-load.ts';
import {wearOut} from './wear.ts';
import {isServing, type SimulatedHost, type SimulatedVm, type World} from './world.ts';

export type DatacenterOptions = {
  random: Random;
  startMs: number;
  durationMs: number;
  cells?: number;
  /** Names of cells begin with it; `cell-` unless given. */
  cellPrefix?: string;
  hosts?: number;
  vms?: number;
  /** In all cells together. */
  racks?: number;
  /** Which parts may fail. */
  faults?: readonly FaultKind[] | 'all' | 'none';
  /** Whether there are false alarms. */
  disturbances?: boolean;
  /** Recorded repair times are divided by this. */
  repairFactor?: number;
  /** Multiplies the rates of faults and disturbances; 1 is what models are calibrated to. */
  rateFactor?: number;
  /** Whether people work on the hosts and reboot them on purpose; none unless given. */
  intents?: 'none' | 'usual';
  /**
   * `lapse`: a demonstration's, where what takes days happens in minutes; `life`: as hosts live.
   * `lapse` unless given.
   */
  tempo?: 'lapse' | 'life';
  /** Hosts of a newer generation of hardware, and when they arrive; none unless given. */
  generation?: GenerationOptions;
};

export const DEFAULT_REPAIR_FACTOR = 12;
const STEP_MS = 1000;

export class Datacenter {
  readonly #world: World;
  /** Hypervisors, power controllers and the balancer. */
  readonly drivers: SimulatedDrivers;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #vms = new Map<string, SimulatedVm>();
  /** Degrees of hot neighbours, by rack: the aisle's doing, whatever becomes of its hosts. */
  readonly #rackHeat: Float64Array;
  readonly #hotAisles: readonly {rackIndex: number; episode: Episode}[];
  readonly #vmSample = new Float32Array(VM_METRICS.columns.length);

  constructor(world: World) {
    this.#world = world;
    this.drivers = new SimulatedDrivers(world);
    for (const host of world.hosts) this.#hosts.set(host.name, host);
    for (const vm of world.vms) this.#vms.set(vm.name, vm);
    this.#rackHeat = new Float64Array(world.racks);
    this.#hotAisles = world.hosts.flatMap(({rackIndex, episodes}) =>
      episodes
        .filter(episode => episode.kind === 'hot-aisle')
        .map(episode => ({rackIndex, episode})),
    );
    this.#sense(1);
  }

  /** All hosts, by number; read only. */
  get hosts(): readonly SimulatedHost[] {
    return this.#world.hosts;
  }

  /** All VMs, by number; read only. */
  get vms(): readonly SimulatedVm[] {
    return this.#world.vms;
  }

  get world(): World {
    return this.#world;
  }

  get ledger(): Ledger {
    return this.#world.ledger;
  }

  /** Virtual time that the world has reached: a whole number of seconds after the start. */
  get nowMs(): number {
    return this.#world.nowMs;
  }

  /**
   * Lets whole virtual seconds pass until the next one would be later than `toMs`. About 40 µs a
   * second at 24 hosts and 180 VMs.
   */
  step(toMs: number): void {
    const world = this.#world;
    while (world.nowMs + STEP_MS <= toMs) {
      copyForASecond(world);
      this.#advance(STEP_MS);
    }
  }

  /**
   * Lets time pass at once, in whole seconds: everything happens at its exact time, but nobody looks
   * on the way. Only while no effect is under way. For runs of weeks.
   */
  leap(toMs: number): void {
    const world = this.#world;
    assert.equal(world.tasks.length, 0, 'effects need every second');
    const stepMs = Math.floor((toMs - world.nowMs) / STEP_MS) * STEP_MS;
    if (stepMs > 0) this.#advance(stepMs);
  }

  #advance(stepMs: number): void {
    const world = this.#world;
    happenUntil(world, world.nowMs + stepMs);
    world.nowMs += stepMs;
    this.#sense(stepMs / 1000);
  }

  /** Whether the host's edge can be heard. */
  isReporting(host: string): boolean {
    return this.#host(host).state === 'up';
  }

  /**
   * Columns of host.v2 as measured in this second; NaN where a sensor is missing, and throughout
   * when the host is not heard. The array is reused by the next step.
   */
  readHost(host: string): Float32Array {
    return this.#host(host).values;
  }

  /** Columns of vm.v1 in this second; NaN when the VM is not heard. Reused by the next call. */
  readVm(vm: string): Float32Array {
    sampleVm(this.#vm(vm), this.#second(), this.#vmSample);
    return this.#vmSample;
  }

  /** What the host's edge says of it: its VMs are those that run or boot there. */
  inventory(host: string, actuatorAddress = ''): InventoryHost {
    const {name, rack, cpuCores, memoryBytes, migrationBytesPerSecond, boots, traits} =
      this.#host(host);
    return {
      host: name,
      rack,
      cpuCores,
      memoryBytes,
      actuatorAddress,
      capabilities: this.drivers.capabilities(),
      migrationBytesPerSecond,
      vms: this.#world.vms
        .filter(vm => vm.host.name === name && vm.state !== 'dead')
        .map(vm => ({
          vm: vm.name,
          cpuCores: vm.cpuCores,
          memoryBytes: vm.memoryBytes,
          criticality: vm.criticality,
          dirtyBytesPerSecond: vm.dirtyBytesPerSecond,
          antiAffinityGroup: vm.antiAffinityGroup,
          pinnedReason: vm.pinnedReason,
          tenant: vm.tenant,
        })),
      bootId: `${name}-boot-${boots}`,
      observeOnly: false,
      hardware: traits.hardware,
    };
  }

  #second(): number {
    return (this.#world.nowMs - this.#world.startMs) / 1000;
  }

  /** Loads, heat and sensors of this second, after so many. */
  #sense(seconds: number): void {
    const {hosts, vms, ledger, nowMs} = this.#world;
    const second = this.#second();
    const moment = momentOf(nowMs);
    for (const host of hosts) {
      host.cpuCoresUsed = 0;
      host.memoryBytesUsed = 0;
      host.diskReadBytes = 0;
      host.diskWriteBytes = 0;
      host.networkReceiveBytes = 0;
      host.networkTransmitBytes = 0;
      host.requestsPerSecond = 0;
      host.guestCores = 0;
      host.batchCores = 0;
      host.steadyCores = 0;
    }
    for (const vm of vms) {
      loadVm(vm, second);
      if (vm.ghost !== undefined) vm.ghost.host.memoryBytesUsed += vm.memoryRatio * vm.memoryBytes;
      if (vm.traffic !== undefined && vm.traffic.host !== vm.host && isServing(vm)) {
        ledger.misdirect(vm.index, vm.traffic.share);
      }
    }
    this.#heatRacks(nowMs);
    for (const host of hosts) {
      stressHost(host, nowMs, second);
      if (host.state !== 'up') {
        host.values.fill(Number.NaN);
        continue;
      }
      goAboutUntil(host, nowMs);
      wearOut(host.wear, host.stress, host.traits.noiseSeed, second, seconds);
      writeLog(host, second, seconds);
      const rackHeat = this.#rackHeat[host.rackIndex] as number;
      senseHost(host, moment, second, rackHeat, seconds);
    }
  }

  #heatRacks(nowMs: number): void {
    this.#rackHeat.fill(0);
    for (const {rackIndex, episode} of this.#hotAisles) {
      const celsius = rackCelsius(episode, severity(episode, nowMs));
      if (celsius > (this.#rackHeat[rackIndex] as number)) this.#rackHeat[rackIndex] = celsius;
    }
  }

  #host(name: string): SimulatedHost {
    const host = this.#hosts.get(name);
    assert.ok(host, `there is no host ${name} in this datacenter`);
    return host;
  }

  #vm(name: string): SimulatedVm {
    const vm = this.#vms.get(name);
    assert.ok(vm, `there is no VM ${name} in this datacenter`);
    return vm;
  }
}

/** Builds a datacenter at `startMs`, in good health. */
export function createDatacenter(options: DatacenterOptions): Datacenter {
  const {random, startMs, durationMs, cells = 2, hosts = 24, vms = 180} = options;
  const {racks = 3 * cells, faults = 'all', repairFactor = DEFAULT_REPAIR_FACTOR} = options;
  const plan: LifePlan = {
    startMs,
    durationMs,
    repairFactor,
    kinds: faults === 'all' ? FAULT_KINDS : faults === 'none' ? [] : faults,
    disturbances: options.disturbances ?? true,
    rateFactor: options.rateFactor ?? 1,
    intents: options.intents ?? 'none',
    tempo: options.tempo === 'life' ? LIFE : LAPSE,
  };
  const topology = buildTopology(
    random,
    {cells, hosts, vms, racks, cellPrefix: options.cellPrefix},
    plan,
  );
  const world: World = {
    ...topology,
    racks: Math.max(...topology.hosts.map(host => host.rackIndex)) + 1,
    random,
    startMs,
    repairFactor,
    ledger: new Ledger(topology.vms),
    tasks: [],
    nowMs: startMs,
  };
  if (options.generation !== undefined) {
    introduceGeneration(world, random.fork('generation'), options.generation);
  }
  return new Datacenter(world);
}
