/** Everything that one seed simulates, put together. Nothing happens before {@link World.start}. */
import {createMemoryStore} from '../../core/adapters/store-memory.ts';
import {fleetAgents} from '../../core/domain/effects.ts';
import type {Random, Scorer} from '../../core/ports.ts';
import {createDatacenter, type Datacenter} from '../../core/simulation/datacenter.ts';
import {codec} from '../../proto/codec.ts';
import {metricScorer} from '../support/partition.ts';
import {createAgentsClient, type DriverHooks, SimAgent} from './agents.ts';
import {Broker, createLogClient} from './broker.ts';
import {readAll} from './check-telemetry.ts';
import {type CoreParts, partitionsOf, SimCore} from './core.ts';
import {SimDisk} from './disk.ts';
import {Group} from './group.ts';
import {SimHost} from './host.ts';
import {CALM_LINKS, createDial, type LinkFaults} from './link.ts';
import {Network} from './network.ts';
import {Oracle} from './oracle.ts';
import type {Plant} from './plants.ts';
import {SimProcess} from './process.ts';
import {Scheduler} from './scheduler.ts';
import {createSimScorer, type ScorerFaults, SOUND_SCORER} from './scorer.ts';
import {createStoreClient, SOUND_STORE, type StoreFaults} from './store.ts';
import type {Swarm} from './swarm.ts';
import {Trace} from './trace.ts';

export const START_MS = Date.UTC(2026, 0, 5, 8);
const HOSTS = 6;
const VMS = 12;
const RESTART_MS_MAX = 4_000;

export class World {
  readonly scheduler = new Scheduler(START_MS);
  readonly trace = new Trace(() => this.scheduler.nowMs - START_MS);
  readonly swarm: Swarm;
  readonly random: Random;
  readonly plant: Plant;
  readonly datacenter: Datacenter;
  readonly oracle: Oracle;
  readonly network: Network;
  readonly broker: Broker;
  readonly group: Group;
  readonly partitions: readonly number[];
  readonly store = createMemoryStore();
  readonly scorer: Scorer = metricScorer();
  readonly hosts: readonly SimHost[];
  readonly services: SimProcess;
  readonly servicesDisk: SimDisk;
  readonly coreProcesses: readonly SimProcess[];
  readonly cores: (SimCore | undefined)[] = [];
  /** False: drivers, links, pool and store behave. */
  isFaulty = false;
  /** Of a planted bug: sums of checkpoints that have rotted, by partition and offset. */
  rotten: Map<string, number> | undefined;
  #fleetAgents = new Map<string, SimAgent>();

  constructor(random: Random, swarm: Swarm, plant: Plant) {
    this.random = random;
    this.swarm = swarm;
    this.plant = plant;
    this.datacenter = createDatacenter({
      random: random.fork('datacenter'),
      startMs: START_MS,
      durationMs: 3_600_000,
      cells: 2,
      racks: 4,
      hosts: HOSTS,
      vms: VMS,
      faults: 'none',
      disturbances: false,
      repairFactor: 60,
    });
    this.partitions = partitionsOf(this.datacenter.hosts.map(({cell}) => cell));
    this.oracle = new Oracle(this.datacenter, () => this.scheduler.nowMs - START_MS);
    const onFault = (what: string) => this.trace.fault(what);
    this.network = new Network(this.scheduler, random.fork('network'), onFault);
    this.broker = new Broker(
      new SimProcess('broker', this.scheduler),
      this.#disk('broker'),
      (topic, partition, offset, values) => {
        this.oracle.appended(topic, partition, offset, values);
        if (topic === 'inbox') for (const value of values) this.#tellInbox(value);
      },
    );
    this.group = new Group({
      scheduler: this.scheduler,
      network: this.network,
      random: random.fork('group'),
      partitions: this.partitions,
      broker: this.broker.process,
      onChange: what => this.trace.add(what),
    });
    this.services = new SimProcess('services', this.scheduler);
    this.servicesDisk = this.#disk('services');
    this.coreProcesses = Array.from(
      {length: swarm.cores},
      (_, index) => new SimProcess(`core-${index + 1}`, this.scheduler),
    );
    this.hosts = this.datacenter.hosts.map(host => this.#host(host));
    plant.prepare?.(this);
  }

  #tellInbox(value: Uint8Array): void {
    const record = codec.decodeInbox(value);
    if (record.kind === 'effect-result') {
      const {id, status, code} = record.result;
      this.trace.add(`inbox: ${id} ${status} ${code}`);
    } else {
      this.trace.add(`inbox: ${record.kind}`);
    }
  }

