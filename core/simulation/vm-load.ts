import type {Random} from '../ports.ts';
import {between, lognormal, noiseSeed} from './draws.ts';
import {LOAD_SHAPES, type LoadShape, SHAPE_ROWS} from './load-shapes.ts';
import {gaussian} from './noise.ts';
import {isServing, type SimulatedVm, type VmLoad} from './world.ts';

/** Columns of vm.v1, by position. */
const VM_COLUMNS = 8;

export function drawVmLoad(random: Random, cpuCores: number): VmLoad {
  const shape = LOAD_SHAPES[Math.floor(random.next() * LOAD_SHAPES.length)] as LoadShape;
  const firstRow = Math.floor(random.next() * SHAPE_ROWS);
  const cpuBase = between(random, 0.1, 0.35);
  const cpuRange = between(random, 0.15, 0.6);
  return {
    shape,
    firstRow,
    cpuBase,
    cpuRange,
    character: characterOf(shape, cpuBase, cpuRange),
    memoryBase: between(random, 0.6, 0.8),
    diskBytes: cpuCores * lognormal(random, 4e6, 0.7),
    networkBytes: cpuCores * lognormal(random, 3e6, 0.7),
    noiseSeed: noiseSeed(random),
  };
}

/** Mean and standard deviation of a recorded day. */
const MOMENTS = new Map(
  LOAD_SHAPES.map(({name, cpu}) => {
    const mean = cpu.reduce((sum, value) => sum + value, 0) / cpu.length;
    const square = cpu.reduce((sum, value) => sum + (value - mean) ** 2, 0) / cpu.length;
    return [name, {mean, deviation: Math.sqrt(square)}];
  }),
);
const BATCH_MEAN = 0.4;
const STEADY_VARIATION = 0.22;

/** A VM that is busy all day is batch; one that hardly varies is steady. */
function characterOf({name}: LoadShape, base: number, range: number): VmLoad['character'] {
  const {mean = 0, deviation = 0} = MOMENTS.get(name) ?? {};
  const level = base + range * mean;
  if (level > BATCH_MEAN) return 'batch';
  return (range * deviation) / level < STEADY_VARIATION ? 'steady' : 'varying';
}

/** Value of a recorded column at a second of the run: straight lines between its minutes. */
function play(column: Float32Array, load: VmLoad, second: number): number {
  const minute = second / 60;
  const whole = Math.floor(minute);
  const row = (load.firstRow + whole) % SHAPE_ROWS;
  const from = column[row] as number;
  const to = column[row + 1 === SHAPE_ROWS ? 0 : row + 1] as number;
  return from + (minute - whole) * (to - from);
}

/** Advances a VM's load to `second` and adds it to its host's sums. */
export function loadVm(vm: SimulatedVm, second: number): void {
  const {load, host} = vm;
  const {shape, noiseSeed: seed} = load;
  const runs = isServing(vm);
  const busy = runs ? 1 : vm.state === 'booting' ? 0.5 : 0;
  const jitter = 1 + 0.12 * gaussian(seed, second, 0);
  const cpuRatio = (load.cpuBase + load.cpuRange * play(shape.cpu, load, second)) * jitter;
  vm.cpuCoresUsed = busy * vm.cpuCores * Math.min(1, Math.max(0, cpuRatio));
  vm.memoryRatio = load.memoryBase + (0.95 - load.memoryBase) * play(shape.memory, load, second);
  const disk = busy * load.diskBytes * (0.2 + 1.6 * play(shape.disk, load, second)) * jitter;
  vm.diskReadBytes = 0.35 * disk;
  vm.diskWriteBytes = 0.65 * disk;
  const network = busy * load.networkBytes * (0.2 + 1.6 * play(shape.network, load, second));
  host.cpuCoresUsed += vm.cpuCoresUsed;
  host.memoryBytesUsed += vm.state === 'dead' ? 0 : vm.memoryRatio * vm.memoryBytes;
  host.diskReadBytes += vm.diskReadBytes;
  host.diskWriteBytes += vm.diskWriteBytes;
  host.networkReceiveBytes += 0.55 * network;
  host.networkTransmitBytes += 0.45 * network;
  host.requestsPerSecond += busy * vm.requestsPerSecond;
  host.guestCores += vm.cpuCores;
  if (load.character === 'batch') host.batchCores += vm.cpuCores;
  if (load.character === 'steady') host.steadyCores += vm.cpuCores;
}

/** Bytes a second that a running VM dirties now: more when it is busy. */
export function dirtyRate(vm: SimulatedVm): number {
  const busy = vm.cpuCoresUsed / vm.cpuCores;
  return vm.dirtyBytesPerSecond * (0.85 + 0.3 * busy);
}

/** Writes one sample of vm.v1; NaN throughout when nothing is heard of the VM. */
export function sampleVm(vm: SimulatedVm, second: number, into: Float32Array): void {
  if (!isServing(vm)) {
    into.fill(Number.NaN, 0, VM_COLUMNS);
    return;
  }
  const {host, load} = vm;
  const crowd = Math.max(0, host.cpuCoresUsed / host.cpuCores - 0.85);
  const cpuRatio = vm.cpuCoresUsed / vm.cpuCores;
  const jitter = Math.abs(gaussian(load.noiseSeed, second, 1));
  into[0] = cpuRatio;
  into[1] = Math.max(0, cpuRatio - 0.9) + crowd;
  into[2] = vm.memoryRatio;
  into[3] = vm.diskReadBytes;
  into[4] = vm.diskWriteBytes;
  into[5] = Math.min(1, 0.004 * jitter + Math.max(0, cpuRatio - 0.7) * 0.4 + crowd);
  into[6] = Math.min(1, 0.001 * jitter + Math.max(0, vm.memoryRatio - 0.9) * 0.3);
  into[7] = Math.min(1, 0.003 * jitter + 0.03 * host.stress.diskSlowdown);
}
