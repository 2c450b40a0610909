/**
 * The simulated datacenter as the core sees it: one real edge a host, over real gRPC, and the real
 * actuator service in front of the simulated drivers. Only sensors and drivers know that the
 * hosts are not made of metal.
 */
import {systemClock} from '../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../core/adapters/files-memory.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {fleetAgents} from '../core/domain/effects.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {HOST_METRICS, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Inventory} from '../core/domain/telemetry.ts';
import type {Clock} from '../core/ports.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import {type Actuator, createActuator} from '../edge/actuator/actuator.ts';
import {openEffectTable} from '../edge/actuator/effect-table.ts';
import {serveActuators} from '../edge/actuator/service.ts';
import {type Agent, createAgent} from '../edge/agent.ts';
import {createGrpcLinks, type GrpcLinks} from '../edge/link-grpc.ts';
import type {FleetSensor, Sensor} from '../edge/sensor.ts';
import {codec} from '../proto/codec.ts';

export type DemoFleet = {
  /** Samples every host that can be heard, and waits until the core has acked it. */
  sample(nowMs: number): Promise<void>;
  close(): Promise<void>;
};

/** Puts the actuator service before the drivers; gives its address. */
export async function serveDatacenter(
  datacenter: Datacenter,
  clock: Clock,
): Promise<{address: string; close(): Promise<void>}> {
  const files = createMemoryFiles();
  const agents = [...datacenter.hosts.map(host => host.name), ...fleetAgents];
  const actuators = new Map(
    agents.map(agent => {
      const table = openEffectTable({files, path: `/effects/${agent}`});
      const actuator = createActuator({agent, driver: datacenter.drivers, table, clock});
      return [agent, asReachableAsItsHost(agent, actuator, datacenter)];
    }),
  );
  return serveActuators({listen: '127.0.0.1:0', actuators});
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

/** One edge a host. `core` is where they stream to. */
export function createDemoFleet(
  datacenter: Datacenter,
  core: string,
  actuatorAddress: string,
): DemoFleet {
  const links = createGrpcLinks(core, 'demo');
  const edges = datacenter.hosts.map(({name, cell}) =>
    createEdge({datacenter, links, actuatorAddress, name, cell}),
  );
  return {
    async sample(nowMs) {
      await Promise.all(edges.map(edge => edge.sample(nowMs)));
    },
    async close() {
      await Promise.all(edges.map(edge => edge.stop()));
      links.close();
    },
  };
}

type EdgeOptions = {
  datacenter: Datacenter;
  links: GrpcLinks;
  actuatorAddress: string;
  name: string;
  cell: string;
};

/** Wall time that a batch may take to be acked; virtual time stands still meanwhile. */
const ACK_MS = 60_000;

async function within(ms: number, work: Promise<void>, problem: string): Promise<void> {
  const done = new AbortController();
  const late = systemClock.sleep(ms, done.signal).then(() => {
    if (done.signal.aborted) return;
    throw new ForestayError('TIMED_OUT', `${problem} within ${ms / 1000} s of wall time`);
  });
  await Promise.race([work, late]).finally(() => done.abort());
}

/** An edge that dies with its host and comes back with it, in its spool's next incarnation. */
function createEdge({datacenter, links, actuatorAddress, name, cell}: EdgeOptions) {
  const files = createMemoryFiles();
  let agent: Agent | undefined;
  const start = () =>
    createAgent({
      edge: name,
      cell,
      timeBase: 'simulated',
      sensors: [hostSensor(datacenter, name)],
      fleets: [vmSensor(datacenter, name)],
      inventory: inventoryOf(datacenter, name, actuatorAddress),
      // For waiting only: a connection that breaks is dialled again while virtual time stands still.
      clock: systemClock,
      random: seededRandom(name),
      files,
      dial: links.dial,
      codec,
      spoolFolder: '/spool',
    });
  return {
    async sample(nowMs: number): Promise<void> {
      if (!datacenter.isReporting(name)) {
        await agent?.stop();
        agent = undefined;
        return;
      }
      agent ??= start();
      await agent.sampleOnce(nowMs);
      await within(ACK_MS, agent.drained(), `${name}: the core does not acknowledge`);
    },
    async stop(): Promise<void> {
      await agent?.stop();
    },
  };
}

function hostSensor(datacenter: Datacenter, host: string): Sensor {
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

function vmSensor(datacenter: Datacenter, host: string): FleetSensor {
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
function inventoryOf(datacenter: Datacenter, host: string, actuatorAddress: string) {
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
