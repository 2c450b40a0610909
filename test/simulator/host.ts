/** The process on one host: its edge with sensors, spool and uplink, and its agent. */
import {hostSensor, inventoryOf, vmSensor} from '../../cli/datacenter-sensors.ts';
import type {Random} from '../../core/ports.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {severity} from '../../core/simulation/faults.ts';
import type {SimulatedHost} from '../../core/simulation/world.ts';
import type {EffectTable} from '../../edge/actuator/effect-table.ts';
import {type Agent, createAgent} from '../../edge/agent.ts';
import type {Dial, Files, TelemetryCodec} from '../../edge/ports.ts';
import type {Sensor} from '../../edge/sensor.ts';
import {type DriverHooks, SimAgent} from './agents.ts';
import type {SimDisk} from './disk.ts';
import type {SimProcess} from './process.ts';

/** The metric that the scorer takes risk from. */
const RISK_COLUMN = 'swap_used_ratio';
const SAMPLE_MS = 1_000;

export type HostOptions = {
  host: SimulatedHost;
  datacenter: Datacenter;
  process: SimProcess;
  disk: SimDisk;
  random: Random;
  codec: TelemetryCodec;
  dial: Dial;
  hooks: DriverHooks;
  wrapTable: (table: EffectTable) => EffectTable;
  wrapFiles: (files: Files) => Files;
};

export class SimHost {
  readonly #options: HostOptions;
  /** Which life of the machine it was last started in. */
  boots = 1;
  #edge: Agent | undefined;
  #agent: SimAgent | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.host.name;
  }

  get machine(): SimulatedHost {
    return this.#options.host;
  }

  get process(): SimProcess {
    return this.#options.process;
  }

  get disk(): SimDisk {
    return this.#options.disk;
  }

  get agent(): SimAgent | undefined {
    return this.process.isAlive ? this.#agent : undefined;
  }

  get edge(): Agent | undefined {
    return this.process.isAlive ? this.#edge : undefined;
  }

  /** Errors: those of a disk that does not work; the process is then dead again. */
  start(): void {
    const {host, datacenter, process, disk, random, codec, dial} = this.#options;
    const life = process.start();
    const clock = process.clock();
    const files = disk.files(process, clock);
    try {
      this.#agent = new SimAgent({
        name: host.name,
        process,
        files,
        clock,
        drivers: datacenter.drivers,
        hooks: this.#options.hooks,
        wrapTable: this.#options.wrapTable,
      });
      this.#edge = createAgent({
        edge: host.name,
        cell: host.cell,
        timeBase: 'live',
        sensors: [riskySensor(datacenter, host)],
        fleets: [vmSensor(datacenter, host.name)],
        inventory: inventoryOf(datacenter, host.name, `${host.name}:1`),
        clock,
        random: random.fork(`edge/${life}`),
        files: this.#options.wrapFiles(files),
        dial,
        codec,
        spoolFolder: '/spool',
        intervalMs: SAMPLE_MS,
        // Small files, so that minutes fill and free many; a bound that long outages reach.
        spoolLimits: {segmentBytes: 8 * 1024, bytesMax: 96 * 1024, segmentsMax: 32, syncMs: 100},
        uplinkLimits: {batchesMax: 32, ackMs: 8_000, retryMsMax: 4_000},
      });
      this.#edge.start();
    } catch (error) {
      process.kill();
      throw error;
    }
  }
}

/** How much the parts of a host are about to fail, as its sensors tell. */
export function riskOf(host: SimulatedHost, atMs: number): number {
  let risk = 0;
  for (const episode of host.episodes) {
    const level = severity(episode, atMs);
    if (level > 0) risk = Math.max(risk, 0.85 + 0.1 * level);
  }
  return risk;
}

/** What the world gives, and the risk where the scorer looks for it. */
function riskySensor(datacenter: Datacenter, host: SimulatedHost): Sensor {
  const sensor = hostSensor(datacenter, host.name);
  return {
    ...sensor,
    read(nowMs, row) {
      sensor.read(nowMs, row);
      row.set(RISK_COLUMN, riskOf(host, datacenter.nowMs));
    },
  };
}
