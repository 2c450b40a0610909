/** The process on one host: its edge with sensors, spool and uplink, and its agent. */
import {HOST_METRICS, VM_METRICS} from '../../core/domain/metric-sets.ts';
import type {Inventory} from '../../core/domain/telemetry.ts';
import type {Random} from '../../core/ports.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {severity} from '../../core/simulation/faults.ts';
import type {SimulatedHost} from '../../core/simulation/world.ts';
import type {EffectTable} from '../../edge/actuator/effect-table.ts';
import {type Agent, createAgent} from '../../edge/agent.ts';
import type {Dial, Files, TelemetryCodec} from '../../edge/ports.ts';
import type {FleetSensor, Sensor} from '../../edge/sensor.ts';
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
        sensors: [hostSensor(datacenter, host)],
        fleets: [vmSensor(datacenter, host)],
        inventory: inventoryOf(datacenter, host.name),
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

function hostSensor(datacenter: Datacenter, host: SimulatedHost): Sensor {
  return {
    name: 'simulated-host',
    columns: HOST_METRICS.columns,
    read(_nowMs, row) {
      const values = datacenter.readHost(host.name);
      HOST_METRICS.columns.forEach((column, index) => {
        row.set(column, values[index] as number);
      });
      row.set(RISK_COLUMN, riskOf(host, datacenter.nowMs));
    },
  };
}

function vmSensor(datacenter: Datacenter, host: SimulatedHost): FleetSensor {
  return {
    name: 'simulated-vms',
    columns: VM_METRICS.columns,
    read(_nowMs, row) {
      for (const vm of datacenter.vms) {
        if (vm.host !== host || vm.state === 'dead') continue;
        const values = datacenter.readVm(vm.name);
        const writer = row(`vms/${vm.name}`);
        VM_METRICS.columns.forEach((column, index) => {
          writer.set(column, values[index] as number);
        });
      }
    },
  };
}

/** The same object as long as nothing changed. */
function inventoryOf(datacenter: Datacenter, host: string) {
  let last: Inventory | undefined;
  let text = '';
  return (): Inventory => {
    const facts = datacenter.inventory(host, `${host}:1`);
    const next = JSON.stringify(facts);
    if (last === undefined || next !== text) last = {hosts: [facts]};
    text = next;
    return last;
  };
}
