import {fleetAgents} from '../domain/effects.ts';
import {ForestayError, isForestayError} from '../domain/errors.ts';
import type {EntityKind, MetricSet} from '../domain/metric-sets.ts';
import {type Batch, type Block, hostName, type TelemetryRecord} from '../domain/telemetry.ts';
import type {Codec} from '../ports.ts';
import type {EntityLimit} from './ingest-entities.ts';
import {batchTooLarge} from './ingest-errors.ts';
import {quoted, requireLengths} from './ingest-lengths.ts';
import type {IngestLimits} from './ingest-limits.ts';
import {hex, type MetricSets} from './ingest-metric-sets.ts';
import type {TimeBases} from './ingest-time-bases.ts';

const NAME_LENGTH_MAX = 256;
/** In an error that says which sets there are. */
const SETS_SHOWN = 10;

/** What is worth counting about a batch. */
export type BatchCounts = {samples: number; infinities: number; future: number};

/** Whose stream it is. */
export type Hello = {edge: string; cell: string; incarnation: number};

/** What a record is checked against. */
export type Checks = {
  codec: Pick<Codec, 'decodeTelemetry'>;
  limits: Pick<IngestLimits, 'batchBytesMax'>;
  metricSets: Pick<MetricSets, 'get' | 'all'>;
  timeBases: TimeBases;
  entities: EntityLimit;
};

/** What could be read, and what is wrong with it if anything is: one of the two is there. */
export type Checked = {record: TelemetryRecord | undefined; error: ForestayError | undefined};

/** Checks everything about a record of a stream but its place in the order. */
export function checkRecord(
  checks: Checks,
  hello: Hello,
  partition: number,
  bytes: Uint8Array,
): Checked {
  let record: TelemetryRecord | undefined;
  try {
    record = checks.codec.decodeTelemetry(bytes);
    const {batchBytesMax} = checks.limits;
    if (bytes.length > batchBytesMax) throw batchTooLarge(bytes.length, batchBytesMax);
    requireSameEdge(record.kind === 'batch' ? record.batch : record.gap, hello);
    if (record.kind === 'batch') {
      requireLengths(record.batch);
      requireNames(record.batch);
      requireKnownSets(record.batch, checks.metricSets);
      requireRoom(record.batch, checks.entities);
      checks.timeBases.claim(partition, hello.cell, record.batch.timeBase);
    }
    return {record, error: undefined};
  } catch (error) {
    if (!isForestayError(error)) throw error;
    return {record, error};
  }
}

/** Errors: `INVALID_ARGUMENT`. */
export function requireHello(hello: Hello): void {
  for (const field of ['edge', 'cell'] as const) {
    const {length} = hello[field];
    if (CONTROL.test(hello[field])) throw controlCharacter(field, hello[field]);
    if (length > 0 && length <= NAME_LENGTH_MAX) continue;
    throw new ForestayError(
      'INVALID_ARGUMENT',
      `hello: ${field} has ${length} characters; 1 to ${NAME_LENGTH_MAX} are legal`,
      {details: {field}},
    );
  }
}

/** A line feed in a name divides lines and keys; an escape character acts on a terminal. */
const CONTROL = /\p{Cc}/u;

function controlCharacter(field: string, name: string): ForestayError {
  return new ForestayError(
    field === 'entity' ? 'BATCH_MALFORMED' : 'INVALID_ARGUMENT',
    `${field} ${JSON.stringify(name.slice(0, 60))} has a control character; use letters, digits, . _ -`,
    {details: {field}},
  );
}

/** Errors: `ENTITY_LIMIT_REACHED`. */
function requireRoom({cell, blocks, inventory}: Batch, limit: EntityLimit): void {
  for (const {entities} of blocks) limit.claim(cell, entities);
  if (inventory === undefined) return;
  const names = inventory.hosts.flatMap(({host, vms}) => [
    `hosts/${host}`,
    ...vms.map(({vm}) => `vms/${vm}`),
  ]);
  limit.claim(cell, names);
}

/** Errors: `EDGE_MISMATCH` unless the record is of the edge and cell that said hello. */
function requireSameEdge(record: {edge: string; cell: string}, hello: Hello): void {
  if (record.edge === hello.edge && record.cell === hello.cell) return;
  throw new ForestayError(
    'EDGE_MISMATCH',
    `record is of edge ${record.edge} in cell ${record.cell}, but the stream said hello as edge ` +
      `${hello.edge} in cell ${hello.cell}; open a stream for each edge and cell`,
    {details: {edge: record.edge, cell: record.cell}},
  );
}

