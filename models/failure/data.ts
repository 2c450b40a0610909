import {ForestayError} from '../../core/domain/errors.ts';
import {type FeatureContract, FIRST_HOST_CONTRACT, featuresOf} from '../../core/domain/features.ts';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {createUniform} from '../random.ts';
import type {FailureOutput} from './family.ts';

/** Nobody knows what would have become of it: the row says nothing of this output. */
export const UNKNOWN = 255;

/** Observed hosts and what became of them. */
export type FailureData = {
  readonly rows: number;
  /** What the features are. */
  readonly contract: FeatureContract;
  /** What is predicted. */
  readonly outputs: readonly FailureOutput[];
  /** Rows × features of the contract. */
  readonly features: Float32Array;
  /** Rows × outputs: 1 if it fails within the horizon, 0 if not, {@link UNKNOWN}. */
  readonly labels: Uint8Array;
  /** Until the host's next failure; infinite if there is none. */
  readonly secondsToFailure: Float32Array;
  /** Rows of one host's life share a group; later lives have higher ones. */
  readonly group: Int32Array;
  /** Time of each row within its group. */
  readonly second: Int32Array;
};

/**
 * Days that hosts were watched: each from its first row to its last, and one usual step more.
 */
export function hostDaysOf({group, second}: Pick<FailureData, 'group' | 'second'>): number {
  const hosts = new Map<number, {rows: number; first: number; last: number}>();
  for (const [row, id] of group.entries()) {
    const at = second[row] as number;
    const host = hosts.get(id);
    if (host === undefined) hosts.set(id, {rows: 1, first: at, last: at});
    else {
      host.rows++;
      host.first = Math.min(host.first, at);
      host.last = Math.max(host.last, at);
    }
  }
  let seconds = 0;
  for (const {rows, first, last} of hosts.values()) {
    if (rows > 1) seconds += ((last - first) * rows) / (rows - 1);
  }
  return seconds / 86_400;
}

/** Rows to learn from, to stop by, and to calibrate on; no host is on two sides. */
export type DataSlices = {train: Int32Array; validation: Int32Array; calibration: Int32Array};

const TRAIN_SHARE = 0.7;
const VALIDATION_SHARE = 0.15;
const JUDGED_SHARE = 0.2;
/** Turns that begin far from each other, however many there are. */
const GOLDEN_RATIO = 0.618_034;

/**
 * Slices by group, in order: the last hosts calibrate what the first have taught.
 *
 * @param turn Other hosts for each: the order begins at another one. Whole number.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` when shapes differ or a slice would be empty.
 */
export function sliceData(data: FailureData, turn = 0): DataSlices {
  const {rows, outputs} = data;
  const width = featureCountOf(data);
  if (
    data.features.length !== rows * width ||
    data.labels.length !== rows * outputs.length ||
    data.group.length !== rows
  ) {
    throw invalid(
      `${rows} rows need ${rows * width} features, ${rows * outputs.length} labels and ` +
        `${rows} groups, not ${data.features.length}, ${data.labels.length} and ${data.group.length}`,
    );
  }
  const groups = [...new Set(data.group)].sort((a, b) => a - b);
  const first = Math.floor(((turn * GOLDEN_RATIO) % 1) * groups.length);
  const placeOf = new Map(
    groups.map((group, rank) => [group, (rank + groups.length - first) % groups.length]),
  );
  const trainEnd = Math.floor(groups.length * TRAIN_SHARE);
  const validationEnd = Math.floor(groups.length * (TRAIN_SHARE + VALIDATION_SHARE));
  const all = Int32Array.from({length: rows}, (_, row) => row);
  const groupOf = (row: number) => placeOf.get(data.group[row] as number) as number;
  const slices = {
    train: all.filter(row => groupOf(row) < trainEnd),
    validation: all.filter(row => groupOf(row) >= trainEnd && groupOf(row) < validationEnd),
    calibration: all.filter(row => groupOf(row) >= validationEnd),
  };
  if (Object.values(slices).some(slice => slice.length === 0)) {
    throw invalid(`${groups.length} hosts are too few to learn, to stop and to calibrate`);
  }
  return slices;
}

/** Those of four fifths of the hosts, and those of the last fifth, to judge by. */
export function splitHosts(data: FailureData): [learned: FailureData, judged: FailureData] {
  const groups = [...new Set(data.group)].sort((a, b) => a - b);
  const from = groups[Math.ceil(groups.length * (1 - JUDGED_SHARE))] ?? Number.POSITIVE_INFINITY;
  const all = Int32Array.from({length: data.rows}, (_, row) => row);
  const isJudged = (row: number) => (data.group[row] as number) >= from;
  return [
    pickRows(
      data,
      all.filter(row => !isJudged(row)),
    ),
    pickRows(data, all.filter(isJudged)),
  ];
}

