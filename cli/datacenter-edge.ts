import {systemClock} from '../core/adapters/clock-system.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {within} from '../core/domain/concurrency.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import {type Agent, createAgent} from '../edge/agent.ts';
import {concludeIntent} from '../edge/intent.ts';
import type {IntentThread} from '../edge/intent-thread.ts';
import type {Dial, Files, Note, TelemetryCodec} from '../edge/ports.ts';
import {hostSensor, inventoryOf, vmSensor} from './datacenter-sensors.ts';

export type DatacenterEdgeOptions = {
  datacenter: Datacenter;
  host: string;
  cell: string;
  actuatorAddress: string;
  /** The reboot-intent model that edges share. */
  intent?: IntentThread | undefined;
  dial: Dial;
  codec: TelemetryCodec;
  files: Files;
  spoolFolder: string;
  note: Note;
};

/** The edge of one simulated host, which dies and comes back with it. */
export type DatacenterEdge = {
  /** Samples if the host can be heard; waits for nobody. */
  sample(nowMs: number): void;
  /** Sends what is left, for a few seconds at most. */
  stop(): Promise<void>;
};

const DRAIN_MS = 5_000;

export function createDatacenterEdge(options: DatacenterEdgeOptions): DatacenterEdge {
  const {datacenter, host} = options;
  let agent: Agent | undefined;
  let stopping: Promise<void> | undefined;
  const halt = (): void => {
    stopping ??= agent?.stop().finally(() => {
      agent = undefined;
      stopping = undefined;
    });
  };
  return {
    sample(nowMs) {
      if (!datacenter.isReporting(host)) return halt();
      if (stopping !== undefined) return;
      agent ??= startAgent(options);
      void agent.sampleOnce(nowMs);
    },
    async stop() {
      if (stopping === undefined && agent !== undefined) {
        await within(
          systemClock,
          DRAIN_MS,
          agent.drained().catch(() => {}),
        );
      }
      halt();
      await stopping;
    },
  };
}

function startAgent(options: DatacenterEdgeOptions): Agent {
  const {datacenter, host, cell, actuatorAddress, intent, dial, codec, files, note} = options;
  return createAgent({
    edge: host,
    cell,
    timeBase: 'simulated',
    sensors: [hostSensor(datacenter, host)],
    fleets: [vmSensor(datacenter, host)],
    conclusions: intent === undefined ? [] : [concludeIntent({key: host, thread: intent})],
    inventory: inventoryOf(datacenter, host, actuatorAddress),
    clock: systemClock,
    random: seededRandom(host),
    files,
    dial,
    codec,
    spoolFolder: options.spoolFolder,
    // A spool that was thrown away must not use its numbers again.
    firstIncarnation: Math.floor(systemClock.nowMs() / 1000),
    // A host that crashes does not say goodbye.
    drainMs: 0,
    note,
  });
}
