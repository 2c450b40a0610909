import type {ForestayError} from '../core/domain/errors.ts';
import type {Block} from '../core/domain/telemetry.ts';
import type {BlockFields} from './codec-batch-reader.ts';
import {
  alignedBytes,
  bytesOf,
  copyAligned,
  copyFloats,
  floatsOf,
  packFloats,
  unpackFloats,
} from './codec-floats.ts';
import {malformed, wholeNumber} from './codec-guards.ts';
import {ValueEncoding} from './gen/forestay/v1/telemetry_pb.ts';

const CODE = 'BATCH_MALFORMED';

/** A row points at its entity with 16 bits; more rows than this in a block help nobody. */
const BLOCK_ROWS_MAX = 65_536;
/** What all the blocks of one batch may unpack to. */
export const BATCH_VALUES_BYTES_MAX = 16 * 1024 * 1024;
/** Milliseconds after the epoch up to which JavaScript has dates. */
const TIME_MS_MAX = 8.64e15;
const OFFSET_MS_MAX = 0xffff_ffff;
const NAME_LENGTH_MAX = 256;

/** The fields of a block's message. Values are packed from `packAboveBytes` on, if it pays. */
export function toBlock(block: Block, packAboveBytes: number) {
  const {baseMs, rowOffsetMs} = offsetsOf(block.observedAtMs);
  const plain = bytesOf(block.values);
  const packed = plain.length >= packAboveBytes ? packFloats(block.values) : plain;
  const pays = packed.length < plain.length;
  return {
    metricSet: block.metricSet,
    metricSetHash: block.metricSetHash,
    rows: block.rows,
    entities: [...block.entities],
    rowEntity: isIdentity(block) ? new Uint8Array(0) : bytesOf(block.rowEntity),
    baseMs: BigInt(baseMs),
    rowOffsetMs,
    encoding: pays ? ValueEncoding.SHUFFLE_ZSTD : ValueEncoding.UNSPECIFIED,
    values: pays ? packed : plain,
    devices: [...block.devices],
  };
}

/**
 * A block of the wire, checked: every length fits the others, every index points at something.
 * Infinities become NaN (missing) and are counted. `values` is a view of the message where it is
 * aligned, uncompressed and finite; else a copy.
 *
 * @param valuesBytesMax What the values may unpack to.
 */
export function blockOf(message: BlockFields, valuesBytesMax: number): Block {
  const {metricSet, metricSetHash, rows, entities} = message;
  if (metricSet === '' || metricSet.length > NAME_LENGTH_MAX) {
    const {length} = metricSet;
    throw malformed(
      CODE,
      `block: metric_set has ${length} characters; 1 to ${NAME_LENGTH_MAX} are legal`,
    );
  }
  if (rows > BLOCK_ROWS_MAX) {
    throw malformed(CODE, `block of ${metricSet} has ${rows} rows; at most ${BLOCK_ROWS_MAX}`);
  }
  requireEntities(entities, metricSet);
  const floats = valuesOf(message, valuesBytesMax);
  const {values, infinities} = clearInfinities(floats);
  const columns = rows === 0 ? 0 : values.length / rows;
  return {
    metricSet,
    metricSetHash,
    rows,
    entities,
    rowEntity: rowEntityOf(message),
    observedAtMs: timesOf(message),
    values,
    devices: devicesOf(message, columns),
    ...(infinities === 0 ? {} : {infinities}),
  };
}

function valuesOf({metricSet, rows, encoding, values}: BlockFields, bytesMax: number) {
  let bytes: Uint8Array = values;
  if (encoding === ValueEncoding.SHUFFLE_ZSTD) {
    try {
      bytes = unpackFloats(values, bytesMax);
    } catch (cause) {
      const message = `cannot unpack the values of ${metricSet} within ${bytesMax} bytes`;
      throw malformed(CODE, message, {cause});
    }
  } else if (encoding !== ValueEncoding.UNSPECIFIED) {
    throw malformed(CODE, `values of ${metricSet} have encoding ${encoding}, which is not known`);
  }
  const rowBytes = rows * 4;
  const fits = rows === 0 ? bytes.length === 0 : bytes.length > 0 && bytes.length % rowBytes === 0;
  if (!fits) {
    throw malformed(
      CODE,
      `values of ${metricSet} take ${bytes.length} bytes, not ${rows} rows × columns × 4`,
    );
  }
  return floatsOf(bytes);
}

/** Whether there is neither an infinity nor a NaN: times 0 both are NaN, and stay so in a sum. */
function areFinite(values: Float32Array): boolean {
  const whole = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let index = 0; index < whole; index += 4) {
    a += (values[index] as number) * 0;
    b += (values[index + 1] as number) * 0;
    c += (values[index + 2] as number) * 0;
    d += (values[index + 3] as number) * 0;
  }
  for (let index = whole; index < values.length; index++) a += (values[index] as number) * 0;
  return a + b + c + d === 0;
}

/** Copies before it writes: the bytes below may be the log's. */
function clearInfinities(values: Float32Array): {values: Float32Array; infinities: number} {
  if (areFinite(values)) return {values, infinities: 0};
  let infinities = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (value - value === 0 || value !== value) continue;
    infinities++;
  }
  if (infinities === 0) return {values, infinities};
  const cleared = copyFloats(bytesOf(values));
  for (let index = 0; index < cleared.length; index++) {
    if (Math.abs(cleared[index] as number) === Number.POSITIVE_INFINITY)
      cleared[index] = Number.NaN;
  }
  return {values: cleared, infinities};
}

