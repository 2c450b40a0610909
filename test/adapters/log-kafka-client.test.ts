import {createRequire} from 'node:module';
import test from 'ava';
import kafkajs from 'kafkajs';
import {createCluster, createKafka} from '../../core/adapters/log-kafka-client.ts';

const require = createRequire(import.meta.url);

/** What log-kafka-client.ts relies on inside kafkajs: if this fails, read that file first. */
test('kafkajs is the version whose insides are used', t => {
  t.is(require('kafkajs/package.json').version, '2.2.4');
});

test('a queue with nothing to send sets no timer, one with something does', t => {
  const RequestQueue = require('kafkajs/src/network/requestQueue');
  const logger = {debug: () => {}};
  const queue = new RequestQueue({maxInFlightRequests: 1, requestTimeout: 1000, logger});
  queue.checkPendingRequests();
  t.is(queue.throttleCheckTimeoutId, null);

  queue.throttledUntil = Date.now() + 60_000;
  queue.checkPendingRequests();
  t.not(queue.throttleCheckTimeoutId, null);
  queue.destroy();

  queue.throttledUntil = -1;
  const entry = {correlationId: 1, apiKey: 1, apiName: 'x', apiVersion: 1};
  const request = {entry, expectResponse: true, sendRequest: () => {}};
  queue.push(request);
  queue.push({...request, entry: {...entry, correlationId: 2}});
  t.is(queue.pending.length, 1);
  t.not(queue.throttleCheckTimeoutId, null);
  queue.destroy();
});

test('a cluster can be had, with the calls that are used', t => {
  const cluster = createCluster(createKafka({brokers: ['127.0.0.1:1'], clientId: 'test'}));
  for (const call of [
    'connect',
    'disconnect',
    'addMultipleTargetTopics',
    'refreshMetadata',
    'refreshMetadataIfNecessary',
    'findLeaderForPartitions',
    'findBroker',
    'removeBroker',
    'fetchTopicsOffset',
  ] as const)
    t.is(typeof cluster[call], 'function', call);
});

test('zstd is there, both ways', async t => {
  const codec = kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD]();
  const buffer = Buffer.alloc(10_000, 'forestay ');
  const compressed = await codec.compress({buffer});
  t.true(compressed.length < 200);
  t.deepEqual(await codec.decompress(compressed), buffer);
});
