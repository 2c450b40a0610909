import {
  comparePositions,
  decodeFrames,
  encodeFrame,
  type Frame,
  type FramesEnd,
  frameBytes,
  type Position,
} from './frame.ts';
import type {AppendFile, Files} from './ports.ts';
import {pad} from './reject-folder.ts';

/** A file of batches in sequence, all of one incarnation. */
export type Segment = {
  readonly path: string;
  readonly incarnation: number;
  readonly firstSeq: number;
  lastSeq: number;
  bytes: number;
};

/** The last batch in a segment. */
export const lastOf = ({incarnation, lastSeq}: Segment): Position => ({incarnation, seq: lastSeq});

/** What opening the folder found wrong. */
export type SegmentsDamage = {tornBytes: number; damagedSegments: number};

/**
 * The segment files of a spool, oldest first. Only the newest of this life is written; files of
 * earlier lives are only read and removed.
 */
export type Segments = {
  readonly all: readonly Segment[];
  /** Of all files together. */
  readonly bytes: number;
  readonly damage: SegmentsDamage;
  /** Writes one batch; not durable before a sync. A failed write leaves later ones intact. */
  append(position: Position, body: Uint8Array): void;
  /** The first batch after a position, from the files. */
  after(position: Position): Frame | undefined;
  removeOldest(): Segment | undefined;
  sync(): Promise<void>;
  syncNow(): void;
  close(): void;
};

export function openSegments(files: Files, folder: string, segmentBytes: number): Segments {
  files.makeDirectory(folder);
  const {segments, damage} = recover(files, folder);
  const open = createOpenFiles();
  let active: Segment | undefined;
  let read: {path: string; bytes: number; frames: Frame[]} | undefined;

  /** A whole segment at a time, kept until another one is read: catching up is sequential. */
  const framesOf = (segment: Segment): Frame[] => {
    if (read?.path !== segment.path || read.bytes !== segment.bytes) {
      const frames = readFrames(files, segment.path);
      read = {path: segment.path, bytes: segment.bytes, frames};
    }
    return read.frames;
  };

  const startSegment = ({incarnation, seq}: Position): Segment => {
    const path = `${folder}/${pad(incarnation, 10)}-${pad(seq, 16)}.segment`;
    const segment = {path, incarnation, firstSeq: seq, lastSeq: seq - 1, bytes: 0};
    open.add(segment, files.openAppend(path));
    segments.push(segment);
    active = segment;
    return segment;
  };

  /** Forgets a segment that never held a batch. Whether its file can be removed does not matter. */
  const discard = (segment: Segment): void => {
    open.close(segment);
    segments.splice(segments.indexOf(segment), 1);
    try {
      files.remove(segment.path);
    } catch {
      // The disk is in trouble, and the caller says so. Opening the spool removes empty files.
    }
  };

  return {
    all: segments,
    damage,
    get bytes() {
      return segments.reduce((sum, segment) => sum + segment.bytes, 0);
    },
    append(position, body) {
      const full = active === undefined || active.bytes + frameBytes(body) > segmentBytes;
      const segment = full || active === undefined ? startSegment(position) : active;
      try {
        open.write(segment, encodeFrame(position, body));
      } catch (error) {
        // Part of the frame may be there: what comes next must not stand behind it.
        active = undefined;
        if (segment.bytes === 0) discard(segment);
        else cutOff(files, segment);
        throw error;
      }
      segment.lastSeq = position.seq;
      segment.bytes += frameBytes(body);
    },
    after(position) {
      for (const segment of segments) {
        if (comparePositions(lastOf(segment), position) <= 0) continue;
        const sameLife = segment.incarnation === position.incarnation;
        const skipped = sameLife ? position.seq + 1 - segment.firstSeq : 0;
        // Undefined if the file was damaged since it was opened: what it held is a hole.
        const frame = framesOf(segment)[Math.max(0, skipped)];
        if (frame !== undefined) return frame;
      }
      return undefined;
    },
    removeOldest() {
      const oldest = segments[0];
      if (oldest === undefined || oldest === active) return undefined;
      open.close(oldest);
      files.remove(oldest.path);
      return segments.shift();
    },
    sync: () => open.sync(() => active),
    syncNow: () => open.syncNow(() => active),
    close: () => open.closeAll(),
  };
}

