/** Streams of an edge of which the log has a newer life: nothing that they bring would count. */
import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {batchBytes, HELLO, sequencesOf, settled, setUp} from './ingest-fixtures.ts';

const MESSAGE =
  /edge h01 of cell default says hello in its life 1, but the log has batches of its life 7.*second collector.*clock set back/;

test('a stream of an older life than the durable one is refused, and says what to do', async t => {
  const {open, log} = setUp();
  const newer = open({...HELLO, incarnation: 7});
  newer.session.record(batchBytes(1, {incarnation: 7}));
  await settled();
  const older = open();
  older.session.record(batchBytes(1));
  await settled();
  t.like(older.errors[0], {code: 'EDGE_MISMATCH', details: {incarnation: 1, newest: 7}});
  t.regex(older.errors[0]?.message ?? '', MESSAGE);
  t.deepEqual(older.replies, []);
  t.deepEqual(newer.errors, [], 'the stream that counts goes on');
  newer.session.record(batchBytes(2, {incarnation: 7}));
  await settled();
  t.deepEqual(await sequencesOf(log), [1, 2]);
});

test('what the owner of the partition knows counts too, also when it recovers later', async t => {
  let newest: number | undefined;
  const asked: unknown[] = [];
  const {open, log} = setUp({
    newestLife: (partition, {edge, cell}) => {
      asked.push([partition, edge, cell]);
      return newest;
    },
  });
  const {session, errors} = open();
  session.record(batchBytes(1));
  await settled();
  t.deepEqual(asked[0], [partitionOfCell('default'), 'h01', 'default']);
  t.deepEqual(errors, []);
  newest = 7;
  session.record(batchBytes(2));
  t.regex(errors[0]?.message ?? '', MESSAGE);
  const again = open();
  t.is(again.errors[0]?.code, 'EDGE_MISMATCH');
  t.deepEqual(await sequencesOf(log), [1]);
});

test('the owner is asked until it knows, then no more', t => {
  let asked = 0;
  const {open} = setUp({newestLife: () => (++asked < 3 ? undefined : 0)});
  const {session, errors} = open();
  for (let seq = 1; seq < 9; seq++) session.record(batchBytes(seq));
  t.is(asked, 3);
  t.deepEqual(errors, []);
});
