import {ForestayError} from '../domain/errors.ts';
import type {AppendFile, Files} from '../ports.ts';
import {type Act, readAct} from './acts.ts';

/**
 * What was done to a simulated datacenter and how far its time has come, one line each, so that the
 * same datacenter can go on after its process was killed. The first line says which one it is.
 */
export type ActJournal = {
  /** What it held when it was opened, in order. */
  readonly acts: readonly Act[];
  /** Outlives the process at once, the machine after {@link ActJournal.sync}. */
  append(act: Act): void;
  sync(): Promise<void>;
  close(): void;
};

/**
 * Opens the journal in `path`, or begins one. A last line that was not finished is cut off.
 *
 * Errors: `CONFIG_INVALID` if it is another datacenter's; `LOG_CORRUPT` if a line makes no sense.
 */
export function openActJournal(
  files: Files,
  path: string,
  identity: Readonly<Record<string, number | string>>,
): ActJournal {
  const header = JSON.stringify(identity);
  const [found, ...lines] = readLines(files, path);
  if (found !== undefined && found !== header) throw otherDatacenter(path, found, header);
  const acts = lines.map((line, index) => parse(line, path, index + 2));
  const file = files.openAppend(path);
  if (found === undefined) append(file, header);
  return {
    acts,
    append: act => append(file, JSON.stringify(act)),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

function append(file: AppendFile, line: string): void {
  file.write([Buffer.from(`${line}\n`)]);
}

function readLines(files: Files, path: string): string[] {
  if (!files.exists(path)) return [];
  const text = Buffer.from(files.read(path));
  const end = text.lastIndexOf('\n') + 1;
  if (end < text.length) files.truncate(path, end);
  return text.toString('utf8', 0, end).split('\n').slice(0, -1);
}

function parse(line: string, path: string, number: number): Act {
  const act = readAct(line);
  if (act !== undefined) return act;
  throw new ForestayError(
    'LOG_CORRUPT',
    `line ${number} of ${path} is no act of a datacenter; ` +
      'move the folder away to start a new datacenter',
    {details: {path, line: number}},
  );
}

function otherDatacenter(path: string, found: string, asked: string): ForestayError {
  return new ForestayError(
    'CONFIG_INVALID',
    `${path} holds the datacenter ${found}, asked for was ${asked}; ` +
      'start it as it was, or choose another folder',
    {details: {path, found, asked}},
  );
}
