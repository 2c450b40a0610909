import {randomUUID} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {openKafkaLog} from '../../core/adapters/log-kafka.ts';
import {needService} from '../services/need.ts';

/** So long that the second sharing out comes in the middle of the first. */
const TAKING_MS = 1_000;
const APART_MS = 1_000;

test('owners that start together both start, though the first sharing out is overtaken', async t => {
  const brokers = await needService(t, 'kafka');
  if (brokers === undefined) return;
  t.timeout(90_000);
  const topicPrefix = `together-${randomUUID().slice(0, 8)}`;
  const open = async () => {
    const log = await openKafkaLog({brokers: brokers.split(','), clock: systemClock, topicPrefix});
    t.teardown(() => log.close());
    return log;
  };
  const logs = [await open(), await open()];
  const owned = logs.map(() => new Set<number>());
  await Promise.all(
    logs.map(async (log, index) => {
      await sleep(index * APART_MS);
      await log.own({
        assigned: async partition => {
          await sleep(TAKING_MS);
          owned[index]?.add(partition);
        },
        revoking: async () => {},
        lost: partition => void owned[index]?.delete(partition),
      });
    }),
  );
  while (owned.some(({size}) => size !== 32)) await sleep(100);
  t.deepEqual(new Set(owned.flatMap(partitions => [...partitions])).size, 64);
});