/** @param picked Numbers of rows; one may be named again. */
export function pickRows(data: FailureData, picked: Int32Array): FailureData {
  const features = new Float32Array(picked.length * featureCountOf(data));
  return {...pickOutcomes(data, picked), features: pickValues(data.features, picked, features)};
}

/** {@link pickRows} without features: there are none. */
export function pickOutcomes(data: FailureData, picked: Int32Array): FailureData {
  const labels = new Uint8Array(picked.length * data.outputs.length);
  return {
    ...data,
    rows: picked.length,
    features: new Float32Array(),
    labels: pickValues(data.labels, picked, labels),
    secondsToFailure: Float32Array.from(picked, row => data.secondsToFailure[row] as number),
    group: Int32Array.from(picked, row => data.group[row] as number),
    second: Int32Array.from(picked, row => data.second[row] as number),
  };
}

/** @param into As many values for each of the picked rows as `values` has for one. */
export function pickValues<Values extends Float32Array | Uint8Array>(
  values: Values,
  picked: Int32Array,
  into: Values,
): Values {
  const width = into.length / picked.length;
  for (const [at, row] of picked.entries()) {
    into.set(values.subarray(row * width, (row + 1) * width), at * width);
  }
  return into;
}

/** Numbers of rows, as far from each other as there are. */
export function spreadRows(rows: number, count: number): Int32Array {
  const length = Math.min(rows, count);
  return Int32Array.from({length}, (_, at) => Math.floor((at / length) * rows));
}

export function featureCountOf({contract}: Pick<FailureData, 'contract'>): number {
  return featuresOf(contract).length;
}

/** Labels of one output, by row. */
export function labelsOf(
  {rows, outputs, labels}: Pick<FailureData, 'rows' | 'outputs' | 'labels'>,
  output: number,
): Uint8Array {
  return Uint8Array.from(
    {length: rows},
    (_, row) => labels[row * outputs.length + output] as number,
  );
}

/** Median of every feature over the given rows; NaN where none has a value. */
export function medianFeatures(data: FailureData, rows: Int32Array): Float32Array {
  const width = featureCountOf(data);
  const medians = new Float32Array(width);
  for (let feature = 0; feature < width; feature++) {
    const values = Float32Array.from(rows, row => data.features[row * width + feature] as number)
      .filter(value => !Number.isNaN(value))
      .sort();
    medians[feature] = values[values.length >> 1] ?? Number.NaN;
  }
  return medians;
}

/** What hosts lack together: a sensor that is not there takes all its metrics along. */
const SENSORS: readonly (readonly string[])[] = [
  ['cpu_steal_ratio'],
  ['cpu_frequency_ratio', 'cpu_throttle_events_per_second'],
  ['memory_system_ratio'],
  ['swap_used_ratio'],
  ['pressure_cpu_ratio', 'pressure_memory_ratio', 'pressure_io_ratio'],
  ['disk_latency_seconds', 'disk_queue_depth'],
  ['disk_errors_per_second'],
  ['network_errors_per_second', 'network_drops_per_second'],
  ['temperature_celsius', 'temperature_margin_celsius'],
  ['voltage_deviation_ratio'],
  ['fan_speed_rpm'],
  ['memory_corrected_errors_per_second', 'memory_uncorrected_errors_per_second'],
  ...sourcesBeyond(FIRST_HOST_CONTRACT.metrics),
];

function sourcesBeyond(known: readonly string[]): string[][] {
  const left = HOST_METRIC_CATALOGUE.filter(({name}) => !known.includes(name));
  return [...new Set(left.map(({source}) => source))].map(source =>
    left.filter(each => each.source === source).map(({name}) => name),
  );
}

/**
 * Takes some sensors away from `rowShare` of the rows, each with the chance `sensorShare`, in place:
 * so that a model has seen every sensor missing, with and without the others.
 */
export function maskSensors(
  data: FailureData,
  seed: number,
  rowShare: number,
  sensorShare: number,
): void {
  const random = createUniform(seed);
  const {features} = data;
  const all = featuresOf(data.contract);
  const columnsOf = SENSORS.map(metrics =>
    all.flatMap((feature, column) => (metrics.includes(feature.metric) ? [column] : [])),
  );
  for (let row = 0; row < data.rows; row++) {
    if (random() >= rowShare) continue;
    for (const columns of columnsOf) {
      if (random() >= sensorShare) continue;
      for (const column of columns) features[row * all.length + column] = Number.NaN;
    }
  }
}

function invalid(reason: string): ForestayError {
  return new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot train on these rows: ${reason}; give more fleets or check where the rows come from`,
  );
}