/** Lists of entities that hold only this kind, and no reserved name: they come again and again. */
const checkedLists = new WeakMap<readonly string[], EntityKind>();

/**
 * Errors: `BATCH_MALFORMED` if a name has a control character, or a host has the name of an agent
 * that acts beside the fleet.
 */
function requireNames({inventory, blocks}: Batch): void {
  for (const {host, vms} of inventory?.hosts ?? []) {
    requireFreeName(host);
    requirePlain(host);
    for (const {vm} of vms) requirePlain(vm);
  }
  for (const {entities} of blocks) {
    if (checkedLists.has(entities)) continue;
    for (const entity of entities) {
      requireFreeName(hostName(entity) ?? '');
      requirePlain(entity);
    }
  }
}

function requirePlain(name: string): void {
  if (CONTROL.test(name)) throw controlCharacter('entity', name);
}

function requireFreeName(taken: string): void {
  if (!fleetAgents.includes(taken)) return;
  throw new ForestayError(
    'BATCH_MALFORMED',
    `a host is named ${taken}, which is the name of an agent beside the fleet; ` +
      `rename the host: ${fleetAgents.join(' and ')} are reserved`,
    {details: {host: taken}},
  );
}

/**
 * Checks that every block follows a registered metric set.
 * Errors: `METRIC_SET_UNKNOWN`, `BATCH_MALFORMED`.
 */
function requireKnownSets(batch: Batch, sets: Checks['metricSets']): void {
  for (const block of batch.blocks) {
    const set = sets.get(block.metricSet);
    if (set === undefined) throw unknownSet(block, sets.all());
    if (set.hash !== block.metricSetHash) throw otherColumns(block, set);
    requireShape(block, set);
  }
}

function requireShape(block: Block, set: MetricSet): void {
  const wanted = block.rows * set.columns.length;
  if (block.values.length !== wanted) {
    throw new ForestayError(
      'BATCH_MALFORMED',
      `block of ${set.name} has ${block.values.length} values; ${block.rows} rows of ` +
        `${set.columns.length} columns are ${wanted}`,
      {details: {metricSet: set.name, values: block.values.length, wanted}},
    );
  }
  if (checkedLists.get(block.entities) === set.kind) return;
  const stranger = block.entities.find(entity => !entity.startsWith(`${set.kind}s/`));
  if (stranger === undefined) {
    checkedLists.set(block.entities, set.kind);
    return;
  }
  throw new ForestayError(
    'BATCH_MALFORMED',
    `block of ${set.name} names ${stranger}; its samples are of kind ${set.kind}`,
    {details: {metricSet: set.name, entity: stranger}},
  );
}

function unknownSet({metricSet}: Block, known: readonly MetricSet[]): ForestayError {
  const shown = known.slice(0, SETS_SHOWN);
  return new ForestayError(
    'METRIC_SET_UNKNOWN',
    `metric set ${quoted(metricSet)} is not registered; call TelemetryService.RegisterMetricSet first, or ` +
      `use one of ${shown.map(({name}) => name).join(', ')}`,
    {details: {metricSet: quoted(metricSet)}},
  );
}

function otherColumns(block: Block, set: MetricSet): ForestayError {
  return new ForestayError(
    'METRIC_SET_UNKNOWN',
    `metric set ${set.name} has hash ${hex(set.hash)} here, the batch says ` +
      `${hex(block.metricSetHash)}: the columns differ; register them under a new name`,
    {details: {metricSet: set.name, hash: set.hash, batchHash: block.metricSetHash}},
  );
}

/** @param futureAfterMs Samples of a live cell after this are counted, and taken all the same. */
export function countBatch(record: TelemetryRecord, futureAfterMs: number): BatchCounts {
  const counts = {samples: 0, infinities: 0, future: 0};
  if (record.kind === 'gap') return counts;
  const {blocks, timeBase} = record.batch;
  for (const block of blocks) {
    counts.samples += block.rows;
    counts.infinities += block.infinities ?? 0;
    if (timeBase !== 'live') continue;
    for (const atMs of block.observedAtMs) if (atMs > futureAfterMs) counts.future++;
  }
  return counts;
}
