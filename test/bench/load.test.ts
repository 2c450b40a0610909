import test from 'ava';
import {createDistribution} from '../../bench/support/distribution.ts';
import {
  cellNames,
  createMessages,
  dueMs,
  intervalMs,
  type Load,
  samplesPerMessage,
} from '../../bench/support/load.ts';
import {PARTITION_COUNT, partitionOfCell} from '../../core/domain/hash.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {Block} from '../../core/domain/telemetry.ts';
import {codec} from '../../proto/codec.ts';
import fc from '../support/fast-check.ts';

const load: Load = {
  edges: 3,
  cells: 3,
  hostsPerEdge: 2,
  vmsPerHost: 2,
  rounds: 2,
  hostSet: 'live',
  samplesPerSecond: 360,
  pack: false,
  herd: false,
};

test('messages carry their sequence and time, whatever these are', t => {
  for (const pack of [false, true]) {
    const messages = createMessages({...load, pack}, 0, 'cell-0');
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 2 ** 34}),
        fc.integer({min: 1e12, max: 2e12}),
        (seq, atMs) => {
          const record = codec.decodeTelemetry(messages.bytes(seq, atMs));
          if (record.kind !== 'batch') return t.fail();
          t.is(record.batch.seq, seq);
          for (const block of record.batch.blocks) t.is(block.observedAtMs.at(-1), atMs);
          const rows = record.batch.blocks.reduce((sum, block) => sum + block.rows, 0);
          t.is(rows, samplesPerMessage(load));
        },
      ),
      {numRuns: 50},
    );
  }
});

test('the first message of an edge has its inventory, then one a minute, each edge at its own time', t => {
  const every = Math.round(60_000 / intervalMs(load));
  const repeats = [1, 2].map(edge => {
    const messages = createMessages(load, edge, 'cell-1');
    const hosts = (seq: number) => {
      const record = codec.decodeTelemetry(messages.bytes(seq, 1.7e12));
      return record.kind === 'batch' ? record.batch.inventory?.hosts.length : undefined;
    };
    t.is(hosts(1), 2);
    const later = Array.from({length: every}, (_, index) => index + 2);
    return later.filter(seq => hosts(seq) !== undefined);
  });
  t.deepEqual(
    repeats.map(({length}) => length),
    [1, 1],
  );
  t.notDeepEqual(repeats[0], repeats[1]);
});

test('hosts say what live agents say: what is missing stays so, the worst devices are named', t => {
  const messages = createMessages({...load, edges: 65}, 1, 'cell-1');
  const blocks = [2, 3].map(seq => {
    const record = codec.decodeTelemetry(messages.bytes(seq, 1.7e12 + seq));
    if (record.kind !== 'batch') throw new TypeError('a gap');
    return record.batch.blocks[0] as Block;
  });
  const [before, after] = blocks as [Block, Block];
  t.is(before.metricSet, HOST_METRICS.name);
  t.is(before.metricSetHash, HOST_METRICS.hash);
  t.deepEqual(before.devices, after.devices);
  const missing = ({values}: Block) => [...values].map(value => Number.isNaN(value));
  t.deepEqual(missing(before), missing(after));
  const shareOf = (cells: readonly boolean[]) => cells.filter(Boolean).length / cells.length;
  t.true(shareOf(missing(before)) > 0.1 && shareOf(missing(before)) < 0.5);
  const still = before.values.map((value, at) => Number(value === after.values[at]));
  t.true(shareOf([...still].map(Boolean)) > 0.3);
  for (const {row, column} of before.devices) {
    t.true((before.values[column * before.rows + row] as number) > 0);
  }
});

test('times of one host rise from message to message', t => {
  const messages = createMessages(load, 0, 'cell-0');
  let lastMs = 0;
  for (let seq = 1; seq < 20; seq++) {
    const record = codec.decodeTelemetry(
      messages.bytes(seq, 1.7e12 + dueMs(load, (seq - 1) * load.edges)),
    );
    if (record.kind !== 'batch') return t.fail();
    const [block] = record.batch.blocks;
    for (const [row, atMs] of block?.observedAtMs.entries() ?? []) {
      if (block?.rowEntity[row] !== 0) continue;
      t.true(atMs > lastMs);
      lastMs = atMs;
    }
  }
  t.true(lastMs > 0);
});

test('messages are due evenly, or all at once in a herd', t => {
  t.is(intervalMs(load), 100);
  t.deepEqual(
    [0, 1, 2, 3].map(index => Math.round(dueMs(load, index))),
    [0, 33, 67, 100],
  );
  t.deepEqual(
    [0, 1, 2, 3].map(index => dueMs({...load, herd: true}, index)),
    [0, 0, 0, 100],
  );
});

test('cells lie in as many partitions as there are', t => {
  const partitions = cellNames(2 * PARTITION_COUNT).map(partitionOfCell);
  const counts = new Map<number, number>();
  for (const partition of partitions) counts.set(partition, (counts.get(partition) ?? 0) + 1);
  t.is(counts.size, PARTITION_COUNT);
  t.deepEqual(new Set(counts.values()), new Set([2]));
});

test('a distribution gives milliseconds, and nothing for nothing', t => {
  const distribution = createDistribution();
  t.deepEqual(distribution.figures(), {count: 0, p50: 0, p99: 0, p999: 0, max: 0});
  for (let ms = 1; ms <= 1000; ms++) distribution.record(ms);
  const {count, p50, p99, max} = distribution.figures();
  t.is(count, 1000);
  t.true(Math.abs(p50 - 500) < 2 && Math.abs(p99 - 990) < 3 && Math.abs(max - 1000) < 2);
});