/** Lists that were checked; the same one comes again with every batch of an edge. */
const checkedLists = new WeakSet<readonly string[]>();

function requireEntities(entities: readonly string[], metricSet: string): void {
  if (checkedLists.has(entities)) return;
  if (entities.length > BLOCK_ROWS_MAX) {
    throw malformed(CODE, `block of ${metricSet} names ${entities.length} entities`);
  }
  for (const entity of entities) {
    const named =
      (entity.startsWith('hosts/') && entity.length > 6) ||
      (entity.startsWith('vms/') && entity.length > 4);
    if (named && entity.length <= NAME_LENGTH_MAX) continue;
    const shown = JSON.stringify(entity.slice(0, 40));
    if (named) {
      throw malformed(
        CODE,
        `entity ${shown} has ${entity.length} characters; at most ${NAME_LENGTH_MAX} are legal`,
      );
    }
    throw malformed(CODE, `entity ${shown} is neither hosts/NAME nor vms/NAME`);
  }
  checkedLists.add(entities);
}

function rowEntityOf({metricSet, rows, entities, rowEntity}: BlockFields): Uint16Array {
  if (rowEntity.length === 0) {
    if (rows > entities.length) {
      throw malformed(
        CODE,
        `block of ${metricSet} has ${rows} rows, ${entities.length} entities and no row_entity`,
      );
    }
    return identityOf(rows);
  }
  requireLength(rowEntity, rows * 2, 'row_entity', metricSet);
  const copy = copyAligned(rowEntity);
  const indices = new Uint16Array(copy.buffer, copy.byteOffset, rows);
  for (let row = 0; row < rows; row++) {
    const index = indices[row] as number;
    if (index < entities.length) continue;
    throw malformed(
      CODE,
      `row ${row} of ${metricSet} points at entity ${index} of ${entities.length}`,
    );
  }
  return indices;
}

const identity = Uint16Array.from({length: 256}, (_, row) => row);

/** Row i is entity i. Small ones are views of one array: nobody writes to what was decoded. */
function identityOf(rows: number): Uint16Array {
  if (rows <= identity.length) return identity.subarray(0, rows);
  return Uint16Array.from({length: rows}, (_, row) => row);
}

function timesOf({metricSet, rows, baseMs, rowOffsetMs}: BlockFields): Float64Array {
  const base = wholeNumber(baseMs, 'base_ms', CODE);
  if (base < 0 || base > TIME_MS_MAX - OFFSET_MS_MAX) {
    throw malformed(CODE, `base_ms of ${metricSet} is ${base}, not a time after 1970`);
  }
  const memory = alignedBytes(8 * rows);
  const times = new Float64Array(memory.buffer, memory.byteOffset, rows);
  if (rowOffsetMs.length === 0) return times.fill(base);
  requireLength(rowOffsetMs, rows * 4, 'row_offset_ms', metricSet);
  const copy = copyAligned(rowOffsetMs);
  const offsets = new Uint32Array(copy.buffer, copy.byteOffset, rows);
  for (let row = 0; row < rows; row++) times[row] = base + (offsets[row] as number);
  return times;
}

function requireLength(bytes: Uint8Array, wanted: number, field: string, metricSet: string): void {
  if (bytes.length === wanted) return;
  throw malformed(CODE, `${field} of ${metricSet} takes ${bytes.length} bytes, not ${wanted}`);
}

function devicesOf({metricSet, rows, devices}: BlockFields, columns: number): Block['devices'] {
  if (devices.length === 0) return [];
  if (devices.length > rows * columns) {
    throw malformed(CODE, `block of ${metricSet} names ${devices.length} devices`);
  }
  return devices.map(({row, column, name}) => {
    if (row < rows && column < columns) return {row, column, name};
    const shown = JSON.stringify(name.slice(0, 40));
    throw malformed(CODE, `device ${shown} of ${metricSet} is at row ${row}, column ${column}`);
  });
}

function isIdentity({rows, entities, rowEntity}: Block): boolean {
  if (rows > entities.length) return false;
  for (let row = 0; row < rows; row++) if (rowEntity[row] !== row) return false;
  return true;
}

function offsetsOf(observedAtMs: Float64Array): {baseMs: number; rowOffsetMs: Uint8Array} {
  const baseMs = observedAtMs.reduce((least, atMs) => Math.min(least, atMs), TIME_MS_MAX);
  if (observedAtMs.length === 0) return {baseMs: 0, rowOffsetMs: new Uint8Array(0)};
  const offsets = new Uint32Array(observedAtMs.length);
  let flat = true;
  for (let row = 0; row < offsets.length; row++) {
    const offset = (observedAtMs[row] as number) - baseMs;
    offsets[row] = offset;
    if (offsets[row] !== offset) throw unrepresentable(baseMs, observedAtMs[row] as number);
    if (offset !== 0) flat = false;
  }
  if (!Number.isSafeInteger(baseMs) || baseMs < 0) throw unrepresentable(baseMs, baseMs);
  return {baseMs, rowOffsetMs: flat ? new Uint8Array(0) : bytesOf(offsets)};
}

function unrepresentable(baseMs: number, atMs: number): ForestayError {
  return malformed(
    CODE,
    `cannot encode sample times ${baseMs} to ${atMs}: whole milliseconds after 1970, at most ` +
      `${OFFSET_MS_MAX} apart; send them in several batches`,
  );
}
