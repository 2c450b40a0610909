import {PARTITIONS} from '../domain/hash.ts';
import type {Retention} from '../domain/retention.ts';
import {type Files, TOPICS, type Topic} from '../ports.ts';
import {SegmentPartition} from './log-segments-partition.ts';
import type {OnDamage, Segment} from './log-segments-reader.ts';

/** Partition, offset of its first record, and when it was begun: nothing else is kept about it. */
const namePattern = /^(\d{2})-(\d{16})-(\d{14})\.segment$/;

/** Segments of a partition are begun at least this often within the retention time. */
const segmentsPerRetention = 8;
/** Nothing that a start needs is deleted from these; they say what that is. */
const releasedTopics: readonly Topic[] = ['journal', 'checkpoints'];
/** Checkpoints go as soon as newer ones are there, so their segments end early. */
const checkpointSegmentBytes = 1 << 20;

/**
 * All partitions of all topics: `DIRECTORY/TOPIC/PARTITION-OFFSET-TIME.segment`. Opening lists five
 * folders and opens no file; a partition is looked at when it is first used.
 */
export class SegmentFolder {
  readonly #files: Files;
  readonly #retention: Readonly<Record<Topic, Retention>>;
  readonly #segmentBytes: number;
  readonly #topics = new Map<Topic, readonly SegmentPartition[]>();

  constructor(options: {
    files: Files;
    directory: string;
    retention: Readonly<Record<Topic, Retention>>;
    segmentBytes: number;
    durable: boolean;
    onDamage: (topic: Topic, partition: number) => OnDamage;
  }) {
    const {files, directory} = options;
    this.#files = files;
    this.#retention = options.retention;
    this.#segmentBytes = options.segmentBytes;
    for (const topic of TOPICS) {
      const folder = `${directory}/${topic}`;
      files.makeDirectory(folder);
      const segments = this.#listSegments(folder);
      const partitions = PARTITIONS.map(partition => {
        const pathOf = (startOffset: number, createdAtMs: number): string =>
          `${folder}/${digits(partition, 2)}-${digits(startOffset, 16)}-${digits(createdAtMs, 14)}.segment`;
        const made = new SegmentPartition(
          files,
          segments[partition] ?? [],
          pathOf,
          options.durable,
          options.onDamage(topic, partition),
        );
        if (releasedTopics.includes(topic)) made.neededFrom = 0;
        return made;
      });
      this.#topics.set(topic, partitions);
    }
  }

  partition(topic: Topic, partition: number): SegmentPartition {
    const found = this.#topics.get(topic)?.[partition];
    if (found === undefined) throw new RangeError(`no partition ${partition} of topic ${topic}`);
    return found;
  }

  /** Begins a new segment where the current one is full or old; says whether it did. */
  rollIfDue(topic: Topic, partition: SegmentPartition, nowMs: number): boolean {
    const last = partition.segments.at(-1);
    if (last === undefined || partition.endOffset === last.startOffset) return false;
    const ageMsMax = this.#retention[topic].ageMs / segmentsPerRetention;
    const bytesMax =
      topic === 'checkpoints'
        ? Math.min(this.#segmentBytes, checkpointSegmentBytes)
        : this.#segmentBytes;
    if (last.bytes < bytesMax && nowMs - last.createdAtMs <= ageMsMax) return false;
    partition.roll(nowMs);
    return true;
  }

  /** Deletes whole segments whose records are all too old, then the oldest ones above the size. */
  enforceRetention(topic: Topic, nowMs: number): void {
    const partitions = this.#topics.get(topic) ?? [];
    const {ageMs, bytes: bytesMax} = this.#retention[topic];
    for (const partition of partitions) {
      const isOld = () => (partition.segments[1]?.createdAtMs ?? nowMs) < nowMs - ageMs;
      while (isOld() && partition.canDrop) partition.dropOldest();
    }

    if (bytesMax === Number.POSITIVE_INFINITY) return;
    const all = partitions.flatMap(({segments}) => segments);
    let bytes = all.reduce((sum, segment) => sum + segment.bytes, 0);
    while (bytes > bytesMax) {
      const oldest = partitions
        .filter(({canDrop}) => canDrop)
        .sort((a, b) => createdAt(a) - createdAt(b))[0];
      if (oldest === undefined) return;
      bytes -= (oldest.segments[0] as Segment).bytes;
      oldest.dropOldest();
    }
  }

  /** See the port: what a start does not need goes now, or when its time has come. */
  release(topic: 'journal' | 'checkpoints', index: number, before: number, nowMs: number): void {
    const partition = this.partition(topic, index);
    partition.neededFrom = Math.max(partition.neededFrom, before);
    if (topic === 'journal') this.enforceRetention(topic, nowMs);
    else while (partition.canDrop) partition.dropOldest();
  }

  close(): void {
    for (const partitions of this.#topics.values())
      for (const partition of partitions) partition.close();
  }

  #listSegments(folder: string): Record<number, Segment[]> {
    const byPartition: Record<number, Segment[]> = {};
    // Names sort by partition, then by offset.
    for (const name of this.#files.list(folder)) {
      const match = namePattern.exec(name);
      if (match === null) continue;
      const [, partition, startOffset, createdAtMs] = match.map(Number);
      const path = `${folder}/${name}`;
      byPartition[partition as number] ??= [];
      byPartition[partition as number]?.push({
        path,
        startOffset: startOffset as number,
        createdAtMs: createdAtMs as number,
        bytes: this.#files.size(path),
        index: [],
      });
    }
    return byPartition;
  }
}

function createdAt({segments}: SegmentPartition): number {
  return segments[0]?.createdAtMs ?? 0;
}

function digits(number: number, width: number): string {
  return String(number).padStart(width, '0');
}
