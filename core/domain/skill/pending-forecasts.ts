/** Forecasts whose outcome is not known yet: of each host one a grid step, for a horizon and more. */
import {OUTPUT_COUNT} from './skill-events.ts';

/** What a forecast consists of: risks of all outputs by the model, by its host's past, by its cell's. */
export const VALUES = 3 * OUTPUT_COUNT;

export type PendingForecasts = {
  /** A host. */
  readonly slots: number;
  /** Host × slot: when it was made; NaN: nothing. */
  readonly atMs: Float64Array;
  /** Host × slot: index of the model. */
  readonly model: Uint32Array;
  /** Host × slot × {@link VALUES}. */
  readonly values: Float32Array;
};

export function createPendingForecasts(hosts: number, slots: number): PendingForecasts {
  return {
    slots,
    atMs: new Float64Array(hosts * slots).fill(Number.NaN),
    model: new Uint32Array(hosts * slots),
    values: new Float32Array(hosts * slots * VALUES),
  };
}

/** The same with room for more hosts. */
export function growPendingForecasts(pending: PendingForecasts, hosts: number): PendingForecasts {
  const wider = createPendingForecasts(hosts, pending.slots);
  wider.atMs.set(pending.atMs);
  wider.model.set(pending.model);
  wider.values.set(pending.values);
  return wider;
}

export function putForecast(
  pending: PendingForecasts,
  host: number,
  atMs: number,
  gridMs: number,
  model: number,
  values: Float32Array,
): void {
  const slot = host * pending.slots + (Math.floor(atMs / gridMs) % pending.slots);
  pending.atMs[slot] = atMs;
  pending.model[slot] = model;
  pending.values.set(values, slot * VALUES);
}

/** Of a host; nobody will be told what came of them. */
export function dropForecasts({slots, atMs}: PendingForecasts, host: number): void {
  atMs.fill(Number.NaN, host * slots, (host + 1) * slots);
}

/**
 * Takes all forecasts out that are not younger than `dueMs`, host by host.
 *
 * @param take Gets {@link VALUES}, which are valid during the call.
 */
export function takeDueForecasts(
  {slots, atMs, model, values}: PendingForecasts,
  hosts: number,
  dueMs: number,
  take: (host: number, madeAtMs: number, model: number, values: Float32Array) => void,
): void {
  for (let slot = 0; slot < hosts * slots; slot++) {
    const madeAtMs = atMs[slot] as number;
    if (!(madeAtMs <= dueMs)) continue;
    atMs[slot] = Number.NaN;
    const own = values.subarray(slot * VALUES, (slot + 1) * VALUES);
    take(Math.floor(slot / slots), madeAtMs, model[slot] as number, own);
  }
}
