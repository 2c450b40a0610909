import {create, toBinary} from '@bufbuild/protobuf';
import {ForestayError} from '../core/domain/errors.ts';
import type {Batch, Gap, TelemetryRecord, TimeBase} from '../core/domain/telemetry.ts';
import {type BatchFields, type BlockFields, readBatch} from './codec-batch-reader.ts';
import {BATCH_VALUES_BYTES_MAX, blockOf, toBlock} from './codec-block.ts';
import {malformed, parse, wholeNumber} from './codec-guards.ts';
import {inventoryHostOf, toInventoryHost} from './codec-inventory.ts';
import {recallDecoded, rememberDecoded} from './codec-memory.ts';
import * as wire from './gen/forestay/v1/telemetry_pb.ts';

const CODE = 'BATCH_MALFORMED';
const BLOCKS_MAX = 1024;
const NAME_LENGTH_MAX = 256;

const wireTimeBase: Readonly<Record<TimeBase, wire.TimeBase>> = {
  live: wire.TimeBase.LIVE,
  recorded: wire.TimeBase.RECORDED,
  simulated: wire.TimeBase.SIMULATED,
};

/** The bytes of an IngestRequest. Errors: `BATCH_MALFORMED` for times that do not fit. */
export function encodeTelemetry(record: TelemetryRecord, packAboveBytes: number): Uint8Array {
  const request =
    record.kind === 'batch'
      ? {case: 'batch' as const, value: toBatch(record.batch, packAboveBytes)}
      : {case: 'gap' as const, value: toGap(record.gap)};
  return toBinary(wire.IngestRequestSchema, create(wire.IngestRequestSchema, {request}));
}

/**
 * A batch or gap from the bytes of an IngestRequest, checked. Arrays may be views of `bytes`.
 *
 * Errors: `BATCH_MALFORMED`; its details name `edge`, `incarnation` and `seq` if so much could be
 * read.
 */
export function decodeTelemetry(bytes: Uint8Array): TelemetryRecord {
  const known = recallDecoded(bytes);
  if (known !== undefined) return known;
  const record = readRecord(bytes);
  rememberDecoded(bytes, record);
  return record;
}

function readRecord(bytes: Uint8Array): TelemetryRecord {
  const batch = readBatch(bytes);
  if (batch !== undefined) return {kind: 'batch', batch: batchOf(batch)};
  const {request} = parse(wire.IngestRequestSchema, bytes, CODE);
  switch (request.case) {
    case 'batch':
      return {kind: 'batch', batch: batchOf(request.value)};
    case 'gap':
      return {kind: 'gap', gap: gapOf(request.value)};
    default:
      throw malformed(CODE, `request of ${bytes.length} bytes holds neither a batch nor a gap`);
  }
}

function toBatch(batch: Batch, packAboveBytes: number) {
  const {edge, cell, incarnation, seq, timeBase, blocks, inventory} = batch;
  return {
    edge,
    cell,
    incarnation,
    seq: BigInt(seq),
    timeBase: wireTimeBase[timeBase],
    blocks: blocks.map(block => toBlock(block, packAboveBytes)),
    ...(inventory === undefined ? {} : {inventory: {hosts: inventory.hosts.map(toInventoryHost)}}),
  };
}

function toGap({edge, cell, incarnation, fromSeq, toSeq, reason}: Gap) {
  return {edge, cell, incarnation, fromSeq: BigInt(fromSeq), toSeq: BigInt(toSeq), reason};
}

function batchOf(message: BatchFields): Batch {
  const {edge, cell, incarnation} = message;
  requireName(edge, 'edge');
  const seq = wholeNumber(message.seq, 'seq', CODE);
  try {
    requireName(cell, 'cell');
    if (seq === 0) throw malformed(CODE, 'seq is 0; sequences start at 1');
    const timeBase = timeBaseOf(message.timeBase);
    const blocks = blocksOf(message.blocks);
    const head = {edge, cell, incarnation, seq, timeBase, blocks};
    if (message.inventory === undefined) return head;
    const hosts = message.inventory.hosts.map(host => inventoryHostOf(host, CODE));
    return {...head, inventory: {hosts}};
  } catch (error) {
    throw named(error, {edge, incarnation, seq});
  }
}

/** All blocks together may unpack to so much: many small bombs are one large one. */
function blocksOf(messages: readonly BlockFields[]): Batch['blocks'] {
  if (messages.length > BLOCKS_MAX) {
    throw malformed(CODE, `batch has ${messages.length} blocks; at most ${BLOCKS_MAX}`);
  }
  let room = BATCH_VALUES_BYTES_MAX;
  return messages.map(message => {
    const block = blockOf(message, Math.max(room, 1));
    room -= block.values.byteLength;
    return block;
  });
}

function gapOf(message: wire.Gap): Gap {
  const {edge, cell, incarnation, reason} = message;
  requireName(edge, 'edge');
  requireName(cell, 'cell');
  const fromSeq = wholeNumber(message.fromSeq, 'from_seq', CODE);
  const toSeq = wholeNumber(message.toSeq, 'to_seq', CODE);
  if (fromSeq === 0 || toSeq < fromSeq) {
    throw malformed(
      CODE,
      `gap from ${fromSeq} to ${toSeq}: it must begin at 1 or later and not end before`,
    );
  }
  return {edge, cell, incarnation, fromSeq, toSeq, reason};
}

const timeBases = new Map(
  Object.entries(wireTimeBase).map(([name, value]) => [value, name as TimeBase]),
);

function timeBaseOf(timeBase: wire.TimeBase): TimeBase {
  const known = timeBases.get(timeBase);
  if (known !== undefined) return known;
  throw malformed(CODE, `time_base is ${timeBase}; say live, recorded or simulated`);
}

function requireName(name: string, field: string): void {
  if (name.length > 0 && name.length <= NAME_LENGTH_MAX) return;
  throw malformed(
    CODE,
    `${field} has ${name.length} characters; 1 to ${NAME_LENGTH_MAX} are legal`,
  );
}

/** Says whose batch it was: that is what a refusal needs. */
function named(error: unknown, details: {edge: string; incarnation: number; seq: number}): unknown {
  if (!(error instanceof ForestayError)) return error;
  const {message, cause} = error;
  return malformed(CODE, message, {details: {...error.details, ...details}, cause});
}
