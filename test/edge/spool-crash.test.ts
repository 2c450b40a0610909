import test from 'ava';
import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import type {Spool} from '../../edge/spool.ts';
import {batches, openSpool, pending} from './spool-support.ts';

const limits = {bytesMax: 100_000, segmentBytes: 130, rejectFilesMax: 2};

/** What a life of the spool promised before it was cut off. */
type Promised = {
  incarnation: number;
  appended: number;
  /** Sequences up to which batches were durable, and acks. */
  durable: number;
  durableAck: number;
};

/** Appends, acks and refuses for a while; stops at the first failure of the disk. */
async function live(files: MemoryFiles, promised: (so: Promised) => void): Promise<Spool> {
  const {spool, fill, clock} = openSpool(files, limits);
  const {incarnation} = spool;
  const so = {incarnation, appended: 0, durable: 0, durableAck: 0};
  promised({...so});
  let acked = 0;
  for (let round = 0; round < 8; round++) {
    fill(3);
    so.appended += 3;
    promised({...so});
    if (round % 3 === 1) {
      acked = so.appended - 4;
      spool.acknowledge({incarnation, seq: acked});
    }
    if (round === 5) spool.reject({incarnation, seq: so.appended}, 'BATCH_MALFORMED');
    await clock.advance(100);
    if (spool.counters.failedWrites > 0) return spool;
    so.durable = so.appended;
    so.durableAck = acked;
    promised({...so});
  }
  await spool.close();
  return spool;
}

async function callsOfOneLife(): Promise<number> {
  const files = createMemoryFiles();
  await live(files, () => {});
  return files.changes;
}

test('cut off at any call to the disk, the spool keeps every promise it has made', async t => {
  const calls = await callsOfOneLife();
  t.true(calls > 50);
  for (let call = 0; call < calls; call++) {
    const files = createMemoryFiles();
    const random = seededRandom(`crash at call ${call}`);
    let last: Promised = {incarnation: 0, appended: 0, durable: 0, durableAck: 0};
    files.failAfter(call);
    try {
      await live(files, so => {
        last = so;
      });
    } catch (error) {
      t.regex(String(error), /EIO/, `opening may fail with the disk, at call ${call}`);
    }
    files.crash(random);

    const {spool, fill} = openSpool(files, limits);
    const {incarnation, appended, durable, durableAck} = last;
    if (appended > 0) t.true(spool.incarnation > incarnation, `a life began anew, at call ${call}`);
    const shown = pending(spool);
    const sent = shown.filter(entry => !entry.startsWith('gap'));
    const wanted = batches(incarnation, durableAck + 1, durable).filter(
      batch => !shown.includes(`gap ${batch}-${batch.split('/')[1]} BATCH_MALFORMED`),
    );
    t.deepEqual(
      wanted.filter(batch => !sent.includes(batch) && isUnacked(spool, batch)),
      [],
      `a durable batch is missing, at call ${call}`,
    );
    const legal = new Set(batches(incarnation, durableAck + 1, appended));
    t.deepEqual(
      sent.filter(batch => !legal.has(batch)),
      [],
      `a batch came back that was settled or never was, at call ${call}`,
    );
    fill(2);
    t.deepEqual(pending(spool).slice(-2), batches(spool.incarnation, 1, 2));
    await spool.close();
  }
});

/** An ack may have become durable although nobody was told. */
function isUnacked({acked}: Spool, batch: string): boolean {
  const [incarnation, seq] = batch.split('/').map(Number);
  return incarnation !== acked.incarnation || (seq as number) > acked.seq;
}

test('lives that are cut off again and again lose only what was not durable', async t => {
  const random = seededRandom('many lives');
  const files = createMemoryFiles();
  const promises: Promised[] = [];
  for (let life = 0; life < 20; life++) {
    let last: Promised | undefined;
    files.failAfter(5 + Math.floor(random.next() * 60));
    try {
      await live(files, so => {
        last = so;
      });
    } catch (error) {
      t.regex(String(error), /EIO/);
    }
    files.crash(random);
    if (last !== undefined) promises.push(last);
  }
  const {spool} = openSpool(files, limits);
  const shown = new Set(pending(spool));
  const lives = promises.map(({incarnation}) => incarnation);
  t.deepEqual(
    lives,
    [...new Set(lives)].toSorted((a, b) => a - b),
    'no number was used twice',
  );
  const missing = promises
    .flatMap(({incarnation, durable}) => batches(incarnation, 1, durable))
    .filter(batch => isAfter(batch, spool) && !shown.has(batch))
    .filter(batch => !shown.has(`gap ${batch}-${batch.split('/')[1]} BATCH_MALFORMED`));
  t.deepEqual(missing, []);
});

function isAfter(batch: string, {acked}: Spool): boolean {
  const [incarnation = 0, seq = 0] = batch.split('/').map(Number);
  return incarnation > acked.incarnation || (incarnation === acked.incarnation && seq > acked.seq);
}
