/**
 * What a VM is like, learned from its samples alone: what it needs, how it works, whether it follows
 * the time of day. State is a few dozen numbers a VM; a sample costs as many additions as it has
 * columns, all else is done once a {@link SLOT_MS}.
 *
 * W1 A row's state depends only on its own samples in time order, not on how they were batched.
 * W2 NaN is missing and changes nothing; a slot without CPU is no slot.
 * W3 A kind is told only after {@link SLOTS_MIN} slots, and left only by a margin (workload-kind.ts).
 */

import {type Behaviour, isDailyAt, isFull, kindOf} from './workload-kind.ts';
import {
  DIRTY_CLASSES,
  type DirtyClass,
  UNKNOWN_WORKLOAD,
  WORKLOAD_KINDS,
  type WorkloadKind,
  type WorkloadProfile,
} from './workload-profile.ts';

/** Means of this length are what kinds are told from: the step of the recordings that thresholds are from. */
export const SLOT_MS = 300_000;
const SLOTS_MIN = 6;
const DAY_MS = 86_400_000;
const SLOTS_A_DAY = DAY_MS / SLOT_MS;

/** Busy and quiet in turns are told from the last hours, so that a day's slow swing is no burst. */
const RECENT_SLOTS = 72;
/** A rhythm is known after two days, and is that of the last three. */
const RHYTHM_SLOTS_MIN = 2 * SLOTS_A_DAY;
const RHYTHM_SLOTS = 3 * SLOTS_A_DAY;

/** Metrics of a set that are looked at; those that it does not have are never known. */
const SIGNALS = [
  'cpu_used_ratio',
  'memory_used_ratio',
  'io_read_bytes_per_second',
  'io_write_bytes_per_second',
  'network_receive_bytes_per_second',
  'network_transmit_bytes_per_second',
] as const;
const WIDTH = SIGNALS.length;
const [CPU, MEMORY, READ, WRITE, RECEIVE, TRANSMIT] = [0, 1, 2, 3, 4, 5] as const;

/** What is kept of each row's slots, besides means. */
const FIELDS = 7;
const [RECENT, VARIANCE, DAY_VARIANCE, COSINE, SINE, FULL, STRETCHES] = [
  0, 1, 2, 3, 4, 5, 6,
] as const;

export type Workload = {
  /** Signals that the set has, and the column of each. */
  readonly signals: Int32Array;
  readonly columns: Int32Array;
  capacity: number;
  /** When the slot that is being filled ends; 0: there is none yet. */
  endMs: Float64Array;
  /** row × signals × 2: sum and count of its values. */
  totals: Float64Array;
  /** Closed slots of each row. */
  slots: Uint32Array;
  /** row × signals: of about a day; NaN: never measured. */
  means: Float32Array;
  /** row × {@link FIELDS}. */
  fields: Float32Array;
  /** Whether the last slot was full. */
  wasFull: Uint8Array;
  /** Index of {@link WORKLOAD_KINDS}. */
  kind: Uint8Array;
  /** 1: follows the time of day. */
  daily: Uint8Array;
  /** Index of {@link DIRTY_CLASSES}; set by who knows of links and migrations. */
  dirty: Uint8Array;
  /** What was last told of it, for who tells; 0: nothing. */
  told: Uint16Array;
  /** Rows with a slot that was closed and not yet looked at. */
  closed: number[];
};

/** @returns Undefined if the set does not measure the CPU of VMs. */
export function createWorkload(columns: readonly string[], capacity = 16): Workload | undefined {
  if (!columns.includes(SIGNALS[CPU])) return undefined;
  const found = SIGNALS.map((_name, signal) => signal).filter(signal =>
    columns.includes(SIGNALS[signal] as string),
  );
  const places = found.map(signal => columns.indexOf(SIGNALS[signal] as string));
  return emptyWorkload(
    {signals: Int32Array.from(found), columns: Int32Array.from(places)},
    capacity,
  );
}

