/** How each topic is read: where to begin, which records count, which rows they give. */
import {type ForestayError, isForestayError} from '../domain/errors.ts';
import type {MetricSet} from '../domain/metric-sets.ts';
import type {Batch, Block, TelemetryRecord} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import type {Codec, LogRecord, SinkOffset, TableSchema, Topic} from '../ports.ts';
import {createJournalReader} from './journal-reader.ts';
import {createMarks} from './marks.ts';
import {type AddRow, addInbox, addSamples, addScores, addTick} from './recorder-rows.ts';
import type {SetCatalog} from './recorder-sets.ts';
import {REJECTED_RECORDS} from './tables.ts';

export type Sink = {
  codec: Codec;
  sets: SetCatalog;
  /** The set's table, there and ready. */
  samplesTable(set: MetricSet): Promise<TableSchema>;
  add: AddRow;
  /** Samples of a cell were added. */
  addedSamples(cell: string, count: number): void;
  /** Every how many batches of an edge are stored … */
  sampleEvery: number;
  /** … and every how many score records of a partition. */
  scoreEvery: number;
  nowMs(): number;
};

/** One topic of one partition, as far as it has been read and stored. */
export type Cursor = {
  readonly topic: Topic;
  readonly partition: number;
  /** Next offset to read. */
  readTo: number;
  /** What was below this offset at the last flush is stored. */
  storedTo: number;
  /** What to write down as read. */
  committable(): {offset: number; epoch: number};
  /** Returns nothing where there is nothing to wait for: most batches are not stored. */
  take(record: LogRecord): Promise<void> | undefined;
  /** Sets a record aside that cannot be read. */
  reject(record: LogRecord, error: ForestayError): void;
  /** Set aside since the start. */
  rejected: number;
  pollAtMs: number;
  idleMs: number;
};

type Reading = Pick<Cursor, 'take' | 'committable'>;

export const RECORDED_TOPICS = ['telemetry', 'journal', 'inbox', 'scores'] as const;
type RecordedTopic = (typeof RECORDED_TOPICS)[number];

const READINGS: Readonly<
  Record<RecordedTopic, (sink: Sink, cursor: Cursor, epoch: number) => Reading>
> = {telemetry: readTelemetry, journal: readJournal, inbox: readInbox, scores: readScores};

export function createCursor(
  sink: Sink,
  topic: RecordedTopic,
  partition: number,
  from: SinkOffset | undefined,
): Cursor {
  const offset = from?.offset ?? 0;
  const cursor: Cursor = {
    topic,
    partition,
    readTo: offset,
    storedTo: offset,
    committable: () => ({offset: cursor.readTo, epoch: 0}),
    take: () => undefined,
    reject: (record, error) => setAside(sink, cursor, record, error),
    rejected: 0,
    pollAtMs: 0,
    idleMs: 0,
  };
  return Object.assign(cursor, READINGS[topic](sink, cursor, from?.epoch ?? -1));
}

/** Feeds records to a cursor. What cannot be read is set aside, and skipped. */
export async function takeRecords(cursor: Cursor, records: readonly LogRecord[]): Promise<void> {
  for (const record of records) {
    try {
      const taken = cursor.take(record);
      if (taken !== undefined) await taken;
    } catch (error) {
      if (
        !isForestayError(error, 'RECORD_MALFORMED') &&
        !isForestayError(error, 'BATCH_MALFORMED')
      ) {
        throw error;
      }
      cursor.reject(record, error);
    }
    cursor.readTo = record.offset + 1;
  }
}

/** A foreign writer may fill a topic; nobody looks at more than some of it. */
const REJECTED_MAX = 1000;
const REJECTED_BYTES_MAX = 1024;

