/** What travels and what the log holds: batches, records, frames. */
import assert from 'node:assert/strict';
import {
  frameHeaderBytes,
  nextFrame,
  readFrame,
  wasSynced,
  writeFrame,
} from '../../core/adapters/log-segments-frame.ts';
import {decodeFrames, encodeFrame} from '../../edge/frame.ts';
import {codec, createCodec} from '../../proto/codec.ts';
import * as arbitrary from '../proto/arbitraries.ts';
import fc from '../support/fast-check.ts';
import {codecTarget, samplesOf, type Target} from './target.ts';

const packing = createCodec({packAboveBytes: 64});
const batches = arbitrary.batch.map(batch => ({kind: 'batch' as const, batch}));
const gaps = arbitrary.gap.map(gap => ({kind: 'gap' as const, gap}));

const telemetry = codecTarget(
  'telemetry',
  [
    ...samplesOf(batches, codec.encodeTelemetry),
    ...samplesOf(batches, packing.encodeTelemetry),
    ...samplesOf(gaps, codec.encodeTelemetry, 10),
  ],
  codec.decodeTelemetry,
  codec.encodeTelemetry,
);

const spoolFile = samplesOf(
  fc.array(
    fc.record({incarnation: fc.nat(), seq: fc.maxSafeNat(), body: fc.uint8Array({maxLength: 80})}),
    {maxLength: 12},
  ),
  frames => Buffer.concat(frames.flatMap(frame => encodeFrame(frame, frame.body))),
);

/** Whatever is believed are the very bytes. */
const spoolFrames: Target = {
  name: 'spool-frames',
  weight: 20,
  samples: spoolFile,
  feed(bytes) {
    const {frames, validBytes, end} = decodeFrames(bytes);
    const again = Buffer.concat(frames.flatMap(frame => encodeFrame(frame, frame.body)));
    assert.ok(again.equals(bytes.subarray(0, validBytes)));
    assert.equal(end === 'whole', validBytes === bytes.length);
    return end === 'whole';
  },
};

const segmentFile = samplesOf(fc.array(fc.uint8Array({maxLength: 80}), {maxLength: 12}), values => {
  const bytes = Buffer.alloc(
    values.reduce((sum, value) => sum + frameHeaderBytes + value.length, 0),
  );
  let at = 0;
  for (const [offset, value] of values.entries()) at = writeFrame(bytes, at, offset, at, value);
  return bytes;
});

const segmentFrames: Target = {
  name: 'segment-frames',
  weight: 20,
  samples: segmentFile,
  feed(bytes) {
    let at = 0;
    for (;;) {
      const frame = readFrame(bytes, at);
      if (frame === undefined || frame === 'damaged') break;
      const {offset, synced, value, next} = frame;
      const again = Buffer.alloc(next - at);
      assert.equal(writeFrame(again, 0, offset, synced, value), again.length);
      assert.ok(again.equals(bytes.subarray(at, next)));
      at = next;
    }
    const later = nextFrame(bytes, at, 0);
    assert.ok(later === undefined || later.position > at);
    assert.ok(!wasSynced(bytes, at, 0) || later !== undefined);
    return at === bytes.length;
  },
};

export const codecTargets: readonly Target[] = [
  telemetry,
  codecTarget(
    'journal',
    samplesOf(arbitrary.journalRecord, codec.encodeJournal),
    codec.decodeJournal,
    codec.encodeJournal,
  ),
  codecTarget(
    'inbox',
    samplesOf(arbitrary.inboxRecord, codec.encodeInbox),
    codec.decodeInbox,
    codec.encodeInbox,
  ),
  codecTarget(
    'scores',
    samplesOf(arbitrary.scoresRecord, codec.encodeScores),
    codec.decodeScores,
    codec.encodeScores,
  ),
  spoolFrames,
  segmentFrames,
];