function emptyWorkload(
  {signals, columns}: Pick<Workload, 'signals' | 'columns'>,
  capacity: number,
): Workload {
  return {
    signals,
    columns,
    capacity,
    endMs: new Float64Array(capacity),
    totals: new Float64Array(capacity * WIDTH * 2),
    slots: new Uint32Array(capacity),
    means: new Float32Array(capacity * WIDTH).fill(Number.NaN),
    fields: new Float32Array(capacity * FIELDS),
    wasFull: new Uint8Array(capacity),
    kind: new Uint8Array(capacity),
    daily: new Uint8Array(capacity),
    dirty: new Uint8Array(capacity),
    told: new Uint16Array(capacity),
    closed: [],
  };
}

/** What rows consist of. */
const ARRAYS = [
  'endMs',
  'totals',
  'slots',
  'means',
  'fields',
  'wasFull',
  'kind',
  'daily',
  'dirty',
  'told',
] as const;

/** Makes room for `rows` rows; amortised constant a row. */
export function growWorkload(workload: Workload, rows: number): void {
  if (rows <= workload.capacity) return;
  const wider = emptyWorkload(workload, Math.max(rows, workload.capacity * 2));
  for (const name of ARRAYS) wider[name].set(workload[name]);
  const {closed} = workload;
  Object.assign(workload, wider, {closed});
}

/** Forgets a row, for the next VM that gets it. */
export function clearWorkload(workload: Workload, row: number): void {
  for (const name of ARRAYS) {
    const width = workload[name].length / workload.capacity;
    workload[name].fill(name === 'means' ? Number.NaN : 0, row * width, (row + 1) * width);
  }
}

/**
 * Takes one sample that is not late into a row.
 *
 * @param values The sample's columns, strided: column c is at `offset + c * stride`.
 */
export function recordWorkload(
  workload: Workload,
  row: number,
  atMs: number,
  values: Float32Array,
  offset: number,
  stride: number,
): void {
  const {signals, columns, totals, endMs} = workload;
  if (atMs >= (endMs[row] as number)) closeSlot(workload, row, atMs);
  for (let at = 0; at < columns.length; at++) {
    const value = values[(columns[at] as number) * stride + offset] as number;
    if (value !== value) continue;
    const cell = 2 * (row * WIDTH + (signals[at] as number));
    totals[cell] = (totals[cell] as number) + value;
    totals[cell + 1] = (totals[cell + 1] as number) + 1;
  }
}

/** Learns from the slot that is over, and begins the one of this time. */
function closeSlot(workload: Workload, row: number, atMs: number): void {
  const {totals, slots, means, endMs, wasFull, closed} = workload;
  const base = row * WIDTH;
  const meanOf = (cell: number) => (totals[2 * cell] as number) / (totals[2 * cell + 1] as number);
  const cpu = meanOf(base + CPU);
  if (cpu === cpu) {
    learnCpu(workload, row, cpu);
    const seen = (slots[row] as number) + 1;
    slots[row] = seen;
    for (let cell = base; cell < base + WIDTH; cell++) {
      const value = meanOf(cell);
      if (value !== value) continue;
      const mean = means[cell] as number;
      means[cell] =
        mean !== mean ? value : mean + Math.max(1 / seen, 1 / SLOTS_A_DAY) * (value - mean);
    }
    judge(workload, row);
    closed.push(row);
  }
  const nextEndMs = (Math.floor(atMs / SLOT_MS) + 1) * SLOT_MS;
  // What was full before a silence is no stretch with what comes after it.
  if (cpu !== cpu || nextEndMs !== (endMs[row] as number) + SLOT_MS) wasFull[row] = 0;
  endMs[row] = nextEndMs;
  totals.fill(0, 2 * base, 2 * (base + WIDTH));
}

