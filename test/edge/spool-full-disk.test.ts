import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {Spool} from '../../edge/spool.ts';
import {smallDisk} from '../support/small-disk.ts';
import {manualClock} from './manual-clock.ts';
import {batches, bodyOf, folder, openSpool, pending} from './spool-support.ts';

const limits = {bytesMax: 100_000, segmentBytes: 400};

test('on a full disk the oldest batches go, counted and as a gap, and the newest are kept', async t => {
  for (let diskBytes = 1000; diskBytes < 2500; diskBytes += 111) {
    const files = createMemoryFiles();
    const {spool, fill, clock, notes} = openSpool(files, limits);
    files.limitTo(diskBytes);
    for (let round = 0; round < 30; round++) {
      fill(5);
      await clock.advance(100);
    }
    const {droppedBatches} = spool.counters;
    t.true(droppedBatches > 50, `at ${diskBytes}`);
    t.deepEqual(pending(spool), [
      `gap 1/1-${droppedBatches} spool-full`,
      ...batches(1, droppedBatches + 1, 150),
    ]);
    t.true(notes.some(line => /disk of .* is full/.test(line)));

    files.limitTo(Number.POSITIVE_INFINITY);
    fill(50);
    await clock.advance(100);
    t.deepEqual(pending(spool).slice(1), batches(1, droppedBatches + 1, 200), 'and it goes on');
    t.is(spool.counters.droppedBatches, droppedBatches);
    files.crash();
    const next = openSpool(files, limits).spool;
    t.deepEqual(pending(next), pending(spool), 'durably');
    t.is(next.counters.damagedSegments, 0);
  }
});

test('an ack that the full disk did not take is taken as soon as there is room', async t => {
  const files = createMemoryFiles();
  const {spool, fill, clock} = openSpool(files, limits);
  fill(20);
  await clock.advance(100);
  // Room for half a line of the ledger.
  const used = files
    .list(`${folder}/segments`)
    .reduce(
      (sum, name) => sum + files.size(`${folder}/segments/${name}`),
      files.size(`${folder}/ledger`),
    );
  files.limitTo(used + 40);
  spool.acknowledge({incarnation: 1, seq: 15});
  await clock.advance(100);
  t.is(spool.counters.failedWrites, 1);
  files.limitTo(Number.POSITIVE_INFINITY);
  spool.acknowledge({incarnation: 1, seq: 16});
  await clock.advance(100);
  files.crash();
  const next = openSpool(files, limits).spool;
  t.deepEqual(next.acked, {incarnation: 1, seq: 16});
  t.deepEqual(pending(next), batches(1, 17, 20));
});

test('a real disk that fills up does the same', async t => {
  const disk = smallDisk(t, 512 * 1024);
  if (disk === undefined) {
    t.pass('only root may mount one');
    return;
  }
  const clock = manualClock();
  const spool = new Spool({
    files: nodeFiles,
    clock,
    folder: `${disk}/spool`,
    limits: {bytesMax: 64 << 20, segmentBytes: 32 * 1024},
  });
  for (let seq = 1; seq <= 400; seq++) spool.append(bodyOf({incarnation: 1, seq}, 4096));
  await clock.advance(100);
  await spool.close();
  t.true(spool.counters.droppedBatches > 200);
  const next = new Spool({files: nodeFiles, clock, folder: `${disk}/spool`});
  const shown = pending(next);
  t.is(shown.at(-1), '1/400');
  t.true(shown.length > 40, 'most of the disk is used');
  await next.close();
});
