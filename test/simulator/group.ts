import {Handover} from '../../core/adapters/log-kafka-handover.ts';
import type {Membership, OwnershipHandler, Random} from '../../core/ports.ts';
import type {Network} from './network.ts';
import type {SimProcess} from './process.ts';
import type {Scheduler} from './scheduler.ts';

const SESSION_MS = 6_000;
const HEARTBEAT_MS = 1_500;
const REVOKE_MS = 5_000;

type Member = {
  process: SimProcess;
  life: number;
  handover: Handover;
  seenAtMs: number;
  /** In the group, as the coordinator sees it. A member that was expelled may not know yet. */
  isIn: boolean;
  partitions: Set<number>;
};

/**
 * The group of owners, as Kafka keeps it: sessions, sticky assignment, members that hear of a
 * rebalance at their next heartbeat. Who was paused or cut off longer than its session lost its
 * partitions without knowing it.
 */
export class Group {
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #random: Random;
  readonly #partitions: readonly number[];
  readonly #broker: SimProcess;
  readonly #onChange: (what: string) => void;
  readonly #members: Member[] = [];

  constructor(options: {
    scheduler: Scheduler;
    network: Network;
    random: Random;
    partitions: readonly number[];
    broker: SimProcess;
    onChange: (what: string) => void;
  }) {
    this.#scheduler = options.scheduler;
    this.#network = options.network;
    this.#random = options.random;
    this.#partitions = options.partitions;
    this.#broker = options.broker;
    this.#onChange = options.onChange;
    this.#beat();
  }

  async join(process: SimProcess, handler: OwnershipHandler): Promise<Membership> {
    const member: Member = {
      process,
      life: process.life,
      handover: new Handover(handler),
      seenAtMs: this.#scheduler.nowMs,
      isIn: true,
      partitions: new Set(),
    };
    this.#members.push(member);
    this.#rebalance();
    return {
      leave: async () => {
        member.handover.end();
        await member.handover.revokeAll(this.#scheduler.nowMs + REVOKE_MS);
        this.#members.splice(this.#members.indexOf(member), 1);
        this.#rebalance();
      },
    };
  }

  #beat(): void {
    this.#scheduler.after(HEARTBEAT_MS, () => this.#beat());
    if (!this.#broker.isRunning) return;
    const nowMs = this.#scheduler.nowMs;
    let changed = false;
    for (const member of this.#members) {
      const {process, life} = member;
      const answers =
        process.lives(life) &&
        process.isRunning &&
        this.#network.reaches(process.name, this.#broker.name);
      if (answers && !member.isIn) {
        // It learns that its session is over, and joins anew.
        member.handover.loseAll();
        member.isIn = true;
        changed = true;
      }
      if (answers) member.seenAtMs = nowMs;
      else if (member.isIn && nowMs - member.seenAtMs > SESSION_MS) {
        member.isIn = false;
        member.partitions.clear();
        changed = true;
        this.#onChange(`${process.name} left the group`);
      }
    }
    if (changed) this.#rebalance();
  }

  /** Sticky: who is in keeps its own up to a fair share; what is free goes to who has least. */
  #rebalance(): void {
    for (let at = this.#members.length - 1; at >= 0; at--) {
      const {process, life, isIn} = this.#members[at] as Member;
      if (!isIn && !process.lives(life)) this.#members.splice(at, 1);
    }
    const members = this.#members.filter(member => member.isIn);
    if (members.length === 0) return;
    const share = Math.ceil(this.#partitions.length / members.length);
    const taken = new Set<number>();
    for (const member of members) {
      member.partitions = new Set([...member.partitions].slice(0, share));
      for (const partition of member.partitions) taken.add(partition);
    }
    for (const partition of this.#partitions) {
      if (taken.has(partition)) continue;
      const least = members.reduce((a, b) => (b.partitions.size < a.partitions.size ? b : a));
      least.partitions.add(partition);
    }
    for (const member of members) this.#tell(member);
  }

  /** At its next heartbeat: until then it goes on with what it had. */
  #tell(member: Member): void {
    const {process, life, handover} = member;
    this.#scheduler.after(this.#random.next() * HEARTBEAT_MS, () =>
      process.deliver(life, () => {
        if (!member.isIn) return;
        this.#onChange(`${process.name} gets ${[...member.partitions].join(' ') || 'nothing'}`);
        handover.assign(member.partitions).catch(() => {
          handover.loseAll();
          member.isIn = false;
          member.partitions.clear();
        });
      }),
    );
  }
}
