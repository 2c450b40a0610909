import {strict as assert} from 'node:assert';
import {dirname} from 'node:path';
import {
  type EffectReport,
  type EffectStatus,
  effectKinds,
  type IssuedEffect,
} from '../../core/domain/effects.ts';
import {ForestayError, isSystemError} from '../../core/domain/errors.ts';
import {decodeFrames, encodeFrame, frameBytes, START} from '../frame.ts';
import type {AppendFile, Files} from '../ports.ts';

/** What the table knows of an effect; one that ended before it was begun was never seen. */
export type KnownEffect = {effect?: IssuedEffect; report: EffectReport};

/**
 * An agent's durable memory: the highest epoch of every partition, and every effect with what came
 * of it. What a method has resolved for survives a power cut.
 *
 * Errors: `AGENT_UNREACHABLE` (retryable) if the disk does not take it: then it is not remembered.
 */
export type EffectTable = {
  /** 0 if the partition was never heard of. */
  highestEpoch(partition: number): number;
  /** Remembers a higher epoch; lower ones change nothing. */
  raiseEpoch(partition: number, epoch: number): Promise<void>;
  find(id: string): KnownEffect | undefined;
  /** Remembers that the effect is about to be begun. */
  begin(effect: IssuedEffect): Promise<void>;
  /** Remembers the one result of an effect, of one that will never begin too. */
  end(report: EffectReport): Promise<void>;
  close(): void;
};

export type EffectTableLimits = {
  /** Results that are kept, oldest forgotten first. Running effects are never forgotten. */
  resultsMax: number;
  /** The file is written anew when it has grown by more than this since the last time. */
  grownBytesMax: number;
};

const defaultLimits: EffectTableLimits = {resultsMax: 10_000, grownBytesMax: 1 << 20};

type Row =
  | {kind: 'epoch'; partition: number; epoch: number}
  | {kind: 'begun'; effect: IssuedEffect}
  | {kind: 'ended'; report: EffectReport};

/**
 * Opens the table in `path`, or starts an empty one. An unfinished last write is cut off.
 *
 * Errors: `LOG_CORRUPT` if a byte before the end was changed, or a row is none: a fence or a result may be gone, and
 * only a person can say that nothing is under way.
 */
export function openEffectTable({
  files,
  path,
  limits = defaultLimits,
}: {
  files: Files;
  path: string;
  limits?: EffectTableLimits;
}): EffectTable {
  files.makeDirectory(dirname(path));
  const state: State = {epochs: new Map(), effects: new Map()};
  for (const row of readRows(files, path)) apply(state, row, limits.resultsMax);
  /** Undefined after a failure: what is in the file then nobody knows, so it is written anew. */
  let file: AppendFile | undefined = rewrite(files, path, state);
  let grownBytes = 0;

  const close = (): void => {
    file?.close();
    file = undefined;
  };

  const remember = async (row: Row): Promise<void> => {
    const chunks = encodeRow(row);
    try {
      if (grownBytes > limits.grownBytesMax) close();
      if (file === undefined) {
        file = rewrite(files, path, state);
        grownBytes = 0;
      }
      file.write(chunks);
      await file.sync();
    } catch (error) {
      close();
      throw isSystemError(error) ? notKept(path, error) : error;
    }
    for (const chunk of chunks) grownBytes += chunk.length;
    apply(state, row, limits.resultsMax);
  };

  return {
    highestEpoch: partition => state.epochs.get(partition) ?? 0,
    async raiseEpoch(partition, epoch) {
      if (epoch > (state.epochs.get(partition) ?? 0)) {
        await remember({kind: 'epoch', partition, epoch});
      }
    },
    find: id => state.effects.get(id),
    begin: effect => remember({kind: 'begun', effect}),
    end: report => remember({kind: 'ended', report}),
    close,
  };
}

type State = {epochs: Map<number, number>; effects: Map<string, KnownEffect>};

function apply({epochs, effects}: State, row: Row, resultsMax: number): void {
  switch (row.kind) {
    case 'epoch':
      epochs.set(row.partition, Math.max(row.epoch, epochs.get(row.partition) ?? 0));
      return;
    case 'begun':
      effects.set(row.effect.id, {effect: row.effect, report: running(row.effect.id)});
      return;
    case 'ended': {
      const known = effects.get(row.report.id);
      // Moved to the end, so that results are forgotten in the order in which they came.
      effects.delete(row.report.id);
      effects.set(row.report.id, {...known, report: row.report});
      if (effects.size > resultsMax) forgetOne(effects);
    }
  }
}

function forgetOne(effects: Map<string, KnownEffect>): void {
  for (const [id, {report}] of effects) {
    if (report.status === 'running') continue;
    effects.delete(id);
    return;
  }
}

export function running(id: string): EffectReport {
  return {id, status: 'running', code: '', message: '', progress: 0, figures: {}};
}

function readRows(files: Files, path: string): Row[] {
  if (!files.exists(path)) return [];
  const bytes = files.read(path);
  const {frames, validBytes, end} = decodeFrames(bytes);
  if (end === 'damaged') throw damaged(path, validBytes, bytes.length);
  let at = 0;
  return frames.map(({body}) => {
    const row = parseRow(Buffer.from(body).toString('utf8'));
    if (row === undefined) throw damaged(path, at, bytes.length);
    at += frameBytes(body);
    return row;
  });
}

function notKept(path: string, cause: Error): ForestayError {
  return new ForestayError(
    'AGENT_UNREACHABLE',
    `effect table ${path} cannot be written: ${cause.message}; ` +
      'nothing is begun on this host until its disk has room and is well',
    {retryable: true, details: {path}, cause},
  );
}

/** Undefined if it is not a row. */
function parseRow(text: string): Row | undefined {
  try {
    const row = JSON.parse(text) as Row;
    switch (row.kind) {
      case 'epoch':
        return Number.isSafeInteger(row.partition) && Number.isSafeInteger(row.epoch)
          ? row
          : undefined;
      case 'begun':
        return typeof row.effect.id === 'string' && effectKinds.includes(row.effect.kind)
          ? row
          : undefined;
      case 'ended':
        return typeof row.report.id === 'string' && finalStatuses.includes(row.report.status)
          ? row
          : undefined;
    }
  } catch {
    return undefined;
  }
}

const finalStatuses: readonly EffectStatus[] = ['done', 'failed', 'cancelled'];

function damaged(path: string, byte: number, bytes: number): ForestayError {
  return new ForestayError(
    'LOG_CORRUPT',
    `effect table ${path} is damaged at byte ${byte} of ${bytes}; ` +
      'make sure that no effect is under way on this host, then move the file away',
    {details: {path, byte, bytes}},
  );
}

/** Writes only what counts, atomically, and opens the file for more. */
function rewrite(files: Files, path: string, {epochs, effects}: State): AppendFile {
  const rows: Row[] = [...epochs].map(([partition, epoch]) => ({kind: 'epoch', partition, epoch}));
  for (const {effect, report} of effects.values()) {
    if (effect !== undefined) rows.push({kind: 'begun', effect});
    if (report.status !== 'running') rows.push({kind: 'ended', report});
  }
  files.replace(path, Buffer.concat(rows.flatMap(encodeRow)));
  return files.openAppend(path);
}

/** A row that could not be read back would end the agent for good at its next start. */
function encodeRow(row: Row): Uint8Array[] {
  const text = JSON.stringify(row);
  assert(parseRow(text) !== undefined, `a row that is none: ${text.slice(0, 200)}`);
  return encodeFrame(START, Buffer.from(text));
}
