import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {metricSet} from '../../core/domain/metric-sets.ts';
import {
  batchBytes,
  blockOf,
  eventsOf,
  HELLO,
  heldLog,
  NOW_MS,
  sequencesOf,
  settled,
  setUp,
  telemetryOf,
} from './ingest-fixtures.ts';

test.serial('samples from the future are taken and counted, of live cells only', async t => {
  const {open, log} = setUp();
  const future = eventsOf(t, 'samples.future');
  const observedAtMs = Float64Array.of(NOW_MS, NOW_MS + 5_000, NOW_MS + 60_000);
  const blocks = [blockOf(undefined, {rows: 3, observedAtMs})];
  const live = open();
  live.session.record(batchBytes(1, {blocks}));
  const recorded = open({...HELLO, cell: 'old'});
  recorded.session.record(batchBytes(1, {cell: 'old', timeBase: 'recorded', blocks}));
  await settled();
  t.deepEqual(future, [{count: 1}]);
  t.is((await telemetryOf(log)).length, 1);
});

test.serial('cells of different time bases never share a partition', async t => {
  const {open, log, ingest} = setUp();
  const partition = partitionOfCell('default');
  const cells = Array.from({length: 1000}, (_, index) => `cell-${index}`);
  const neighbour = cells.find(cell => partitionOfCell(cell) === partition) as string;
  ingest.registerKnownCell('default', 'live');
  const {session, replies} = open({...HELLO, cell: neighbour});
  session.record(batchBytes(1, {cell: neighbour, timeBase: 'simulated'}));
  await settled();
  t.like(replies[0], {kind: 'refusal', seq: 1, code: 'TIME_BASE_CONFLICT'});
  const message = replies[0]?.kind === 'refusal' ? replies[0].message : '';
  t.true(message.includes(neighbour) && message.includes('cell default has live'), message);
  t.deepEqual(await sequencesOf(log), []);
});

test.serial('a cell keeps its time base', async t => {
  const {open} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(1));
  session.record(batchBytes(2, {timeBase: 'recorded'}));
  t.like(replies[0], {kind: 'refusal', seq: 2, code: 'TIME_BASE_CONFLICT'});
});

test.serial('the samples of an accepted batch are counted once they are durable', async t => {
  const held = heldLog();
  const accepted = eventsOf(t, 'batch.accepted');
  const {open, metricSets} = setUp({log: held.log});
  const set = metricSet('count.v1', 'vm', ['a']);
  metricSets.registerKnown(set);
  const {session} = open({...HELLO, cell: 'counted'});
  const bytes = batchBytes(1, {cell: 'counted', blocks: [blockOf(set, {rows: 7})]});
  session.record(bytes);
  await settled();
  const counted = () => accepted.filter(({cell}) => cell === 'counted');
  t.deepEqual(counted(), []);
  await held.release();
  t.deepEqual(counted(), [{cell: 'counted', samples: 7, bytes: bytes.length}]);
});
