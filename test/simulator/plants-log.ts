/** Planted bugs of logs, journals, checkpoints and sinks. */
import {crc32} from 'node:zlib';
import type {JournalRecord} from '../../core/domain/records.ts';
import type {Codec, Log, LogRecord, Topic} from '../../core/ports.ts';
import type {Plant} from './plants.ts';

/** The core finds records of a topic as `spoil` leaves them. */
function reading(
  spoiled: Topic,
  spoil: (found: readonly LogRecord[]) => readonly LogRecord[],
): NonNullable<Plant['core']> {
  return parts => ({
    ...parts,
    log: {
      ...parts.log,
      async read(topic, ...where) {
        const found = await parts.log.read(topic, ...where);
        return topic === spoiled ? spoil(found) : found;
      },
    },
  });
}

/** A codec that understands journals as `spoil` leaves them. */
const understanding = (codec: Codec, spoil: (record: JournalRecord) => JournalRecord): Codec => ({
  ...codec,
  decodeJournal: bytes => spoil(codec.decodeJournal(bytes)),
});

/** The broker answers before its disk has the bytes. */
export const ackBeforeSync: Plant = {
  breaks: ['S1', 'S3', 'S8'],
  incidents: ['crash-broker'],
  prepare: ({broker}) => {
    broker.disk.liesAboutSync = true;
  },
};

/** An ingest that does not wait for its append. */
export const ackBeforeAppend: Plant = {
  breaks: ['S1', 'S3'],
  incidents: ['crash-broker', 'cut-core'],
  core: parts => ({
    ...parts,
    log: {
      ...parts.log,
      async append(topic, partition, values) {
        const appended = parts.log.append(topic, partition, values);
        if (topic !== 'telemetry') return appended;
        appended.catch(() => {});
        return 0;
      },
    },
  }),
};

/** Journal offsets as the writer expects them: no gap is ever seen. */
export const writerWithoutEpochs: Plant = {
  breaks: ['S8'],
  incidents: ['pause-core', 'cut-core'],
  core: parts => ({...parts, log: withExpectedOffsets(parts.log, parts.codec, false)}),
};

/** A tick counts as soon as it was sent. */
export const outboxBeforeDurable: Plant = {
  breaks: ['S7', 'S8'],
  core: parts => ({...parts, log: withExpectedOffsets(parts.log, parts.codec, true)}),
};

function withExpectedOffsets(log: Log, codec: Codec, early: boolean): Log {
  const next = new Map<number, number>();
  const isTick = (value: Uint8Array | undefined): boolean =>
    value !== undefined && codec.decodeJournal(value).kind !== 'epoch';
  return {
    ...log,
    async append(topic, partition, values) {
      if (topic !== 'journal' || !isTick(values[0])) return log.append(topic, partition, values);
      const end = next.get(partition) ?? (await log.endOffset('journal', partition));
      const appended = log.append(topic, partition, values);
      next.set(partition, end + values.length);
      if (!early) await appended;
      else appended.catch(() => {});
      return end;
    },
    async endOffset(topic, partition) {
      if (topic === 'journal') next.delete(partition);
      return log.endOffset(topic, partition);
    },
  };
}

/** A recovery that believes what a former owner wrote after it was superseded. */
export const readerWithoutEpochs: Plant = {
  breaks: ['S3', 'S7', 'S8', 'S11', 'S6'],
  incidents: ['pause-core', 'cut-core', 'crash-core'],
  swarm: {cores: 3},
  core: parts => {
    let highest = 0;
    const codec = understanding(parts.codec, record => {
      if (record.kind === 'epoch') highest = Math.max(highest, record.epoch.epoch);
      if (record.kind !== 'tick') return record;
      return {kind: 'tick', tick: {...record.tick, epoch: Math.max(highest, record.tick.epoch)}};
    });
    return {...parts, codec};
  },
};

/** Commands and results of one read, newest first. */
export const resultsOutOfOrder: Plant = {
  breaks: ['S11'],
  core: reading('inbox', found => {
    const values = found.map(({value}) => value).reverse();
    return found.map(({offset}, index) => ({offset, value: values[index] as Uint8Array}));
  }),
};

