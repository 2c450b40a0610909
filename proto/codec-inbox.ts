import {create, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import {COMPONENTS} from '../core/domain/components.ts';
import type {EffectResult} from '../core/domain/effects.ts';
import {PERCENT_ALL} from '../core/domain/model-use.ts';
import {MODES} from '../core/domain/policy.ts';
import type {InboxRecord} from '../core/domain/records.ts';
import {malformed, oneOf, parse} from './codec-guards.ts';
import type * as records from './gen/forestay/records/v1/records_pb.ts';
import {InboxRecordSchema} from './gen/forestay/records/v1/records_pb.ts';

type InboxInit = NonNullable<MessageInitShape<typeof InboxRecordSchema>['record']>;

const CODE = 'RECORD_MALFORMED';
const resultStatuses = ['done', 'failed', 'cancelled', 'abandoned'] as const;
const entityKinds = ['host', 'vm'] as const;
const hostStates = ['lost', 'returned'] as const;

export function encodeInbox(record: InboxRecord): Uint8Array {
  const {requestId, atMs, author} = record;
  const init = {requestId, atMs, author, record: toRecord(record)};
  return toBinary(InboxRecordSchema, create(InboxRecordSchema, init));
}

export function decodeInbox(bytes: Uint8Array): InboxRecord {
  const message = parse(InboxRecordSchema, bytes, CODE);
  const {requestId, atMs, author, record} = message;
  if (requestId === '') throw malformed(CODE, 'inbox record has no request id');
  const head = {requestId, atMs, author};
  switch (record.case) {
    case 'effectResult':
      return {...head, kind: 'effect-result', result: resultOf(record.value)};
    case 'registerMetricSet': {
      const {name, columns} = record.value;
      const entityKind = oneOf(record.value.entityKind, entityKinds, 'entity_kind', CODE);
      return {...head, kind: 'register-metric-set', name, entityKind, columns};
    }
    case 'pause':
      return {...head, kind: 'pause', comment: record.value.comment};
    case 'resume':
      return {...head, kind: 'resume', comment: record.value.comment};
    case 'setMode':
      return {...head, kind: 'set-mode', mode: oneOf(record.value.mode, MODES, 'mode', CODE)};
    case 'switchModel':
      return switchOf(head, record.value);
    case 'liftRestraint': {
      const {cell, comment} = record.value;
      return {...head, kind: 'lift-restraint', cell, comment};
    }
    case 'declareHost': {
      const {host, part} = record.value;
      const state = oneOf(record.value.state, hostStates, 'state', CODE);
      const named = part === '' ? {} : {part: oneOf(part, COMPONENTS, 'part', CODE)};
      return {...head, kind: 'declare-host', host, state, ...named};
    }
    default:
      throw malformed(CODE, `inbox record ${requestId} is of no known kind`);
  }
}

function switchOf(
  head: Pick<InboxRecord, 'requestId' | 'atMs' | 'author'>,
  {modelHash, percent, comment}: records.ModelSwitch,
): InboxRecord {
  if (percent > PERCENT_ALL) {
    throw malformed(CODE, `model ${modelHash} is to score ${percent} of 100 percent of the hosts`);
  }
  return {...head, kind: 'switch-model', modelHash, percent, comment};
}

function toRecord(record: InboxRecord): InboxInit {
  switch (record.kind) {
    case 'effect-result':
      return {case: 'effectResult', value: toResult(record.result)};
    case 'register-metric-set': {
      const {name, entityKind, columns} = record;
      return {case: 'registerMetricSet', value: {name, entityKind, columns: [...columns]}};
    }
    case 'pause':
      return {case: 'pause', value: {comment: record.comment}};
    case 'resume':
      return {case: 'resume', value: {comment: record.comment}};
    case 'set-mode':
      return {case: 'setMode', value: {mode: record.mode}};
    case 'switch-model': {
      const {modelHash, percent, comment} = record;
      return {case: 'switchModel', value: {modelHash, percent, comment}};
    }
    case 'lift-restraint':
      return {case: 'liftRestraint', value: {cell: record.cell, comment: record.comment}};
    case 'declare-host': {
      const {host, state, part = ''} = record;
      return {case: 'declareHost', value: {host, state, part}};
    }
  }
}

function toResult({id, status, code, message, figures}: EffectResult) {
  const names = Object.keys(figures).sort();
  const pairs = names.map(name => ({name, value: figures[name] as number}));
  return {id, status, code, message, figures: pairs};
}

function resultOf(result: records.EffectResult): EffectResult {
  const {id, code, message} = result;
  const status = oneOf(result.status, resultStatuses, 'status', CODE);
  const figures = Object.fromEntries(result.figures.map(({name, value}) => [name, value]));
  return {id, status, code, message, figures};
}
