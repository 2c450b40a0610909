import type {Consumer, Kafka} from 'kafkajs';
import {within} from '../domain/concurrency.ts';
import {ForestayError, isForestayError} from '../domain/errors.ts';
import type {Clock, Membership, OwnershipHandler} from '../ports.ts';
import {stickyAssigner} from './log-kafka-assigner.ts';
import {Handover} from './log-kafka-handover.ts';

/** How often kafkajs comes round to send a heartbeat: the group fetches nothing. */
const idleMs = 250;
const joinMsMax = 60_000;
const revokeMs = 5_000;
const restartMs = 1_000;

export type GroupTiming = {
  /** A member that has not been heard of for this long is dead. Brokers allow 6 s and more. */
  sessionTimeoutMs: number;
  /** How often a member is heard, and hears of a rebalance. */
  heartbeatMs: number;
  /** How long the others wait for a member that does not join a rebalance. */
  rebalanceTimeoutMs: number;
};

export const defaultTiming: GroupTiming = {
  sessionTimeoutMs: 6000,
  heartbeatMs: 1000,
  rebalanceTimeoutMs: 10_000,
};

export type GroupOptions = {
  groupId: string;
  topic: string;
  timing: GroupTiming;
  clock: Clock;
  /** Told why the membership ended, and why it does not come back, if for another reason. */
  onTrouble: (trouble: ForestayError) => void;
};

/** A membership that its log can end without asking. */
export type GroupMembership = Membership & {drop(): Promise<void>};

/**
 * Joins the group of owners. It is subscribed to one topic, as the carrier of partition numbers, and
 * fetches nothing from it: who owns number 7 owns partition 7 of every topic.
 *
 * A rebalance takes about as long as the slowest member's next heartbeat; kept partitions are not
 * interrupted. After our session ended (a new member id), everything counts as lost, since somebody
 * else may have owned it in between.
 *
 * Resolves when all partitions of the first assignment are handed over.
 * @throws {ForestayError} `DEPENDENCY_UNREACHABLE` if the group cannot be joined within a minute,
 * and what the handler throws.
 */
export async function joinOwners(
  kafka: Kafka,
  options: GroupOptions,
  handler: OwnershipHandler,
): Promise<GroupMembership> {
  const {groupId, clock} = options;
  const handover = new Handover(handler);
  const group = new OwnerGroup(kafka, options, handover);
  const drop = async (): Promise<void> => {
    handover.end();
    handover.loseAll();
    await group.stop();
  };
  try {
    await group.start();
    if (!(await within(clock, joinMsMax, group.joined))) throw unassigned(groupId);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    drop,
    async leave() {
      handover.end();
      // What is not through by then is taken over from an older checkpoint.
      await within(clock, revokeMs, handover.revokeAll(clock.nowMs() + revokeMs));
      await group.stop();
    },
  };
}

/** Keeps a consumer in the group, a new one whenever kafkajs gives the old one up. */
class OwnerGroup {
  readonly #kafka: Kafka;
  readonly #options: GroupOptions;
  readonly #handover: Handover;
  readonly #joined = Promise.withResolvers<void>();
  readonly #stopped = new AbortController();
  #consumer: Consumer | undefined;
  #member: string | undefined;
  #hasJoined = false;
  /** The consumer has given up, or is to. */
  #broken = false;
  #restarting: Promise<void> | undefined;
  /** What was told since we were last a member. */
  #told = '';

  constructor(kafka: Kafka, options: GroupOptions, handover: Handover) {
    this.#kafka = kafka;
    this.#options = options;
    this.#handover = handover;
    // It may fail before anybody waits for it.
    this.#joined.promise.catch(() => {});
  }

  /** An assignment is handed over, or the first one could not be. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  async start(): Promise<void> {
    const {groupId, topic, timing} = this.#options;
    const consumer = this.#kafka.consumer({
      groupId,
      partitionAssigners: [stickyAssigner(topic, () => this.#handover.wanted)],
      sessionTimeout: timing.sessionTimeoutMs,
      heartbeatInterval: timing.heartbeatMs,
      rebalanceTimeout: timing.rebalanceTimeoutMs,
      maxWaitTimeInMs: idleMs,
      allowAutoTopicCreation: false,
      // Restarting is done here: kafkajs's own goes on after a disconnect.
      retry: {retries: 5, restartOnFailure: async () => false},
    });
    this.#consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({payload}) => {
      consumer.pause([{topic}]);
      this.#follow(payload.memberId, payload.memberAssignment[topic] ?? []);
    });
    consumer.on(consumer.events.CRASH, ({payload}) => this.#joinAnew(payload.error));
    await consumer.connect();
    await consumer.subscribe({topic});
    await consumer.run({autoCommit: false, eachBatch: async () => {}});
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#restarting;
    await this.#consumer?.disconnect();
  }

  #follow(member: string, partitions: readonly number[]): void {
    if (this.#member !== member) this.#handover.loseAll();
    this.#member = member;
    const handedOver = this.#handover.assign(partitions);
    // Another sharing out may come before the first is handed over, which is then never through.
    handedOver.then(
      () => {
        this.#hasJoined = true;
        this.#told = '';
        this.#joined.resolve();
      },
      error => {
        // Who cannot take over what it is given later on leaves it to others, and comes back.
        if (this.#hasJoined) this.#joinAnew(error);
        else this.#joined.reject(error);
      },
    );
  }

  #joinAnew(cause: unknown): void {
    // Not a member any more, or not for long.
    this.#handover.loseAll();
    this.#tell(cause);
    this.#broken = true;
    this.#restarting ??= this.#restart();
  }

  async #restart(): Promise<void> {
    const {signal} = this.#stopped;
    while (this.#broken && !signal.aborted) {
      this.#broken = false;
      try {
        await this.#consumer?.disconnect();
        await this.#options.clock.sleep(restartMs * (0.5 + Math.random()), signal);
        if (!signal.aborted) await this.start();
      } catch (error) {
        // As long as we are no member we own nothing: trying again is all there is to do.
        this.#broken = true;
        this.#tell(error);
      }
    }
    this.#restarting = undefined;
  }

  /** Brokers that stay away are told once, not with every attempt. */
  #tell(cause: unknown): void {
    const trouble = interrupted(this.#options.groupId, cause);
    if (trouble.message === this.#told) return;
    this.#told = trouble.message;
    this.#options.onTrouble(trouble);
  }
}

function interrupted(groupId: string, cause: unknown): ForestayError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ForestayError(
    isForestayError(cause) ? cause.code : 'DEPENDENCY_UNREACHABLE',
    `member of ${groupId}: ${why}; nothing is owned here until it has joined again, ` +
      "which is tried every second; check Kafka's group coordinator",
    {retryable: true, details: {groupId}, cause},
  );
}

function unassigned(groupId: string): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `join ${groupId}: no assignment within ${joinMsMax} ms; check Kafka's group coordinator`,
    {retryable: true, details: {groupId, waitedMs: joinMsMax}},
  );
}
