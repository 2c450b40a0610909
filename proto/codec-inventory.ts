import type {InventoryHost, InventoryVm} from '../core/domain/telemetry.ts';
import {type MalformedCode, malformed} from './codec-guards.ts';
import type * as wire from './gen/forestay/v1/telemetry_pb.ts';

/** Fields have the same names on both sides; only the lists must be writable for the encoder. */
export function toInventoryHost(host: InventoryHost) {
  return {...host, capabilities: [...host.capabilities], vms: [...host.vms]};
}

/** A host of the wire; sizes and rates that are not finite and at least 0 are refused. */
export function inventoryHostOf(host: wire.InventoryHost, code: MalformedCode): InventoryHost {
  const {host: name, rack, actuatorAddress, capabilities, bootId, observeOnly, hardware} = host;
  const {cpuCores, memoryBytes, migrationBytesPerSecond} = host;
  if (name === '') throw malformed(code, 'inventory names a host with an empty name');
  requireSizes(name, {cpuCores, memoryBytes, migrationBytesPerSecond}, code);
  return {
    host: name,
    rack,
    cpuCores,
    memoryBytes,
    actuatorAddress,
    capabilities,
    migrationBytesPerSecond,
    vms: host.vms.map(vm => inventoryVmOf(vm, code)),
    bootId,
    observeOnly,
    hardware,
  };
}

function inventoryVmOf(vm: wire.InventoryVm, code: MalformedCode): InventoryVm {
  const {vm: name, antiAffinityGroup, pinnedReason, tenant} = vm;
  const {cpuCores, memoryBytes, criticality, dirtyBytesPerSecond} = vm;
  if (name === '') throw malformed(code, 'inventory names a VM with an empty name');
  requireSizes(name, {cpuCores, memoryBytes, criticality, dirtyBytesPerSecond}, code);
  return {
    vm: name,
    cpuCores,
    memoryBytes,
    criticality,
    dirtyBytesPerSecond,
    antiAffinityGroup,
    pinnedReason,
    tenant,
  };
}

function requireSizes(name: string, sizes: Record<string, number>, code: MalformedCode): void {
  for (const [field, value] of Object.entries(sizes)) {
    if (value >= 0 && value < Number.POSITIVE_INFINITY) continue;
    throw malformed(
      code,
      `inventory of ${name.slice(0, 40)}: ${field} is ${value}, not a finite size`,
    );
  }
}
