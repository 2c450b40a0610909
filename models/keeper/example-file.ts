/**
 * Examples in one file: `FORESTEX`, the length of the header (uint32), the header (JSON), the arrays in the
 * order of {@link ARRAYS} and the SHA-256 of all before. Numbers are little-endian.
 */
import {createHash} from 'node:crypto';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Files} from '../../core/ports.ts';
import {hashOf, readPlainFile} from '../artefact-files.ts';
import type {ExampleCounts, ExampleSet} from './example-set.ts';

const MAGIC = Buffer.from('FORESTEX');
const FORMAT = 1;
const HEADER_AT = MAGIC.length + 4;
const CHECK_BYTES = 32;
const HEADER_BYTES_MAX = 64 * 1024 * 1024;

type Header = Pick<
  ExampleSet,
  'rows' | 'featureHash' | 'featureCount' | 'outputs' | 'horizonSeconds' | 'hosts'
> & {readonly format: number; readonly counts: ExampleCounts};

/** Writes the file durably and atomically. Returns its SHA-256: what names the data. */
export function writeExamples(files: Files, path: string, set: ExampleSet): string {
  const bytes = encodeExamples(set);
  files.replace(path, bytes);
  return hashOf(bytes);
}

/**
 * Reads what {@link writeExamples} wrote.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for what is no such file, is of another version, cut off,
 *   damaged, or holds values that cannot be.
 */
export async function readExamples(path: string): Promise<{set: ExampleSet; sha256: string}> {
  const bytes = await readPlainFile(path).catch((cause: unknown) => {
    throw invalid(path, 'it cannot be read', cause);
  });
  return {set: decodeExamples(bytes, path), sha256: hashOf(bytes)};
}

function encodeExamples(set: ExampleSet): Uint8Array {
  const {rows, featureHash, featureCount, outputs, horizonSeconds, hosts, counts} = set;
  const header: Header = {
    format: FORMAT,
    rows,
    featureHash,
    featureCount,
    outputs,
    horizonSeconds,
    hosts,
    counts,
  };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const parts = [MAGIC, length, text, ...ARRAYS.map(name => bytesOf(set[name]))];
  const check = createHash('sha256');
  for (const part of parts) check.update(part);
  return Buffer.concat([...parts, check.digest()]);
}

const ARRAYS = ['features', 'targets', 'weights', 'host', 'secondsToFailure', 'atMs'] as const;

function bytesOf({buffer, byteOffset, byteLength}: ExampleSet[(typeof ARRAYS)[number]]): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function decodeExamples(bytes: Buffer, path: string): ExampleSet {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw invalid(path, 'it is no file of examples');
  }
  const header = readHeader(bytes, path);
  const {rows, featureCount, outputs, hosts} = header;
  const body = bytes.subarray(HEADER_AT + bytes.readUInt32LE(MAGIC.length));
  const rowBytes = 4 * (featureCount + outputs.length + 3) + 8;
  const expected = rows * rowBytes + CHECK_BYTES;
  if (body.length !== expected) {
    const state = body.length < expected ? 'it is cut off' : 'there is more than its rows';
    throw invalid(path, `${state}: ${rows} rows need ${expected} bytes, ${body.length} are there`);
  }
  const check = createHash('sha256').update(bytes.subarray(0, -CHECK_BYTES)).digest();
  if (!check.equals(bytes.subarray(-CHECK_BYTES))) {
    throw invalid(path, 'it is damaged: its SHA-256 is not that of its content');
  }
  let at = 0;
  const take = (values: number, width: number) => {
    const own = new Uint8Array(values * width);
    own.set(body.subarray(at, at + own.length));
    at += own.length;
    return own.buffer;
  };
  const {format: _, ...described} = header;
  const set: ExampleSet = {
    ...described,
    features: new Float32Array(take(rows * featureCount, 4)),
    targets: new Float32Array(take(rows * outputs.length, 4)),
    weights: new Float32Array(take(rows, 4)),
    host: new Int32Array(take(rows, 4)),
    secondsToFailure: new Float32Array(take(rows, 4)),
    atMs: new Float64Array(take(rows, 8)),
  };
  requireValues(set, hosts.length, path);
  return set;
}

function readHeader(bytes: Buffer, path: string): Header {
  const length = bytes.length < HEADER_AT ? 0 : bytes.readUInt32LE(MAGIC.length);
  if (bytes.length < HEADER_AT + length || length > HEADER_BYTES_MAX) {
    throw invalid(path, `it is cut off: its header has ${length} bytes`);
  }
  let header: Partial<Header> | null;
  try {
    const text = bytes.subarray(HEADER_AT, HEADER_AT + length).toString('utf8');
    header = JSON.parse(text) as Partial<Header> | null;
  } catch (cause) {
    throw invalid(path, 'it is damaged: its header is not JSON', cause);
  }
  if (header?.format !== FORMAT) {
    throw invalid(path, `its format is ${header?.format}, this version reads ${FORMAT}`);
  }
  const {rows, featureHash, featureCount, outputs, horizonSeconds, hosts, counts} = header;
  const isSound =
    [rows, featureHash, featureCount].every(isCount) &&
    Number.isFinite(horizonSeconds) &&
    Array.isArray(outputs) &&
    outputs.every(output => typeof output === 'string') &&
    Array.isArray(hosts) &&
    hosts.every(isHost) &&
    typeof counts?.failures === 'object';
  if (!isSound) throw invalid(path, 'its header lacks rows, outputs, hosts or counts');
  return header as Header;
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

function isHost(host: Partial<ExampleSet['hosts'][number]> | null): boolean {
  return [host?.name, host?.cell, host?.hardware].every(text => typeof text === 'string');
}

function requireValues({targets, weights, host, atMs}: ExampleSet, hosts: number, path: string) {
  const wrong = [
    targets.some(target => target < 0 || target > 1) && 'a target outside of 0 to 1',
    !weights.every(weight => weight > 0 && weight < Number.POSITIVE_INFINITY) && 'a weight of 0',
    host.some(place => place < 0 || place >= hosts) && 'a row of a host that it does not name',
    !atMs.every(Number.isFinite) && 'a row without a time',
  ].find(reason => reason !== false);
  if (wrong !== undefined) throw invalid(path, `it holds ${wrong}`);
}

function invalid(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot train on ${path}: ${reason}; give a file that a core wrote of what it had observed`,
    {details: {path}, cause},
  );
}
