import {frameBytes, type Position} from './frame.ts';
import type {Files} from './ports.ts';

export type RejectLimits = {filesMax: number; bytesMax: number};

/**
 * Batches that the core will never take, kept for whoever wants to know why: one file each, named
 * by incarnation, sequence and the code of the refusal, and holding the bytes as they were sent.
 * Bounded: the oldest go first.
 */
export type RejectFolder = {put(position: Position, code: string, body: Uint8Array): void};

export function openRejectFolder(files: Files, path: string, limits: RejectLimits): RejectFolder {
  files.makeDirectory(path);
  const kept = files.list(path).map(name => ({name, bytes: files.size(`${path}/${name}`)}));
  let bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
  return {
    put({incarnation, seq}, code, body) {
      if (frameBytes(body) > limits.bytesMax) return;
      const number = `${pad(incarnation, 10)}-${pad(seq, 16)}`;
      const name = `${number}-${code.replace(/[^A-Z0-9_]/gi, '_').slice(0, 40)}.batch`;
      while (kept.length >= limits.filesMax || bytes + body.length > limits.bytesMax) {
        const oldest = kept.shift();
        if (oldest === undefined) break;
        bytes -= oldest.bytes;
        files.remove(`${path}/${oldest.name}`);
      }
      files.replace(`${path}/${name}`, body);
      kept.push({name, bytes: body.length});
      bytes += body.length;
    },
  };
}

/** Zeros in front, so that names sort as numbers do. */
export const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
