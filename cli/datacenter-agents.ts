/**
 * A simulated datacenter behind the agents' contract: real actuators. Only drivers, and sensors
 * (datacenter-sensors.ts), know that the hosts are not made of metal.
 */
import {fleetAgents} from '../core/domain/effects.ts';
import {ForestayError} from '../core/domain/errors.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import {type Actuator, createActuator} from '../edge/actuator/actuator.ts';
import type {Driver} from '../edge/actuator/driver.ts';
import {openEffectTable} from '../edge/actuator/effect-table.ts';
import {serveActuators} from '../edge/actuator/service.ts';
import type {Clock, Files} from '../edge/ports.ts';

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
