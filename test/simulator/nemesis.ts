/** Lets the incidents of a swarm happen, each at random intervals, until it is told to stop. */
import type {InboxRecord} from '../../core/domain/records.ts';
import type {Random} from '../../core/ports.ts';
import type {Episode, FaultKind} from '../../core/simulation/faults.ts';
import {codec} from '../../proto/codec.ts';
import {type SimDisk, SOUND_DISK} from './disk.ts';
import type {SimHost} from './host.ts';
import {CALM_NETWORK} from './network.ts';
import type {SimProcess} from './process.ts';
import type {Incident} from './swarm.ts';
import type {World} from './world.ts';

const KINDS: readonly FaultKind[] = ['dimm', 'psu', 'nic', 'hang', 'overheat', 'leak'];
const PAUSE_MS = 30_000;

export class Nemesis {
  readonly #world: World;
  readonly #random: Random;
  #isOver = false;
  #commands = 0;
  /** The last command of each partition, until the log has it. */
  readonly #asked = new Map<number, Promise<void>>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork('nemesis');
  }

  begin(): void {
    const {swarm, network, hosts, broker, servicesDisk} = this.#world;
    this.#world.isFaulty = true;
    network.faults = swarm.network;
    const crash = (process: SimProcess) => this.#crash(process);
    network.onCrash = crash;
    for (const disk of [...hosts.map(host => host.disk), broker.disk, servicesDisk]) {
      disk.onCrash = crash;
      disk.faults = {...disk.faults, crash: swarm.diskCrash};
    }
    for (const incident of swarm.incidents) this.#later(incident);
  }

  /** From now on nothing goes wrong any more; what is broken is mended. */
  end(): void {
    const {network, hosts, broker, servicesDisk, coreProcesses} = this.#world;
    this.#isOver = true;
    this.#world.isFaulty = false;
    network.faults = CALM_NETWORK;
    network.healAll();
    for (const disk of [...hosts.map(host => host.disk), broker.disk, servicesDisk]) {
      disk.faults = SOUND_DISK;
    }
    for (const process of coreProcesses) {
      network.rejoin(process.name);
      process.resume();
    }
    for (const host of hosts) {
      host.machine.episodes = host.machine.episodes.filter(
        ({onsetMs}) => onsetMs <= this.#world.scheduler.nowMs,
      );
    }
    this.#command({kind: 'set-mode', mode: 'auto'});
    this.#command({kind: 'resume', comment: ''});
  }

  #later(incident: Incident): void {
    this.#world.scheduler.after(5_000 + this.#random.next() * 50_000, () => {
      if (this.#isOver) return;
      this.#world.trace.fault(incident);
      this.#incidents()[incident]();
      this.#later(incident);
    });
  }

  /** What each incident does. */
  #incidents(): Record<Incident, () => void> {
    const {broker, services, coreProcesses, hosts, network} = this.#world;
    const host = () => this.#pick(hosts);
    return {
      'crash-core': () => this.#crash(this.#pick(coreProcesses)),
      'restart-core': () => this.#restartCore(),
      'pause-core': () => this.#pauseCore(),
      'cut-core': () => {
        const {name} = this.#pick(coreProcesses);
        network.cut(name, 'broker');
        this.#soon(20_000, () => network.heal(name, 'broker'));
      },
      'crash-broker': () => this.#crash(broker.process),
      'crash-edge': () => this.#crash(host().process),
      'lose-power': () => this.#losePower(host()),
      'cut-edge': () => this.#cutEdge(host()),
      'crash-services': () => this.#crash(services),
      'fill-broker-disk': () => this.#while(broker.disk, {full: true}, 10_000),
      'fill-edge-disk': () => this.#while(host().disk, {full: true}, 20_000),
      'break-edge-disk': () => this.#while(host().disk, {fail: 0.2}, 20_000),
      'slow-broker-disk': () => this.#while(broker.disk, {slowMsMax: 1_500}, 15_000),
      'flip-spool-bit': () => this.#flip(host()),
      'jump-clock': () => this.#jumpClock(),
      'fail-host': () => this.#fail(host(), true),
      'fail-rack': () => this.#failRack(),
      alarm: () => this.#fail(host(), false),
      command: () => this.#ask(),
    };
  }

  #while(disk: SimDisk, faults: Partial<SimDisk['faults']>, msMax: number): void {
    disk.faults = {...disk.faults, ...faults};
    const calm = {full: false, slowMsMax: 0, fail: 0};
    this.#soon(msMax, () => {
      disk.faults = {...disk.faults, ...calm};
    });
  }

  #soon(msMax: number, act: () => void): void {
    this.#world.scheduler.after(1_000 + this.#random.next() * msMax, act);
  }

  #crash(process: SimProcess): void {
    const {broker, trace, swarm} = this.#world;
    if (!process.isAlive) return;
    trace.fault(`${process.name} dies`);
    if (process === broker.process) broker.crash(this.#random.next() < 0.5, swarm.torn);
    else process.kill();
    this.#world.restart(process);
  }

  #losePower({process, disk, machine}: SimHost): void {
    if (!process.isAlive || machine.state !== 'up') return;
    process.kill();
    disk.losePower(this.#world.swarm.torn);
    this.#world.restart(process);
  }

  /** A graceful end, as in a rolling upgrade. */
  #restartCore(): void {
    const {coreProcesses, cores} = this.#world;
    const process = this.#pick(coreProcesses);
    if (!process.isRunning) return;
    const {life} = process;
    const end = (): void => {
      if (process.lives(life)) this.#crash(process);
    };
    cores[coreProcesses.indexOf(process)]?.stop().then(end, end);
    this.#world.scheduler.after(15_000, end);
  }

  /** Longer than its session: it comes back as a zombie. */
  #pauseCore(): void {
    const process = this.#pick(this.#world.coreProcesses);
    process.pause();
    this.#world.scheduler.after(PAUSE_MS, () => process.resume());
  }

  #cutEdge(host: SimHost): void {
    const {network, coreProcesses} = this.#world;
    const cut = this.#random.next() < 0.5 ? coreProcesses : [this.#pick(coreProcesses)];
    for (const core of cut) network.cut(host.name, core.name);
    this.#soon(25_000, () => {
      for (const core of cut) network.heal(host.name, core.name);
    });
  }

  /** A part fails after its sensors have shown it for a while, or they only seem to. */
  #fail(host: SimHost, really: boolean): void {
    const {scheduler} = this.#world;
    const onsetMs = scheduler.nowMs + 1_000;
    const rampMs = 15_000 + this.#random.next() * 60_000;
    const repairMs = 20_000 + this.#random.next() * 40_000;
    const episode: Episode = {
      kind: this.#pick(KINDS),
      component: really ? 'memory' : undefined,
      onsetMs,
      rampMs,
      peakMs: Math.ceil(onsetMs + rampMs),
      endMs: Math.ceil(onsetMs + rampMs + repairMs),
      steepness: 1,
      strength: 1,
      variant: 0.5,
      noiseSeed: 1,
    };
    host.machine.episodes.push(episode);
  }

  /** Hosts of one rack at once. */
  #failRack(): void {
    const {rack} = this.#pick(this.#world.hosts).machine;
    for (const host of this.#world.hosts) if (host.machine.rack === rack) this.#fail(host, true);
  }

  #jumpClock(): void {
    const processes = [...this.#world.coreProcesses, ...this.#world.hosts.map(h => h.process)];
    this.#pick(processes).skewMs = Math.round((this.#random.next() - 0.5) * 20_000);
  }

  /** Bits rot only in what is found damaged: frames of a spool that are not acknowledged yet. */
  #flip({disk}: SimHost): void {
    const {memory} = disk;
    if (!memory.exists('/spool/segments')) return;
    const names = memory.list('/spool/segments').slice(0, -1);
    if (names.length > 0) disk.flip(`/spool/segments/${this.#pick(names)}`);
  }

  #ask(): void {
    const draw = this.#random.next();
    if (draw < 0.5) {
      this.#command({kind: 'pause', comment: ''});
      this.#soon(20_000, () => this.#command({kind: 'resume', comment: ''}));
    } else {
      this.#command({kind: 'set-mode', mode: 'observe'});
      this.#soon(20_000, () => this.#command({kind: 'set-mode', mode: 'auto'}));
    }
  }

  /** Straight into the inbox, in order; a broker that is down is asked again. */
  #command(command: Pick<InboxRecord, 'kind'> & Record<string, unknown>): void {
    const {broker, partitions, scheduler} = this.#world;
    const record = {
      ...command,
      requestId: `nemesis/${this.#commands++}`,
      atMs: scheduler.nowMs,
      author: 'nemesis',
    } as InboxRecord;
    const bytes = codec.encodeInbox(record);
    const after = (ms: number) => new Promise<void>(resolve => scheduler.after(ms, resolve));
    const send = async (partition: number): Promise<void> => {
      const sent = broker.append('inbox', partition, [bytes]).then(
        () => true,
        () => false,
      );
      // A broker that dies never answers.
      if (await Promise.race([sent, after(2_000).then(() => false)])) return;
      await after(1_000);
      await send(partition);
    };
    for (const partition of partitions) {
      const earlier = this.#asked.get(partition) ?? Promise.resolve();
      this.#asked.set(
        partition,
        earlier.then(() => send(partition)),
      );
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random.next() * items.length)] as Item;
  }
}
