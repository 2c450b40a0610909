import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {decodeFrames, encodeFrame, START} from '../../edge/frame.ts';
import {addLoss, afterAck, type Loss} from '../../edge/losses.ts';
import fc from '../support/fast-check.ts';
import {batches, bodyOf, folder, openSpool, pending} from './spool-support.ts';

const small = {bytesMax: 2000, segmentBytes: 200};

test('batches come out in order, with the bytes that went in', async t => {
  const {spool, fill} = openSpool();
  t.is(spool.nextSeq, 1);
  fill(3);
  t.deepEqual(pending(spool), batches(1, 1, 3));
  t.deepEqual(spool.end, {incarnation: 1, seq: 3});
  await spool.close();
});

test('what is acked is not sent again, and its files go once the ledger is durable', async t => {
  const {spool, fill, files, clock} = openSpool(createMemoryFiles(), small);
  fill(20);
  const before = files.list(`${folder}/segments`).length;
  spool.acknowledge({incarnation: 1, seq: 15});
  t.deepEqual(pending(spool), batches(1, 16, 20));
  t.is(files.list(`${folder}/segments`).length, before, 'not before the sync');
  await clock.advance(100);
  t.true(files.list(`${folder}/segments`).length < before);
  t.deepEqual(pending(spool), batches(1, 16, 20));
  await spool.close();
});

test('a restart begins the next incarnation at 1, and the older one is sent first', async t => {
  const first = openSpool();
  first.fill(3);
  first.spool.acknowledge({incarnation: 1, seq: 1});
  await first.spool.close();

  const {spool, fill} = openSpool(first.files);
  t.is(spool.incarnation, 2);
  t.is(spool.nextSeq, 1);
  fill(2);
  t.deepEqual(pending(spool), ['1/2', '1/3', '2/1', '2/2']);
  await spool.close();
});

test('an incarnation is never used twice, even when everything before it was settled', async t => {
  const files = createMemoryFiles();
  for (const incarnation of [1, 2, 3]) {
    const {spool, fill} = openSpool(files);
    t.is(spool.incarnation, incarnation);
    fill(2);
    spool.acknowledge(spool.end);
    await spool.close();
  }
  t.deepEqual(pending(openSpool(files).spool), []);
});

test('an incarnation is never used twice, even when the ledger is lost', async t => {
  const first = openSpool();
  first.fill(2);
  await first.spool.close();
  const second = openSpool(first.files);
  second.fill(1);
  await second.spool.close();
  first.files.remove(`${folder}/ledger`);
  const {spool} = openSpool(first.files);
  t.is(spool.incarnation, 3);
  t.deepEqual(pending(spool), ['1/1', '1/2', '2/1']);
});

test('a power cut loses at most what was not synced yet, and a torn tail is cut', async t => {
  const first = openSpool();
  first.fill(5);
  await first.clock.advance(100);
  first.fill(2);
  // Half of the second batch that was not synced is on the disk.
  const draws = [0.6, 0.9];
  first.files.crash({next: () => draws.shift() ?? 0, fork: () => t.fail() as never});

  const {spool} = openSpool(first.files);
  t.deepEqual(pending(spool), batches(1, 1, 6));
  t.true(spool.counters.tornBytes > 0);
  t.is(spool.counters.damagedSegments, 0);
});

test('a flipped bit costs the rest of its segment, and the hole is sent as a gap', async t => {
  const first = openSpool(createMemoryFiles(), small);
  first.fill(20);
  await first.spool.close();
  const [segment = ''] = first.files.list(`${folder}/segments`);
  const perSegment = pending(first.spool).length / first.files.list(`${folder}/segments`).length;
  t.is(perSegment, 5);
  // The body of the third batch of the first segment.
  first.files.damage(`${folder}/segments/${segment}`, 2 * 40 + 25, 0x10);

  const {spool} = openSpool(first.files, small);
  t.is(spool.counters.damagedSegments, 1);
  t.deepEqual(pending(spool), ['1/1', '1/2', 'gap 1/3-5 damaged', ...batches(1, 6, 20)]);
  spool.acknowledge({incarnation: 1, seq: 5});
  t.deepEqual(pending(spool), batches(1, 6, 20));
});

test('a segment that is damaged while it is kept is a hole, and the spool goes on behind it', async t => {
  const first = openSpool(createMemoryFiles(), small);
  first.fill(20);
  await first.spool.close();
  const {spool} = openSpool(first.files, small);
  const [, segment = ''] = first.files.list(`${folder}/segments`);
  first.files.damage(`${folder}/segments/${segment}`, 30);
  t.deepEqual(pending(spool), [...batches(1, 1, 5), 'gap 1/6-10 damaged', ...batches(1, 11, 20)]);
});

