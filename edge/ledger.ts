import {comparePositions, decodeFrames, encodeFrame, type Position, START} from './frame.ts';
import {endOf, type Loss, startOf} from './losses.ts';
import type {AppendFile, Files} from './ports.ts';

/** What a spool must remember beside its batches. */
export type LedgerState = {
  /** The life that the spool is in. */
  incarnation: number;
  /** Everything up to here has been taken care of by the core. */
  acked: Position;
  /** Ascending, not overlapping, all after `acked`. */
  losses: readonly Loss[];
};

/**
 * The durable memory of a spool: a file of whole states of which the last valid one counts, so
 * that an update is one small append.
 */
export type Ledger = {
  /** Writes the state; it is durable after `sync`. */
  append(state: LedgerState): void;
  sync(): Promise<void>;
  syncNow(): void;
  close(): void;
};

/** The file is written anew when it is longer. */
const ledgerBytesMax = 64 * 1024;

/** The last state of a ledger that makes sense; undefined if there is none. */
export function readLedger(files: Files, path: string): LedgerState | undefined {
  if (!files.exists(path)) return undefined;
  const {frames} = decodeFrames(files.read(path));
  for (const {body} of frames.reverse()) {
    const state = parseState(Buffer.from(body).toString('utf8'));
    if (state !== undefined) return state;
  }
  return undefined;
}

function parseState(text: string): LedgerState | undefined {
  try {
    const {incarnation, acked, losses} = JSON.parse(text) as LedgerState;
    const isSound =
      isCount(incarnation) &&
      incarnation < INCARNATION_MAX &&
      isPosition(acked) &&
      acked.incarnation <= incarnation &&
      losses.every((loss, at) =>
        isLossAfter(loss, at === 0 ? acked : endOf(losses[at - 1] as Loss)),
      );
    return isSound ? {incarnation, acked, losses} : undefined;
  } catch {
    return undefined;
  }
}

const INCARNATION_MAX = 0xffff_ffff;

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const isPosition = ({incarnation, seq}: Position): boolean => isCount(incarnation) && isCount(seq);

function isLossAfter(loss: Loss, before: Position): boolean {
  const {incarnation, fromSeq, toSeq, reason} = loss;
  return (
    isPosition(startOf(loss)) &&
    isPosition(endOf(loss)) &&
    fromSeq <= toSeq &&
    incarnation < INCARNATION_MAX &&
    typeof reason === 'string' &&
    comparePositions(endOf(loss), before) > 0
  );
}

/** Starts a ledger over with `state`, durably. */
export function createLedger(files: Files, path: string, state: LedgerState): Ledger {
  /** Undefined after a failure: what is in the file then nobody knows, so it is written anew. */
  let file: AppendFile | undefined;
  let bytes = 0;
  const restart = (chunks: readonly Uint8Array[]): void => {
    close();
    files.replace(path, Buffer.concat(chunks));
    file = files.openAppend(path);
    bytes = 0;
  };
  const close = (): void => {
    file?.close();
    file = undefined;
  };
  const broken = (error: unknown): never => {
    close();
    throw error;
  };
  restart(encodeState(state));
  return {
    append(next) {
      const chunks = encodeState(next);
      for (const chunk of chunks) bytes += chunk.length;
      if (file === undefined || bytes > ledgerBytesMax) {
        restart(chunks);
        return;
      }
      try {
        file.write(chunks);
      } catch (error) {
        broken(error);
      }
    },
    sync: async () => await file?.sync().catch(broken),
    syncNow() {
      try {
        file?.syncNow();
      } catch (error) {
        broken(error);
      }
    },
    close,
  };
}

function encodeState(state: LedgerState): Uint8Array[] {
  return encodeFrame(START, Buffer.from(JSON.stringify(state)));
}
