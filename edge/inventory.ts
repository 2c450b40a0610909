import {isForestayError} from '../core/domain/errors.ts';
import type {Inventory, InventoryHost, InventoryVm} from '../core/domain/telemetry.ts';
import {findVms, readCpuAllotment, readMemoryAllotment} from './sensors/cgroup.ts';
import {readMemory} from './sensors/memory.ts';
import {readText} from './sensors/procfs.ts';

export type InventoryOptions = {
  root: string;
  host: string;
  rack: string;
  /** Where the host's ActuatorService listens; empty: nothing acts on it. */
  actuatorAddress: string;
  capabilities: readonly string[];
};

const rereadMs = 10_000;
/** Until operators say otherwise, every VM matters as much as any other. */
const usualCriticality = 0.5;
/** Longer ones are refused with their batch. */
const hardwareLengthMax = 128;
const pinned = 'no driver on this host can move VMs';

/**
 * What this host is and runs, from its kernel and its firmware; read again every ten seconds, the same object
 * meanwhile. Sizes that the host does not tell are 0.
 */
export function createInventory(options: InventoryOptions): (nowMs: number) => Inventory {
  let last: {inventory: Inventory; atMs: number} | undefined;
  return nowMs => {
    if (last === undefined || Math.abs(nowMs - last.atMs) >= rereadMs)
      last = {inventory: {hosts: [readHost(options)]}, atMs: nowMs};
    return last.inventory;
  };
}

function readHost({
  root,
  host,
  rack,
  actuatorAddress,
  capabilities,
}: InventoryOptions): InventoryHost {
  const base = root.replace(/\/+$/, '');
  const cpuCores = readText(`${base}/proc/stat`)?.match(/^cpu\d+ /gm)?.length ?? 0;
  const canMove = capabilities.includes('start-migration');
  return {
    host,
    rack,
    cpuCores,
    memoryBytes: (readMemory(`${base}/proc/meminfo`)?.totalKib ?? 0) * 1024,
    actuatorAddress,
    capabilities,
    migrationBytesPerSecond: 0,
    vms: findVms(base).map(({vm, folder}) => readVm(vm, folder, cpuCores, canMove)),
    bootId: readText(`${base}/proc/sys/kernel/random/boot_id`)?.trim() ?? '',
    observeOnly: capabilities.length === 0,
    hardware: readHardware(base),
  };
}

/** `Dell Inc. PowerEdge R750`, as the firmware says; never what tells one machine from the next. */
function readHardware(base: string): string {
  return ['sys_vendor', 'product_name']
    .map(name => readIfLegible(`${base}/sys/class/dmi/id/${name}`))
    .join(' ')
    .replace(/[^!-~]+/g, ' ')
    .trim()
    .slice(0, hardwareLengthMax)
    .trimEnd();
}

/** In some containers it may not be read: the host is measured all the same. */
function readIfLegible(path: string): string {
  try {
    return readText(path) ?? '';
  } catch (error) {
    if (!isForestayError(error, 'SENSOR_FAILED')) throw error;
    return '';
  }
}

function readVm(vm: string, folder: string, hostCpus: number, canMove: boolean): InventoryVm {
  return {
    vm,
    cpuCores: readCpuAllotment(folder, hostCpus) || 0,
    memoryBytes: readMemoryAllotment(folder) || 0,
    criticality: usualCriticality,
    dirtyBytesPerSecond: 0,
    antiAffinityGroup: '',
    pinnedReason: canMove ? '' : pinned,
    tenant: '',
  };
}