test('any damage to any file is survived: what is sent is what was written, or a gap', async t => {
  const arbitrary = fc.record({
    file: fc.nat(),
    offset: fc.nat(),
    mask: fc.integer({min: 1, max: 255}),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({file, offset, mask}) => {
      const first = openSpool(createMemoryFiles(), small);
      first.fill(12);
      await first.spool.close();
      const second = openSpool(first.files, small);
      second.fill(8);
      await second.spool.close();
      const paths = [
        `${folder}/ledger`,
        ...first.files.list(`${folder}/segments`).map(name => `${folder}/segments/${name}`),
      ];
      const path = paths[file % paths.length] as string;
      first.files.damage(path, offset % first.files.size(path), mask);

      const {spool, fill} = openSpool(first.files, small);
      fill(1);
      const shown = pending(spool);
      const legal = new Set([...batches(1, 1, 12), ...batches(2, 1, 8), ...batches(3, 1, 1)]);
      return (
        spool.incarnation === 3 &&
        shown.at(-1) === '3/1' &&
        shown.every(entry => legal.has(entry) || entry.startsWith('gap '))
      );
    }),
    {verbose: 1},
  );
  t.pass();
});

test('a full spool drops the oldest, and says from where to where', async t => {
  const {spool, fill, files} = openSpool(createMemoryFiles(), {bytesMax: 800, segmentBytes: 200});
  fill(30);
  t.true(spool.bytes <= 800);
  const [gap = '', ...rest] = pending(spool);
  t.is(gap, 'gap 1/1-10 spool-full');
  t.deepEqual(rest, batches(1, 11, 30));
  t.is(spool.counters.droppedBatches, 10);
  await spool.close();

  const again = openSpool(files, {bytesMax: 800, segmentBytes: 200});
  t.deepEqual(pending(again.spool), [gap, ...rest], 'a restart remembers the reason');
  again.spool.acknowledge({incarnation: 1, seq: 10});
  t.deepEqual(pending(again.spool), rest);
});

test('a spool that is opened again and again does not grow in files without bound', async t => {
  const files = createMemoryFiles();
  for (let life = 1; life <= 12; life++) {
    const {spool, fill} = openSpool(files, {segmentsMax: 5});
    fill(1);
    await spool.close();
  }
  t.true(files.list(`${folder}/segments`).length <= 6);
  const shown = pending(openSpool(files).spool);
  t.is(shown[0], 'gap 1/1-1 spool-full');
  t.is(shown.at(-1), '12/1');
});

test('a refused batch is set aside, and its gap is sent in its place', async t => {
  const {spool, fill, files} = openSpool();
  fill(3);
  t.like(spool.reject({incarnation: 1, seq: 2}, 'METRIC_SET_UNKNOWN'), {
    kind: 'gap',
    position: {incarnation: 1, seq: 2},
    gap: {fromSeq: 2, toSeq: 2, reason: 'METRIC_SET_UNKNOWN'},
  });
  t.deepEqual(pending(spool), ['1/1', 'gap 1/2-2 METRIC_SET_UNKNOWN', '1/3']);
  const [name = ''] = files.list(`${folder}/reject`);
  t.is(name, '0000000001-0000000000000002-METRIC_SET_UNKNOWN.batch');
  t.deepEqual(
    Buffer.from(files.read(`${folder}/reject/${name}`)),
    bodyOf({incarnation: 1, seq: 2}),
  );
  t.is(spool.reject({incarnation: 1, seq: 9}, 'X'), undefined, 'a batch that is not there');
  await spool.close();

  const again = openSpool(files);
  t.deepEqual(pending(again.spool), ['1/1', 'gap 1/2-2 METRIC_SET_UNKNOWN', '1/3']);
});

test('the reject folder is bounded: the oldest go first', async t => {
  const limits = {rejectFilesMax: 3, rejectBytesMax: 100};
  const {spool, fill, files} = openSpool(createMemoryFiles(), limits);
  fill(5);
  fill(1, 60);
  fill(1, 101);
  for (let seq = 1; seq <= 7; seq++) spool.reject({incarnation: 1, seq}, '../../etc');
  t.deepEqual(
    files.list(`${folder}/reject`).map(name => name.slice(11)),
    [
      '0000000000000004-______etc.batch',
      '0000000000000005-______etc.batch',
      '0000000000000006-______etc.batch',
    ].map(name => name),
  );
  await spool.close();
});

test('a disk that takes no more does not stop the spool: the newest stay in memory', async t => {
  const {spool, fill, files, notes} = openSpool();
  fill(1);
  files.failAfter(0);
  fill(3);
  t.deepEqual(pending(spool), batches(1, 1, 4));
  t.is(spool.counters.failedWrites, 3);
  t.regex(notes[0] ?? '', /cannot write in \/spool: EIO/);
  await spool.close();
});

test('with the disk full and the core away, memory is bounded and the rest becomes a gap', async t => {
  const {spool, fill, files} = openSpool(createMemoryFiles(), small);
  files.failAfter(0);
  fill(100);
  const [gap, ...rest] = pending(spool);
  t.is(gap, 'gap 1/1-80 damaged');
  t.deepEqual(rest, batches(1, 81, 100));
});

