import test from 'ava';
import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import {batches, folder, openSpool, pending} from './spool-support.ts';

const limits = {bytesMax: 100_000, segmentBytes: 130};

/** Files on which a sync of the ledger lasts until something has been done meanwhile. */
function slowLedger(files: MemoryFiles, meanwhile: () => void): MemoryFiles {
  return {
    ...files,
    openAppend(path) {
      const file = files.openAppend(path);
      if (path !== `${folder}/ledger`) return file;
      return {
        ...file,
        async sync() {
          meanwhile();
          await file.sync();
        },
      };
    },
  };
}

/** A spool of twelve batches, to which the ack of the last comes while that of the first is synced. */
function filledSpool() {
  const files = createMemoryFiles();
  let meanwhile = (): void => {};
  const opened = openSpool(
    slowLedger(files, () => meanwhile()),
    limits,
  );
  const {spool} = opened;
  const {incarnation} = spool;
  opened.fill(12);
  meanwhile = () => {
    meanwhile = () => {};
    spool.acknowledge({incarnation, seq: 12});
  };
  return {files, spool, clock: opened.clock, incarnation};
}

test('an ack that comes while the ledger is synced frees no file before it is in the ledger', async t => {
  const {files, spool, clock, incarnation} = filledSpool();
  const kept = () => files.list(`${folder}/segments`).length;
  const before = kept();
  t.true(before > 3);
  spool.acknowledge({incarnation, seq: 1});
  await clock.advance(100);
  t.is(spool.acked.seq, 12);
  t.is(kept(), before, 'the durable ledger says 1');

  files.crash();
  const again = openSpool(files, limits);
  t.deepEqual(pending(again.spool), batches(incarnation, 2, 12), 'no hole is told of');
  await again.spool.close();
});

test('an ack that came while the ledger was synced frees its files with the next sync', async t => {
  const {files, spool, clock, incarnation} = filledSpool();
  spool.acknowledge({incarnation, seq: 1});
  await clock.advance(100);
  await clock.advance(100);
  t.true(files.list(`${folder}/segments`).length <= 1);
  files.crash();
  t.deepEqual(pending(openSpool(files, limits).spool), []);
});