  #disk(name: string): SimDisk {
    return new SimDisk(this.random.fork(`disk/${name}`), what => this.trace.fault(what));
  }

  #host(host: Datacenter['hosts'][number]): SimHost {
    const process = new SimProcess(host.name, this.scheduler);
    const random = this.random.fork(`hosts/${host.name}`);
    const dial = createDial({
      scheduler: this.scheduler,
      network: this.network,
      random: random.fork('link'),
      edge: process,
      choose: () => this.#server(random),
      faults: () => this.#links(),
      onFault: what => this.trace.fault(what),
      onReply: (edge, reply) => {
        if (reply.kind === 'ack') this.oracle.ack(edge, reply.incarnation, reply.seq);
      },
    });
    return new SimHost({
      host,
      datacenter: this.datacenter,
      process,
      disk: this.#disk(host.name),
      random,
      codec: this.oracle.edgeCodec(isSound(this.swarm)),
      dial: this.plant.dial?.(dial) ?? dial,
      hooks: this.#hooks(host.name),
      wrapTable: table => this.plant.table?.(table) ?? table,
      wrapFiles: files => this.plant.edgeFiles?.(files) ?? files,
    });
  }

  /** Edges know several addresses of the cores, as behind a balancer. */
  #server(random: Random) {
    const index = Math.floor(random.next() * this.coreProcesses.length);
    const process = this.coreProcesses[index] as SimProcess;
    return {process, ingest: () => (process.isAlive ? this.cores[index]?.ingest : undefined)};
  }

  #links(): LinkFaults {
    return this.isFaulty ? this.swarm.links : CALM_LINKS;
  }

  #hooks(agent: string): DriverHooks {
    const random = this.random.fork(`drivers/${agent}`);
    return {
      fateOf: ({kind}) => {
        const {fail, hang, slow} = this.swarm.driver;
        if (!this.isFaulty) return 'well';
        const draw = random.next();
        const fate =
          draw < fail
            ? 'fail'
            : draw < fail + hang
              ? 'hang'
              : draw < fail + hang + slow
                ? 'slow'
                : 'well';
        if (fate !== 'well') this.trace.fault(`the driver of ${agent} is to ${fate} at ${kind}`);
        return fate;
      },
      slowMs: () => 5_000 + random.next() * this.swarm.driver.slowMsMax,
      onStart: (name, effect) => {
        const {kind, id, host, vm, targetHost} = effect;
        this.trace.add(`${name} begins ${kind} ${id} ${vm} ${host} ${targetHost}`);
        this.oracle.starting(name, effect);
      },
    };
  }

  agent(name: string): SimAgent | undefined {
    if (fleetAgents.includes(name)) {
      return this.services.isAlive ? this.#fleetAgents.get(name) : undefined;
    }
    return this.hosts.find(host => host.name === name)?.agent;
  }

  processOf(agent: string): SimProcess {
    return this.hosts.find(({name}) => name === agent)?.process ?? this.services;
  }

  async startBroker(): Promise<void> {
    await this.broker.start(async log => {
      for (const partition of this.partitions) {
        const found = await readAll(log, 'journal', partition);
        this.oracle.reopened(partition, found);
      }
    });
  }

  startServices(): void {
    this.services.start();
    const clock = this.services.clock();
    const files = this.servicesDisk.files(this.services, clock);
    for (const name of fleetAgents) {
      const agent = new SimAgent({
        name,
        process: this.services,
        files,
        clock,
        drivers: this.datacenter.drivers,
        hooks: this.#hooks(name),
        wrapTable: table => this.plant.table?.(table) ?? table,
      });
      this.#fleetAgents.set(name, agent);
    }
  }

  startCore(index: number): void {
    const process = this.coreProcesses[index] as SimProcess;
    const life = process.start();
    const random = this.random.fork(`${process.name}/${life}`);
    const core = new SimCore({
      process,
      random,
      policy: this.swarm.policy,
      partitions: this.partitions,
      records: index === 0,
      checkpointMs: this.swarm.checkpointMs,
      parts: this.#parts(process, random),
      onStart: (name, state) => {
        this.trace.add(`${name} owns ${state.partition}, epoch ${state.epoch}`);
        this.plant.started?.(state);
        this.oracle.ownerStarted(name, state);
      },
      onTick: (name, tick, state) => {
        const {epoch, number, transitions, effects, decisions} = tick;
        this.trace.add(
          `${name} ${state.partition}/${epoch}/${number}: ${transitions.length} ` +
            `${effects.length} ${decisions.length}`,
        );
        for (const {entity, action, outcome, blockedBy, because} of decisions) {
          this.trace.add(`  ${entity}: ${action} ${outcome} ${blockedBy}, ${because}`);
        }
        for (const {actor, from, to, event} of transitions) {
          this.trace.add(`  ${actor} ${from} → ${to} on ${event}`);
        }
        this.oracle.ticked(name, tick, state);
      },
      onProblem: (name, partition, problem) =>
        this.trace.add(`${name} ${partition}: ${problem.split('\n')[0]}`),
    });
    this.cores[index] = core;
    process.deliver(life, () => void core.start());
  }

  #parts(process: SimProcess, random: Random): CoreParts {
    const clock = process.clock();
    const onFault = (what: string) => this.trace.fault(what);
    const {network, broker, group} = this;
    const parts: CoreParts = {
      log: createLogClient({broker, group, network, process}),
      codec,
      scorer: createSimScorer({
        clock,
        random: random.fork('scorer'),
        faults: (): ScorerFaults => (this.isFaulty ? this.swarm.scorer : SOUND_SCORER),
        onFault,
      }),
      actuator: createAgentsClient({
        process,
        network,
        processOf: agent => this.processOf(agent),
        agentOf: agent => this.agent(agent),
        onAnswer: (agent, fence) => this.oracle.announced(agent, fence),
      }),
      store: createStoreClient({
        store: this.store,
        clock,
        random: random.fork('store'),
        faults: (): StoreFaults => (this.isFaulty ? this.swarm.store : SOUND_STORE),
        onFault,
      }),
    };
    return this.plant.core?.(parts, this, process) ?? parts;
  }

  /** Starts a process again, as a supervisor does, until it stays. */
  restart(process: SimProcess): void {
    const life = process.life;
    this.scheduler.after(200 + this.random.next() * RESTART_MS_MAX, () => {
      if (process.isAlive || process.life !== life) return;
      this.trace.add(`${process.name} starts`);
      this.startProcess(process);
    });
  }

  startProcess(process: SimProcess): void {
    const core = this.coreProcesses.indexOf(process);
    const host = this.hosts.find(one => one.process === process);
    const start = async (): Promise<void> => {
      if (core >= 0) this.startCore(core);
      else if (process === this.broker.process) await this.startBroker();
      else if (host === undefined) this.startServices();
      else if (this.datacenter.isReporting(host.name)) host.start();
    };
    start().catch(error => this.#failed(process, error));
  }

  #failed(process: SimProcess, error: unknown): void {
    process.kill();
    this.trace.add(`${process.name} cannot start: ${String(error)}`);
    this.restart(process);
  }

  /** States of the partitions as their newest owners have them. */
  owners() {
    const owners = new Map<number, ReturnType<SimCore['runtimes']>[number]>();
    for (const [index, core] of this.cores.entries()) {
      if (!this.coreProcesses[index]?.isAlive) continue;
      for (const runtime of core?.runtimes() ?? []) {
        const {partition, epoch} = runtime.state;
        if ((owners.get(partition)?.state.epoch ?? 0) < epoch) owners.set(partition, runtime);
      }
    }
    return owners;
  }

  async start(): Promise<void> {
    await this.startBroker();
    this.startServices();
    for (const host of this.hosts) host.start();
    for (const index of this.coreProcesses.keys()) this.startCore(index);
    this.#live();
  }

  /** The world goes on by the second, and with it what its hosts can do. */
  #live(): void {
    this.scheduler.after(1_000, () => this.#live());
    this.datacenter.step(this.scheduler.nowMs);
    for (const vm of this.datacenter.vms) {
      if (vm.state === 'dead') this.oracle.deadAtMs.set(vm.name, this.scheduler.nowMs - START_MS);
    }
    for (const host of this.hosts) {
      const {process, disk} = host;
      const {state, boots} = host.machine;
      if (state === 'up' || state === 'hung') this.network.rejoin(host.name);
      else this.network.isolate(host.name);
      // A hung or cut off one that comes back has been started anew.
      const isOver = state === 'off' || state === 'crashed' || boots !== host.boots;
      if (isOver && process.isAlive) {
        this.trace.add(`${host.name} is ${state}`);
        process.kill();
        disk.losePower(this.swarm.torn);
      }
      if (state === 'hung') process.pause();
      if (state === 'up' && boots !== host.boots) {
        host.boots = boots;
        this.restart(process);
      }
    }
  }
}

/** Whether nothing ever damages the files of an edge. */
function isSound({incidents, diskCrash}: Swarm): boolean {
  const hurts = ['flip-spool-bit', 'fill-edge-disk', 'break-edge-disk'] as const;
  return diskCrash === 0 && !hurts.some(incident => incidents.includes(incident));
}
