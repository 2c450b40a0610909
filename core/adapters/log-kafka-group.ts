import type {Consumer, Kafka} from 'kafkajs';
import {ForestayError} from '../domain/errors.ts';
import type {Membership, OwnershipHandler} from '../ports.ts';
import {stickyAssigner} from './log-kafka-assigner.ts';
import {Handover} from './log-kafka-handover.ts';

const sessionMs = 6_000;
const heartbeatMs = 1_500;
const rebalanceMs = 10_000;
/** How often kafkajs comes round to send a heartbeat: the group fetches nothing. */
const idleMs = 500;
const joinMsMax = 60_000;
const revokeMs = 5_000;

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
  options: {groupId: string; topic: string; nowMs: () => number},
  handler: OwnershipHandler,
): Promise<GroupMembership> {
  const {groupId, topic, nowMs} = options;
  const handover = new Handover(handler);
  const consumer = kafka.consumer({
    groupId,
    partitionAssigners: [stickyAssigner(topic, () => handover.wanted)],
    sessionTimeout: sessionMs,
    heartbeatInterval: heartbeatMs,
    rebalanceTimeout: rebalanceMs,
    maxWaitTimeInMs: idleMs,
    allowAutoTopicCreation: false,
    retry: {retries: 5, restartOnFailure: async () => true},
  });
  const joined = Promise.withResolvers<void>();
  followAssignments(consumer, topic, handover, joined);
  const drop = async (): Promise<void> => {
    handover.end();
    handover.loseAll();
    await consumer.disconnect();
  };
  try {
    await consumer.connect();
    await consumer.subscribe({topic});
    await consumer.run({autoCommit: false, eachBatch: async () => {}});
    await within(joinMsMax, joined.promise, groupId);
  } catch (error) {
    await drop();
    throw error;
  }
  return {
    drop,
    async leave() {
      handover.end();
      await handover.revokeAll(nowMs() + revokeMs);
      await consumer.disconnect();
    },
  };
}

function followAssignments(
  consumer: Consumer,
  topic: string,
  handover: Handover,
  joined: PromiseWithResolvers<void>,
): void {
  let member: string | undefined;
  let isFirst = true;
  consumer.on(consumer.events.GROUP_JOIN, ({payload}) => {
    consumer.pause([{topic}]);
    if (member !== payload.memberId) handover.loseAll();
    member = payload.memberId;
    const handedOver = handover.assign(payload.memberAssignment[topic] ?? []);
    // Later, nobody waits who could be told: an owner that cannot take over ends its process.
    if (isFirst) handedOver.then(joined.resolve, joined.reject);
    else void handedOver;
    isFirst = false;
  });
  // Not a member any more, whatever comes next.
  consumer.on(consumer.events.CRASH, () => handover.loseAll());
}

async function within(ms: number, promise: Promise<void>, groupId: string): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      late.reject(
        new ForestayError(
          'DEPENDENCY_UNREACHABLE',
          `join ${groupId}: no assignment within ${ms} ms; check Kafka's group coordinator`,
          {retryable: true, details: {groupId, waitedMs: ms}},
        ),
      ),
    ms,
  );
  try {
    await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