function setAside(
  {add, nowMs}: Sink,
  cursor: Cursor,
  {offset, value}: LogRecord,
  {code, message}: ForestayError,
): void {
  const {topic, partition} = cursor;
  quarantine(cursor, offset, code);
  if (cursor.rejected++ >= REJECTED_MAX) return;
  const head = Buffer.from(value.subarray(0, REJECTED_BYTES_MAX)).toString('base64');
  add(REJECTED_RECORDS, [nowMs(), topic, partition, offset, code, message, value.length, head]);
}

function quarantine({topic, partition}: Cursor, offset: number, code: string): void {
  publish('record.quarantined', {topic, partition, offset, code});
}

function readJournal({codec, add}: Sink, {readTo}: Cursor, epoch: number): Reading {
  const reader = createJournalReader(codec, {offset: readTo, epoch, tickNumber: -1});
  return {
    take: record => {
      const item = reader.take(record);
      if (item?.kind === 'tick') addTick(add, item.tick);
      return undefined;
    },
    committable: () => reader.position(),
  };
}

/** Batches count by the owner's rule; late ones too, with the time their edge gave them. */
function readTelemetry(sink: Sink, cursor: Cursor): Reading {
  const marks = createMarks();
  const decode = (value: Uint8Array): TelemetryRecord => {
    try {
      return sink.codec.decodeTelemetry(value);
    } catch (error) {
      marks.loosen();
      throw error;
    }
  };
  const isRepeated = ({edge, cell, incarnation, seq}: Batch): boolean =>
    // Whoever starts behind a late repeat takes all that is newer for gapped; keys tell repeats.
    marks.take(edge, cell, incarnation, seq) === 'repeated';
  const store = async (offset: number, batch: Batch): Promise<void> => {
    // Whatever may fail comes before the mark is moved: the record is then read again.
    const blocks = await blocksOf(sink, cursor, offset, batch);
    if (isRepeated(batch)) return;
    let rows = 0;
    for (const {table, block} of blocks) {
      addSamples(sink.add, table, batch, block, rows);
      rows += block.rows;
    }
    sink.addedSamples(batch.cell, rows);
  };
  const take = ({offset, value}: LogRecord): Promise<void> | undefined => {
    if (offset !== cursor.readTo) marks.loosen();
    const record = decode(value);
    if (record.kind === 'gap') {
      const {edge, cell, incarnation, fromSeq, toSeq} = record.gap;
      marks.skip(edge, cell, incarnation, fromSeq, toSeq);
      return undefined;
    }
    if (record.batch.seq % sink.sampleEvery === 0) return store(offset, record.batch);
    isRepeated(record.batch);
    return undefined;
  };
  return {take, committable: () => ({offset: cursor.readTo, epoch: 0})};
}

async function blocksOf(
  {sets, samplesTable}: Sink,
  cursor: Cursor,
  offset: number,
  batch: Batch,
): Promise<{table: TableSchema; block: Block}[]> {
  const found: {table: TableSchema; block: Block}[] = [];
  for (const block of batch.blocks) {
    const set = await sets.find(cursor.partition, block.metricSet, block.metricSetHash);
    if (set === undefined) quarantine(cursor, offset, 'METRIC_SET_UNKNOWN');
    else found.push({table: await samplesTable(set), block});
  }
  return found;
}

function readInbox({codec, add}: Sink, cursor: Cursor): Reading {
  return {
    take: ({value}) => {
      addInbox(add, codec.decodeInbox(value));
      return undefined;
    },
    committable: () => ({offset: cursor.readTo, epoch: 0}),
  };
}

/** Scores of an owner that was replaced do not count. */
function readScores({codec, add, scoreEvery}: Sink, cursor: Cursor, from: number): Reading {
  let epoch = from;
  let taken = 0;
  return {
    take: ({value}) => {
      const record = codec.decodeScores(value);
      if (record.epoch < epoch) return undefined;
      epoch = record.epoch;
      // Records of anomalies only come when they come.
      const hasRisks = record.hosts.length > 0;
      addScores(add, record, hasRisks && taken++ % scoreEvery === 0);
      return undefined;
    },
    committable: () => ({offset: cursor.readTo, epoch}),
  };
}