test('a state in the ledger that makes no sense is passed over for the one before it', async t => {
  const sound = {incarnation: 4, acked: {incarnation: 4, seq: 2}, losses: []};
  const position = {incarnation: 9, seq: 1};
  const loss = {incarnation: 4, fromSeq: 3, toSeq: 5, reason: 'spool-full'};
  const senseless = [
    'null',
    '{',
    {...sound, incarnation: -1},
    {...sound, incarnation: 0xffff_ffff},
    {...sound, acked: position},
    {...sound, losses: [{...loss, toSeq: 1}]},
    {...sound, losses: [loss, {...loss, fromSeq: 1, toSeq: 4}]},
    {...sound, losses: [{...loss, reason: 7}]},
  ];
  for (const state of senseless) {
    const texts = [sound, state].map(of => (typeof of === 'string' ? of : JSON.stringify(of)));
    const files = createMemoryFiles();
    files.makeDirectory(folder);
    const frames = texts.flatMap(text => encodeFrame(START, Buffer.from(text)));
    files.replace(`${folder}/ledger`, Buffer.concat(frames));
    const {spool} = openSpool(files);
    t.is(spool.incarnation, 5, texts[1]);
    t.deepEqual(spool.acked, sound.acked);
    await spool.close();
  }
});

test('batches that do not follow one another are not believed', async t => {
  const files = createMemoryFiles();
  files.makeDirectory(`${folder}/segments`);
  const frames = [1, 2, 2, 7].flatMap(seq => {
    const position = {incarnation: 1, seq};
    return encodeFrame(position, bodyOf(position));
  });
  files.replace(`${folder}/segments/0000000001-0000000000000001.segment`, Buffer.concat(frames));
  const {spool} = openSpool(files);
  t.deepEqual(pending(spool), batches(1, 1, 2));
  t.is(spool.counters.damagedSegments, 1);
  await spool.close();
});

test('a ledger that has grown is written anew and still remembers', async t => {
  const {spool, fill, files, clock} = openSpool();
  for (let round = 0; round < 1500; round++) {
    fill(1);
    spool.acknowledge(spool.end);
    await clock.advance(100);
  }
  t.true(files.size(`${folder}/ledger`) <= 64 * 1024);
  files.crash();
  const again = openSpool(files);
  t.deepEqual(again.spool.acked, {incarnation: 1, seq: 1500});
  t.is(again.spool.incarnation, 2);
});

test('frames survive a round trip, and a cut file gives those before the cut', t => {
  const body = fc.uint8Array({maxLength: 50});
  fc.assert(
    fc.property(fc.array(body, {maxLength: 8}), fc.nat(), (bodies, cut) => {
      const chunks = bodies.map((bytes, at) => encodeFrame({incarnation: 3, seq: at + 1}, bytes));
      const whole = Buffer.concat(chunks.flat());
      const all = decodeFrames(whole);
      const bytes = whole.subarray(0, cut % (whole.length + 1));
      const some = decodeFrames(bytes);
      return (
        all.end === 'whole' &&
        all.frames.length === bodies.length &&
        all.frames.every(
          (frame, at) =>
            frame.seq === at + 1 && Buffer.compare(frame.body, bodies[at] as Buffer) === 0,
        ) &&
        some.frames.length <= bodies.length &&
        some.end === (some.validBytes === bytes.length ? 'whole' : 'torn')
      );
    }),
    {verbose: 1},
  );
  t.pass();
});

test('losses stay ascending and apart, cover what was lost, and shrink with acks', t => {
  const loss = fc
    .tuple(fc.integer({min: 1, max: 3}), fc.integer({min: 1, max: 30}), fc.nat(10), fc.nat(1))
    .map(
      ([incarnation, fromSeq, length, reason]): Loss => ({
        incarnation,
        fromSeq,
        toSeq: fromSeq + length,
        reason: ['full', 'refused'][reason] as string,
      }),
    );
  const covers = (losses: readonly Loss[], incarnation: number, seq: number) =>
    losses.filter(l => l.incarnation === incarnation && l.fromSeq <= seq && seq <= l.toSeq).length;
  fc.assert(
    fc.property(fc.array(loss, {maxLength: 12}), fc.integer({min: 0, max: 45}), (given, acked) => {
      const merged = given.reduce<readonly Loss[]>(addLoss, []);
      const left = afterAck(merged, {incarnation: 2, seq: acked});
      for (let incarnation = 1; incarnation <= 3; incarnation++)
        for (let seq = 1; seq <= 45; seq++) {
          const wanted = covers(given, incarnation, seq) > 0 ? 1 : 0;
          const isSettled = incarnation < 2 || (incarnation === 2 && seq <= acked);
          if (covers(merged, incarnation, seq) !== wanted) return false;
          if (covers(left, incarnation, seq) !== (isSettled ? 0 : wanted)) return false;
        }
      return true;
    }),
    {verbose: 1},
  );
  t.pass();
});
