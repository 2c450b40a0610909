import {isForestayError} from '../core/domain/errors.ts';
import type {LimitedNote} from './note.ts';
import type {Clock} from './ports.ts';
import type {Conclusion, FleetSensor, RowWriter, Sensor} from './sensor.ts';

export type SamplerCounters = {
  samples: number;
  /** By sensor. */
  failures: Record<string, number>;
};

export type Sampler = {
  /** Reads every sensor once. Never throws: a failing one is counted and noted. */
  sample(nowMs: number): void;
  /** Resolves when no conclusion has anything under way; no sample waits for it by itself. */
  settled(): Promise<void>;
  readonly counters: Readonly<SamplerCounters>;
};

export type SamplerOptions = {
  sensors: readonly Sensor[];
  fleets: readonly FleetSensor[];
  /** What is made of that; in this order, each sees what those before it concluded. */
  conclusions?: readonly Conclusion[] | undefined;
  hostRow(nowMs: number): RowWriter;
  vmRow(entity: string, nowMs: number): RowWriter;
  note: LimitedNote;
};

export function createSampler(options: SamplerOptions): Sampler {
  const {sensors, fleets, conclusions = [], note} = options;
  const failures: Record<string, number> = {};
  for (const {name} of [...sensors, ...fleets, ...conclusions]) failures[name] = 0;
  const counters = {samples: 0, failures};

  const guard = (name: string, nowMs: number, read: () => void): void => {
    try {
      read();
    } catch (error) {
      failures[name] = (failures[name] ?? 0) + 1;
      const code = isForestayError(error) ? `[${error.code}] ` : '';
      const message = error instanceof Error ? error.message : String(error);
      note(name, nowMs, `sensor ${name}: ${code}${message}`);
    }
  };

  return {
    counters,
    sample(nowMs) {
      counters.samples++;
      const row = conclusions.reduce((inner, of) => of.hostRow(inner), options.hostRow(nowMs));
      const vmRow = (entity: string): RowWriter =>
        conclusions.reduce((inner, of) => of.vmRow(entity, inner), options.vmRow(entity, nowMs));
      for (const sensor of sensors) guard(sensor.name, nowMs, () => sensor.read(nowMs, row));
      for (const fleet of fleets) guard(fleet.name, nowMs, () => fleet.read(nowMs, vmRow));
      for (const of of conclusions) guard(of.name, nowMs, () => of.read(nowMs, row));
    },
    async settled() {
      for (const of of conclusions) await of.settled?.();
    },
  };
}

/**
 * Calls `act` every `intervalMs` until aborted. Slots are multiples of the interval from the
 * start, so they never drift; one that was slept through is skipped and reported, not made up for.
 */
export async function everyInterval(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  act: (nowMs: number) => void,
  missed: (slots: number) => void,
): Promise<void> {
  let slotMs = clock.monotonicMs();
  while (!signal.aborted) {
    act(clock.nowMs());
    const behindMs = clock.monotonicMs() - slotMs;
    const slots = Math.max(1, Math.ceil(behindMs / intervalMs));
    if (slots > 1) missed(slots - 1);
    slotMs += slots * intervalMs;
    await sleepUntil(clock, slotMs, signal);
  }
}

/** Timers may fire a little early; a slot is never before its time. */
async function sleepUntil(clock: Clock, untilMs: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0 || signal.aborted) return;
    await clock.sleep(leftMs, signal);
  }
}