/** Takes away what a failed write has left. If it stays, opening the spool takes it for damage. */
function cutOff(files: Files, {path, bytes}: Segment): void {
  try {
    files.truncate(path, bytes);
  } catch {
    // The disk is in trouble, and the caller says so.
  }
}

/** What cannot be read is a hole, like what was damaged: the spool goes on behind it. */
function readFrames(files: Files, path: string): Frame[] {
  try {
    return decodeFrames(files.read(path)).frames;
  } catch {
    return [];
  }
}

/**
 * The files that are written to and may not be durable. One that is closed while it is being synced
 * stays open until that is over: its number may be another file's at once.
 */
function createOpenFiles() {
  const open = new Map<Segment, AppendFile>();
  const syncing = new Set<AppendFile>();
  const closeLater = new Set<AppendFile>();

  const close = (segment: Segment): void => {
    const file = open.get(segment);
    open.delete(segment);
    if (file !== undefined && syncing.has(file)) closeLater.add(file);
    else file?.close();
  };

  const syncOne = async (file: AppendFile): Promise<void> => {
    syncing.add(file);
    try {
      await file.sync();
    } finally {
      syncing.delete(file);
      if (closeLater.delete(file)) file.close();
    }
  };

  /** What is durable and full is not written to any more. */
  const closeFull = (segments: readonly Segment[], active: Segment | undefined): void => {
    for (const segment of segments) if (segment !== active) close(segment);
  };

  return {
    add: (segment: Segment, file: AppendFile) => void open.set(segment, file),
    write: (segment: Segment, chunks: readonly Uint8Array[]) => open.get(segment)?.write(chunks),
    close,
    async sync(active: () => Segment | undefined): Promise<void> {
      const synced = [...open];
      await Promise.all(synced.map(([, file]) => syncOne(file)));
      closeFull(
        synced.map(([segment]) => segment),
        active(),
      );
    },
    syncNow(active: () => Segment | undefined): void {
      for (const file of open.values()) file.syncNow();
      closeFull([...open.keys()], active());
    },
    closeAll(): void {
      for (const segment of [...open.keys()]) close(segment);
    },
  };
}

/** Frames that do not follow one another are not a segment's, whole as they may be. */
function inSequence({frames, validBytes, end}: ReturnType<typeof decodeFrames>) {
  const first = frames[0];
  const stray = frames.findIndex(
    ({incarnation, seq}, at) => incarnation !== first?.incarnation || seq !== first.seq + at,
  );
  if (stray < 0) return {frames, validBytes, end};
  const kept = frames.slice(0, stray);
  const bytes = kept.reduce((sum, {body}) => sum + frameBytes(body), 0);
  return {frames: kept, validBytes: bytes, end: 'damaged' as const};
}

/** Reads every file once: lengths and last sequences come from what is there, never from notes. */
function recover(files: Files, folder: string): {segments: Segment[]; damage: SegmentsDamage} {
  const names = files.list(folder).filter(name => /^\d{10}-\d{16}\.segment$/.test(name));
  const segments: Segment[] = [];
  const damage = {tornBytes: 0, damagedSegments: 0};
  for (const name of names) {
    const path = `${folder}/${name}`;
    const bytes = files.read(path);
    const {frames, validBytes, end} = inSequence(decodeFrames(bytes));
    // Only the last write of a life can have been cut short.
    const torn: FramesEnd = name === names.at(-1) ? end : end === 'whole' ? 'whole' : 'damaged';
    if (torn === 'torn') {
      damage.tornBytes += bytes.length - validBytes;
      files.truncate(path, validBytes);
    } else if (torn === 'damaged') damage.damagedSegments++;
    const [first, last] = [frames[0], frames.at(-1)];
    if (first === undefined || last === undefined) {
      files.remove(path);
      continue;
    }
    segments.push({
      path,
      incarnation: first.incarnation,
      firstSeq: first.seq,
      lastSeq: last.seq,
      bytes: torn === 'torn' ? validBytes : bytes.length,
    });
  }
  return {segments, damage};
}
