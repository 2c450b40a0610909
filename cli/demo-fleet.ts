/** The demo's edges: a real one for each simulated host, over real gRPC, and waited for. */
import {systemClock} from '../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../core/adapters/files-memory.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {within} from '../core/domain/concurrency.ts';
import {ForestayError} from '../core/domain/errors.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import {type Agent, createAgent} from '../edge/agent.ts';
import {concludeIntent} from '../edge/intent.ts';
import type {IntentThread} from '../edge/intent-thread.ts';
import {createGrpcLinks, type GrpcLinks} from '../edge/link-grpc.ts';
import {codec} from '../proto/codec.ts';
import {hostSensor, inventoryOf, vmSensor} from './datacenter-sensors.ts';

export type DemoFleet = {
  /** Samples every host that can be heard, and waits until the core has acked it. */
  sample(nowMs: number): Promise<void>;
  close(): Promise<void>;
};

/** One edge a host. `core` is where they stream to; they share one thread of the intent model. */
export function createDemoFleet(
  datacenter: Datacenter,
  core: string,
  actuatorAddress: string,
  intent?: IntentThread,
): DemoFleet {
  const links = createGrpcLinks(core, 'demo');
  const edges = datacenter.hosts.map(({name, cell}) =>
    createEdge({datacenter, links, actuatorAddress, intent, name, cell}),
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
  intent: IntentThread | undefined;
  name: string;
  cell: string;
};

/** Wall time that a batch may take to be acked; virtual time stands still meanwhile. */
const ACK_MS = 60_000;

const unacknowledged = (name: string): ForestayError =>
  new ForestayError(
    'TIMED_OUT',
    `${name}: the core does not acknowledge within ${ACK_MS / 1000} s of wall time`,
  );

/** An edge that dies with its host and comes back with it, in its spool's next incarnation. */
function createEdge({datacenter, links, actuatorAddress, intent, name, cell}: EdgeOptions) {
  const files = createMemoryFiles();
  let agent: Agent | undefined;
  const start = () =>
    createAgent({
      edge: name,
      cell,
      timeBase: 'simulated',
      sensors: [hostSensor(datacenter, name)],
      fleets: [vmSensor(datacenter, name)],
      conclusions: intent === undefined ? [] : [concludeIntent({key: name, thread: intent})],
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
      if (!(await within(systemClock, ACK_MS, agent.drained()))) throw unacknowledged(name);
    },
    async stop(): Promise<void> {
      await agent?.stop();
    },
  };
}
