/** S1, S2, S3: what was acknowledged is in the log, in the store and in the state, once. */
import {BUILT_IN_METRIC_SETS} from '../../core/domain/metric-sets.ts';
import type {Batch, TelemetryRecord} from '../../core/domain/telemetry.ts';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import {samplesTable} from '../../core/engine/tables.ts';
import type {Log, LogRecord, Store, Topic} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {keyOf, type Oracle} from './oracle.ts';

/** Everything in a partition of a topic. */
export async function readAll(log: Log, topic: Topic, partition: number): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let from = 0; ; ) {
    const found = await log.read(topic, partition, from);
    if (found.length === 0) return all;
    for (const record of found) all.push(record);
    from = (found.at(-1) as LogRecord).offset + 1;
  }
}

/** The batches that count, in order, by the rule of the protocol: each edge's next one. */
export type Taken = {batches: Batch[]; marks: Map<string, {incarnation: number; seq: number}>};

export function take(records: readonly TelemetryRecord[]): Taken {
  const batches: Batch[] = [];
  const marks: Taken['marks'] = new Map();
  for (const record of records) {
    const {edge, incarnation} = record.kind === 'batch' ? record.batch : record.gap;
    const [from, to] =
      record.kind === 'batch'
        ? [record.batch.seq, record.batch.seq]
        : [record.gap.fromSeq, record.gap.toSeq];
    const mark = marks.get(edge) ?? {incarnation: 0, seq: 0};
    const isNewLife = incarnation > mark.incarnation;
    const isNext = incarnation === mark.incarnation && from <= mark.seq + 1 && to > mark.seq;
    if (!isNewLife && !isNext) continue;
    marks.set(edge, {incarnation, seq: to});
    if (record.kind === 'batch') batches.push(record.batch);
  }
  return {batches, marks};
}

/** Acknowledged, and not given up by its edge in between. */
function isDue(oracle: Oracle, {edge, incarnation, seq}: Batch): boolean {
  if (seq > (oracle.acked.get(`${edge}/${incarnation}`) ?? 0)) return false;
  return !oracle.gaps.some(
    gap =>
      gap.edge === edge &&
      gap.incarnation === incarnation &&
      gap.fromSeq <= seq &&
      seq <= gap.toSeq,
  );
}

export async function checkTelemetry(
  oracle: Oracle,
  log: Log,
  store: Store,
  states: readonly PartitionState[],
  partitions: readonly number[],
): Promise<void> {
  const taken = new Map<string, Batch>();
  const logged = new Set<string>();
  for (const partition of partitions) {
    const raw = await readAll(log, 'telemetry', partition);
    const decoded = raw.map(({value}) => codec.decodeTelemetry(value));
    checkBytes(oracle, raw, decoded);
    for (const record of decoded) if (record.kind === 'batch') logged.add(keyOf(record.batch));
    const {batches, marks} = take(decoded);
    for (const batch of batches) {
      const key = keyOf(batch);
      oracle.expect(!taken.has(key), 'S3', () => `${key} counts twice`);
      taken.set(key, batch);
    }
    for (const state of states) {
      if (state.partition === partition) checkMarks(oracle, state, marks);
    }
  }
  for (const [key, {batch}] of oracle.emitted) {
    if (!isDue(oracle, batch)) continue;
    oracle.expect(logged.has(key), 'S1', () => `${key} was acknowledged and is not in the log`);
    oracle.expect(taken.has(key), 'S3', () => `${key} was acknowledged and does not count`);
  }
  await checkStore(oracle, store, taken, logged);
}

/** S1: the log has what an edge made, to the byte. */
function checkBytes(
  oracle: Oracle,
  raw: readonly LogRecord[],
  decoded: readonly TelemetryRecord[],
): void {
  decoded.forEach((record, index) => {
    if (record.kind === 'gap') return;
    const key = keyOf(record.batch);
    const made = oracle.emitted.get(key);
    const {value} = raw[index] as LogRecord;
    const isSame = made !== undefined && Buffer.from(made.bytes).equals(value);
    oracle.expect(isSame, 'S1', () => `${key} in the log is not what its edge made`);
  });
}

/** S3: the state has taken what counts, all of it, in order. */
function checkMarks(oracle: Oracle, state: PartitionState, marks: Taken['marks']): void {
  for (const {edge, incarnation, seq} of state.marks.entries()) {
    const mark = marks.get(edge);
    oracle.expect(
      mark?.incarnation === incarnation && mark.seq === seq,
      'S3',
      () =>
        `the state of partition ${state.partition} has ${edge} up to ${incarnation}/${seq}, ` +
        `the log up to ${mark?.incarnation}/${mark?.seq}`,
    );
  }
}

/**
 * S2: a row for every sample that counts, once. A repeat of a former life may be there as well: a
 * recorder that begins in the middle cannot know.
 */
async function checkStore(
  oracle: Oracle,
  store: Store,
  taken: ReadonlyMap<string, Batch>,
  logged: ReadonlySet<string>,
): Promise<void> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  // Of a set that nobody sent there is no table.
  const sent = new Set(
    [...taken.values()].flatMap(({blocks}) => blocks.map(each => each.metricSet)),
  );
  for (const set of BUILT_IN_METRIC_SETS.filter(({name}) => sent.has(name))) {
    const rows = await store.query({table: samplesTable(set).name, limit: 100_000});
    for (const row of rows) {
      const key = `${row.edge}/${row.incarnation}/${row.seq}#${row.row}`;
      oracle.expect(!found.has(key), 'S2', () => `${key} is in the store twice`);
      const isKnown = logged.has(key.slice(0, key.indexOf('#')));
      oracle.expect(isKnown, 'S2', () => `${key} is in the store and not in the log`);
      found.set(key, row);
    }
  }
  for (const [key, batch] of taken) {
    let row = 0;
    for (const block of batch.blocks) {
      const set = BUILT_IN_METRIC_SETS.find(({name}) => name === block.metricSet);
      for (let index = 0; index < block.rows; index++, row++) {
        const stored = found.get(`${key}#${row}`);
        const column = set?.columns[0] as string;
        const value = block.values[index] as number;
        const isThere =
          stored?.ts === block.observedAtMs[index] &&
          stored?.entity === block.entities[block.rowEntity[index] as number] &&
          (Number.isNaN(value) ? stored?.[column] === null : stored?.[column] === value);
        oracle.expect(isThere, 'S2', () => `sample ${key}#${row} is not in the store as sent`);
      }
    }
  }
}
