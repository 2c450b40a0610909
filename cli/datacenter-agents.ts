/**
 * A simulated datacenter behind the agents' contract: real actuators, sensors that read the world.
 * Only sensors and drivers know that the hosts are not made of metal.
 */
import {fleetAgents} from '../core/domain/effects.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {HOST_METRICS, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Inventory} from '../core/domain/telemetry.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import {type Actuator, createActuator} from '../edge/actuator/actuator.ts';
import type {Driver} from '../edge/actuator/driver.ts';
import {openEffectTable} from '../edge/actuator/effect-table.ts';
import {serveActuators} from '../edge/actuator/service.ts';
import type {Clock, Files} from '../edge/ports.ts';
import type {FleetSensor, Sensor} from '../edge/sensor.ts';

/** A Monday morning: loads rise. */
export const START_MS = Date.UTC(2026, 0, 5, 8);

/** What a driver of a whole datacenter is, besides its world. */
export type DatacenterService = {
  datacenter: Datacenter;
  driver: Driver;
  clock: Clock;
  /** Where the agents keep their tables of effects. */
  files: Files;
  folder: string;
  listen: string;
};

/** Puts the actuator service of all agents before the driver; gives its address. */
export async function serveDatacenter({
  datacenter,
  driver,
  clock,
  files,
  folder,
  listen,
}: DatacenterService): Promise<{address: string; close(): Promise<void>}> {
  const agents = [...datacenter.hosts.map(host => host.name), ...fleetAgents];
  const actuators = new Map(
    agents.map(agent => {
      const table = openEffectTable({files, path: `${folder}/${agent}`});
      const actuator = createActuator({agent, driver, table, clock});
      return [agent, asReachableAsItsHost(agent, actuator, datacenter)];
    }),
  );
  return serveActuators({listen, actuators});
}

/** An agent lives on its host: when that is down or cut off, nobody answers. */
function asReachableAsItsHost(agent: string, actuator: Actuator, datacenter: Datacenter): Actuator {
  if (fleetAgents.includes(agent)) return actuator;
  const reach = (): void => {
    if (datacenter.isReporting(agent)) return;
    throw new ForestayError('AGENT_UNREACHABLE', `${agent} is down or cut off`, {retryable: true});
  };
  return {
    ...actuator,
    async announce(fence) {
      reach();
      return actuator.announce(fence);
    },
    async execute(effect, fence) {
      reach();
      return actuator.execute(effect, fence);
    },
    async query(ids) {
      reach();
      return actuator.query(ids);
    },
    async cancel(id, fence) {
      reach();
      return actuator.cancel(id, fence);
    },
  };
}

/** Columns of host.v1 as the world has them. */
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
