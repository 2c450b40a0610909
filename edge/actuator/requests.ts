/** What callers may ask of an actuator: nothing gets past here that its table could not keep. */
import {effectKinds, type IssuedEffect} from '../../core/domain/effects.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {PARTITION_COUNT} from '../../core/domain/hash.ts';
import type {Effect as EffectMessage} from '../../proto/gen/forestay/v1/actuator_pb.ts';
import type {Fence} from './actuator.ts';

/** Four numbers with strokes between them have at most 46. */
const ID_LENGTH_MAX = 64;
const NAME_LENGTH_MAX = 256;
const IDS_MAX = 1000;
/** Milliseconds after the epoch up to which JavaScript has dates. */
const TIME_MS_MAX = 8.64e15;

/** Errors: `INVALID_ARGUMENT`. */
export function toFence({partition, epoch}: {partition: number; epoch: bigint}): Fence {
  if (partition >= PARTITION_COUNT) {
    throw invalid('partition', `${partition} is none; there are 0 to ${PARTITION_COUNT - 1}`);
  }
  return {partition, epoch: wholeNumber('epoch', epoch, Number.MAX_SAFE_INTEGER)};
}

/** Errors: `INVALID_ARGUMENT`. */
export function toEffectId(id: string): string {
  const {length} = id;
  if (length > 0 && length <= ID_LENGTH_MAX) return id;
  throw invalid('id', `has ${length} characters; 1 to ${ID_LENGTH_MAX} are legal`);
}

/** Errors: `INVALID_ARGUMENT`. */
export function toEffectIds(ids: readonly string[]): readonly string[] {
  if (ids.length > IDS_MAX) throw invalid('ids', `${ids.length} of them; at most ${IDS_MAX}`);
  return ids.map(toEffectId);
}

/** Errors: `INVALID_ARGUMENT`. */
export function toEffect(message: EffectMessage | undefined, agent: string): IssuedEffect {
  if (message === undefined) throw invalid('effect', 'is missing');
  const {host, vm, targetHost, weightPercent} = message;
  const kind = effectKinds.find(known => known === message.kind);
  if (kind === undefined) {
    const shown = JSON.stringify(message.kind.slice(0, 40));
    throw invalid('kind', `${shown} is none; known are ${effectKinds.join(', ')}`);
  }
  for (const [field, name] of Object.entries({host, vm, target_host: targetHost})) {
    if (name.length <= NAME_LENGTH_MAX) continue;
    throw invalid(field, `has ${name.length} characters, at most ${NAME_LENGTH_MAX} are legal`);
  }
  if (weightPercent > 100) throw invalid('weight_percent', `is ${weightPercent}, above 100`);
  const deadlineMs = wholeNumber('deadline_ms', message.deadlineMs, TIME_MS_MAX);
  const id = toEffectId(message.id);
  return {id, kind, host, vm, targetHost, weightPercent, deadlineMs, agent, address: ''};
}

function wholeNumber(field: string, value: bigint, max: number): number {
  if (value >= 0n && value <= BigInt(max)) return Number(value);
  throw invalid(field, `is ${value}; 0 to ${max} are legal`);
}

function invalid(field: string, found: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', `${field} ${found}`, {details: {field}});
}