/** Running averages of what the slot's CPU says; of few slots they are plain averages. */
function learnCpu(
  {fields, slots, endMs, wasFull, means}: Workload,
  row: number,
  cpu: number,
): void {
  const at = row * FIELDS;
  const seen = (slots[row] as number) + 1;
  const follow = (field: number, value: number, memory: number): void => {
    const before = fields[at + field] as number;
    fields[at + field] = before + Math.max(1 / seen, 1 / memory) * (value - before);
  };
  const recent = seen === 1 ? cpu : (fields[at + RECENT] as number);
  follow(VARIANCE, (cpu - recent) ** 2, RECENT_SLOTS);
  follow(RECENT, cpu, RECENT_SLOTS);
  const mean = means[row * WIDTH + CPU] as number;
  const deviation = mean !== mean ? 0 : cpu - mean;
  const angle = (2 * Math.PI * ((endMs[row] as number) % DAY_MS)) / DAY_MS;
  follow(DAY_VARIANCE, deviation * deviation, RHYTHM_SLOTS);
  follow(COSINE, deviation * Math.cos(angle), RHYTHM_SLOTS);
  follow(SINE, deviation * Math.sin(angle), RHYTHM_SLOTS);
  const full = isFull(cpu) ? 1 : 0;
  follow(FULL, full, SLOTS_A_DAY);
  follow(STRETCHES, full === 1 && wasFull[row] === 0 ? 1 : 0, SLOTS_A_DAY);
  wasFull[row] = full;
}

/** W3. */
function judge(workload: Workload, row: number): void {
  const {kind, slots, daily} = workload;
  const isDaily = isDailyAt(dailyShareOf(workload, row), daily[row] === 1);
  daily[row] = isDaily ? 1 : 0;
  if ((slots[row] as number) < SLOTS_MIN) return;
  const before = WORKLOAD_KINDS[kind[row] as number] as WorkloadKind;
  kind[row] = WORKLOAD_KINDS.indexOf(kindOf(behaviourOf(workload, row), before));
}

function behaviourOf({fields, means, daily}: Workload, row: number): Behaviour {
  const at = row * FIELDS;
  let bytesPerSecond = 0;
  for (const signal of [READ, WRITE, RECEIVE, TRANSMIT]) {
    bytesPerSecond += means[row * WIDTH + signal] || 0;
  }
  const stretches = fields[at + STRETCHES] as number;
  const fullShare = fields[at + FULL] as number;
  return {
    mean: fields[at + RECENT] as number,
    deviation: Math.sqrt(fields[at + VARIANCE] as number),
    bytesPerSecond,
    fullShare,
    stretchSlots: stretches > 0 ? fullShare / stretches : 0,
    isDaily: daily[row] === 1,
  };
}

function dailyShareOf({fields, slots}: Workload, row: number): number {
  if ((slots[row] as number) < RHYTHM_SLOTS_MIN) return Number.NaN;
  const at = row * FIELDS;
  const [variance, cosine, sine] = [DAY_VARIANCE, COSINE, SINE].map(
    field => fields[at + field] as number,
  ) as [number, number, number];
  return variance > 0 ? Math.min(1, (2 * (cosine * cosine + sine * sine)) / variance) : 0;
}

/** What the samples of a row say; its dirty rate is for others to say. */
export function profileOf(workload: Workload, row: number): WorkloadProfile {
  const {fields, slots, kind, means, daily, dirty} = workload;
  if (slots[row] === 0) return UNKNOWN_WORKLOAD;
  const at = row * FIELDS;
  const mean = (signal: number) => means[row * WIDTH + signal] as number;
  const recent = fields[at + RECENT] as number;
  return {
    ...UNKNOWN_WORKLOAD,
    kind: WORKLOAD_KINDS[kind[row] as number] as WorkloadKind,
    observedMs: (slots[row] as number) * SLOT_MS,
    cpuRatio: mean(CPU),
    memoryRatio: mean(MEMORY),
    readBytesPerSecond: mean(READ),
    writeBytesPerSecond: mean(WRITE),
    receiveBytesPerSecond: mean(RECEIVE),
    transmitBytesPerSecond: mean(TRANSMIT),
    variation: recent > 0 ? Math.sqrt(fields[at + VARIANCE] as number) / recent : 0,
    fullShare: fields[at + FULL] as number,
    isDaily: daily[row] === 1,
    dailyShare: dailyShareOf(workload, row),
    dirtyClass: DIRTY_CLASSES[dirty[row] as number] as DirtyClass,
  };
}

/** Rows with a slot that was closed since this was last asked for, ascending. */
export function takeClosed(workload: Workload): number[] {
  return [...new Set(workload.closed.splice(0))].sort((a, b) => a - b);
}