/** A reader that loses a record now and then. */
export const recordsSkipped: Plant = {
  breaks: ['S3', 'S11'],
  core: reading('telemetry', found =>
    found.length < 2 ? found : found.filter(({offset}) => offset % 97 !== 96),
  ),
};

/** Every batch seems to be a new one. */
export const duplicatesCounted: Plant = {
  breaks: ['S2', 'S3', 'S11'],
  core: (parts, ...given) => {
    let lives = 0;
    /** Who takes streams decodes too, and is to see what is there. */
    const wasRead = new WeakSet<Uint8Array>();
    const copied = reading('telemetry', found =>
      found.map(record => {
        const value = Uint8Array.from(record.value);
        wasRead.add(value);
        return {...record, value};
      }),
    )(parts, ...given);
    return {
      ...copied,
      codec: {
        ...parts.codec,
        decodeTelemetry(bytes) {
          const record = parts.codec.decodeTelemetry(bytes);
          if (record.kind === 'gap' || !wasRead.has(bytes)) return record;
          // Below the life that its edge says hello with, or its streams were refused.
          const incarnation = record.batch.incarnation - 1 + 1e-9 * ++lives;
          return {kind: 'batch', batch: {...record.batch, incarnation}};
        },
      },
    };
  },
};

/** Checkpoints rot, and their sums are made of what is there. */
export const checkpointWithoutCrc: Plant = {
  breaks: ['S3', 'S6', 'S8', 'S11', 'S12', 'S16'],
  incidents: ['crash-core', 'restart-core'],
  prepare: world => {
    world.rotten = new Map();
  },
  core: (parts, {rotten}, process) => ({
    ...parts,
    log: {
      ...parts.log,
      async append(topic, partition, values) {
        const isState = topic === 'checkpoints' && (values[0]?.length ?? 0) > 1_000;
        if (!isState) return parts.log.append(topic, partition, values);
        const bytes = values.map(value => Uint8Array.from(value));
        const [first] = bytes as [Uint8Array];
        // Somewhere in the numbers of the windows: nothing else notices.
        const at = Math.floor(first.length * (0.3 + 0.2 * ((process.life * 7) % 3)));
        first[at] = (first[at] as number) ^ 0x10;
        const offset = await parts.log.append(topic, partition, bytes);
        rotten?.set(`${partition}/${offset}`, crc32(Buffer.concat(bytes)));
        return offset;
      },
    },
    codec: understanding(parts.codec, record => {
      if (record.kind !== 'checkpoint') return record;
      const {pointer} = record;
      const suffix = `/${pointer.firstOffset}`;
      const sums = [...(rotten ?? [])].filter(([key]) => key.endsWith(suffix));
      return {...record, pointer: {...pointer, crc32: sums[0]?.[1] ?? pointer.crc32}};
    }),
  }),
};

/** Deadlines do not survive a recovery. */
export const timerLost: Plant = {
  breaks: ['S11', 'S12', 'S15'],
  incidents: ['crash-core', 'restart-core'],
  core: parts => ({
    ...parts,
    codec: understanding(parts.codec, record => {
      if (record.kind !== 'tick') return record;
      const transitions = record.tick.transitions.map(move => ({
        ...move,
        context: move.context.replace(/"deadlineMs":\d+/, '"deadlineMs":0'),
      }));
      return {kind: 'tick', tick: {...record.tick, transitions}};
    }),
  }),
};

/** The sink says how far it is before its rows are there. */
export const offsetsBeforeRows: Plant = {
  breaks: ['S2'],
  incidents: ['crash-core'],
  core: (parts, {scheduler}, process) => {
    const {life} = process;
    return {
      ...parts,
      store: {
        ...parts.store,
        async write(batches, offsets) {
          await parts.store.write([], offsets);
          scheduler.after(4_000, () =>
            process.deliver(life, () => void parts.store.write(batches, []).catch(() => {})),
          );
        },
      },
    };
  },
};
