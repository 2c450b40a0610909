/** What edges of a simulated datacenter measure: the world itself, as an edge expects it. */
import {HOST_METRICS, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Inventory} from '../core/domain/telemetry.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import type {FleetSensor, Sensor} from '../edge/sensor.ts';

/** Columns of host.v2 as the world has them. */
export function hostSensor(datacenter: Datacenter, host: string): Sensor {
  return {
    name: 'simulated-host',
    columns: HOST_METRICS.columns,
    read(_nowMs, row) {
      const values = datacenter.readHost(host);
      HOST_METRICS.columns.forEach((column, index) => {
        row.set(column, values[index] as number);
      });
    },
  };
}

/** One row of vm.v1 for every VM that lives on the host. */
export function vmSensor(datacenter: Datacenter, host: string): FleetSensor {
  return {
    name: 'simulated-vms',
    columns: VM_METRICS.columns,
    read(_nowMs, row) {
      for (const vm of datacenter.vms) {
        if (vm.host.name !== host || vm.state === 'dead') continue;
        const values = datacenter.readVm(vm.name);
        const writer = row(`vms/${vm.name}`);
        VM_METRICS.columns.forEach((column, index) => {
          writer.set(column, values[index] as number);
        });
      }
    },
  };
}

/** The same object as long as nothing changed: the edge sends it again only when it did. */
export function inventoryOf(datacenter: Datacenter, host: string, actuatorAddress: string) {
  let last: Inventory | undefined;
  let text = '';
  return (): Inventory => {
    const facts = datacenter.inventory(host, actuatorAddress);
    const next = JSON.stringify(facts);
    if (last === undefined || next !== text) last = {hosts: [facts]};
    text = next;
    return last;
  };
}
