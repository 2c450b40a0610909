/** What is read back from a disk that nobody vouches for: folders of logs and spools, tables, locks. */
import assert from 'node:assert/strict';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {frameHeaderBytes, writeFrame} from '../../core/adapters/log-segments-frame.ts';
import {lockDirectory} from '../../core/adapters/log-segments-lock.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import type {Log, LogRecord, Random, Topic} from '../../core/ports.ts';
import {openEffectTable} from '../../edge/actuator/effect-table.ts';
import {comparePositions, encodeFrame, type Position, START} from '../../edge/frame.ts';
import {Spool} from '../../edge/spool.ts';
import {manualClock} from '../edge/manual-clock.ts';
import {accepted, type Target} from './target.ts';

const directory = '/log';
const segmentName = '00-0000000000000000-00000000000001.segment';

const valueAt = (file: number, offset: number) => Buffer.from(`${file}/${offset}`.repeat(offset));

/** Files that differ, so that it shows where a record is from. */
const segments = Array.from({length: 6}, (_, file) => {
  const values = Array.from({length: 5 + file}, (_, offset) => valueAt(file, offset));
  const size = values.reduce((sum, {length}) => sum + frameHeaderBytes + length, 0);
  const bytes = Buffer.alloc(size);
  let at = 0;
  for (const [offset, value] of values.entries()) at = writeFrame(bytes, at, offset, at, value);
  return bytes;
});

function segmentTarget(topic: Topic): Target {
  return {
    name: `segment-file:${topic}`,
    weight: 2,
    samples: segments,
    async feed(bytes) {
      const files = createMemoryFiles();
      files.makeDirectory(`${directory}/${topic}`);
      files.replace(`${directory}/${topic}/${segmentName}`, bytes);
      const clock = manualClock();
      const log = await openSegmentLog({directory, files, clock, groupMs: 0, cacheBytes: 0});
      try {
        const before = await readAll(log, topic);
        for (const {offset, value} of before) {
          const isOurs = segments.some((_, file) => valueAt(file, offset).equals(value));
          assert.ok(isOurs, `offset ${offset} holds what was never written there`);
        }
        const offset = await log.append(topic, 0, [Buffer.from('after')]);
        const [after] = await log.read(topic, 0, offset);
        assert.equal(Buffer.from(after?.value ?? []).toString(), 'after');
        return true;
      } catch (error) {
        if (isForestayError(error, 'LOG_CORRUPT')) return false;
        throw error;
      }
    },
  };
}

async function readAll(log: Log, topic: Topic): Promise<LogRecord[]> {
  const end = await log.endOffset(topic, 0);
  const records: LogRecord[] = [];
  for (let next = 0; next < end; ) {
    const some = await log.read(topic, 0, next);
    assert.ok(some.length > 0 && (some[0] as LogRecord).offset >= next, 'a read gives something');
    records.push(...some);
    next = (some.at(-1) as LogRecord).offset + 1;
  }
  return records;
}

const ledgers = [
  {incarnation: 2, acked: {incarnation: 1, seq: 3}, losses: []},
  {
    incarnation: 3,
    acked: START,
    losses: [{incarnation: 1, fromSeq: 2, toSeq: 3, reason: 'spool-full'}],
  },
].map(state => Buffer.from(JSON.stringify(state)));

const bodyOf = ({incarnation, seq}: Position) => Buffer.from(`body ${incarnation}/${seq}`);

const spoolSegments = [1, 2].map(incarnation => {
  const positions = Array.from({length: 5}, (_, at) => ({incarnation, seq: at + 1}));
  return Buffer.concat(positions.flatMap(position => encodeFrame(position, bodyOf(position))));
});

const framed = (body: Uint8Array): Buffer => Buffer.concat(encodeFrame(START, body));

/** Whatever is in its folder, a spool opens, offers only what was written, in order, and goes on. */
const spool: Target = {
  name: 'spool-folder',
  weight: 2,
  samples: [...ledgers, ...ledgers.map(framed), ...spoolSegments],
  feed(bytes, random) {
    const files = createMemoryFiles();
    files.makeDirectory('/spool/segments');
    const paths = [1, 2].map(life => `/spool/segments/${pad(life, 10)}-${pad(1, 16)}.segment`);
    for (const [at, path] of paths.entries()) files.replace(path, spoolSegments[at] as Buffer);
    files.replace('/spool/ledger', framed(ledgers[0] as Buffer));
    const target = ['/spool/ledger', ...paths][Math.floor(random.next() * 3)] as string;
    // Half of what is put into the ledger has the right checksum.
    const isSealed = target === '/spool/ledger' && random.next() < 0.5;
    files.replace(target, isSealed ? framed(bytes) : bytes);
    const opened = new Spool({files, clock: manualClock(), folder: '/spool'});
    const {incarnation, nextSeq: seq} = opened;
    assert.ok(Number.isSafeInteger(incarnation) && incarnation > 0 && seq === 1);
    opened.append(bodyOf({incarnation, seq}));
    let at: Position = opened.acked;
    let batches = 0;
    for (let steps = 0; ; steps++) {
      const entry = opened.after(at);
      if (entry === undefined) break;
      assert.ok(steps < 100 && comparePositions(entry.position, at) > 0, 'it ends, in order');
      if (entry.kind === 'batch') {
        assert.ok(bodyOf(entry.position).equals(entry.body), 'a body that was never written');
        batches++;
      }
      at = entry.position;
    }
    assert.equal(comparePositions(at, {incarnation, seq}), 0, 'the newest batch comes last');
    return batches > 1;
  },
};

const rows = [
  {kind: 'epoch', partition: 3, epoch: 17},
  {kind: 'begun', effect: {id: '3/17/1/0', kind: 'fence-host', host: 'h', vm: '', targetHost: ''}},
  {kind: 'ended', report: {id: '3/17/1/0', status: 'done', code: '', message: '', progress: 1}},
].map(row => Buffer.from(JSON.stringify(row)));

const effectTable: Target = {
  name: 'effect-table',
  weight: 5,
  samples: [...rows, Buffer.concat(rows.map(framed))],
  feed(bytes, random) {
    const files = createMemoryFiles();
    files.makeDirectory('/agent');
    const isSealed = random.next() < 0.5;
    const whole = Buffer.concat(rows.map(framed));
    files.replace('/agent/effects', isSealed ? Buffer.concat([whole, framed(bytes)]) : bytes);
    const table = accepted(() => openEffectTable({files, path: '/agent/effects'}));
    if (table === undefined) return false;
    assert.ok(Number.isSafeInteger(table.highestEpoch(3)) && table.highestEpoch(3) >= 0);
    if (isSealed) assert.ok(table.highestEpoch(3) >= 17, 'a fence is never lowered');
    table.close();
    assert.ok(accepted(() => openEffectTable({files, path: '/agent/effects'})) !== undefined);
    return true;
  },
};

const lock: Target = {
  name: 'lock-file',
  weight: 2,
  samples: [
    Buffer.from('{"pid":1,"host":"elsewhere","startedAt":"x","token":"t"}'),
    Buffer.from('null'),
    Buffer.from('{"pid":"1","host":{}}'),
  ],
  feed(bytes: Buffer, _random: Random) {
    const files = createMemoryFiles();
    files.makeDirectory(directory);
    files.replace(`${directory}/lock`, bytes);
    return accepted(() => lockDirectory(files, directory)) !== undefined;
  },
};

const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');

export const diskTargets: readonly Target[] = [
  segmentTarget('telemetry'),
  segmentTarget('journal'),
  spool,
  effectTable,
  lock,
];
