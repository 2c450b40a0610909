import {ForestayError} from '../../core/domain/errors.ts';
import {type FeatureContract, featuresOf} from '../../core/domain/features.ts';
import {createUniform} from '../random.ts';

/** Nobody knows what would have become of it: the row says nothing of this output. */
export const UNKNOWN = 255;

/** Observed hosts and what became of them. */
export type FailureData = {
  readonly rows: number;
  /** What the features are. */
  readonly contract: FeatureContract;
  /** What is predicted, by name: a component, or one within another horizon. */
  readonly outputs: readonly string[];
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

/** Rows to learn from, to stop by, and to calibrate on; no host is on two sides. */
export type DataSlices = {train: Int32Array; validation: Int32Array; calibration: Int32Array};

const TRAIN_SHARE = 0.7;
const VALIDATION_SHARE = 0.15;

/**
 * Slices by group, in order: the last hosts calibrate what the first have taught.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` when shapes differ or a slice would be empty.
 */
export function sliceData(data: FailureData): DataSlices {
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
  const trainEnd = groups[Math.floor(groups.length * TRAIN_SHARE)] ?? 0;
  const validationEnd = groups[Math.floor(groups.length * (TRAIN_SHARE + VALIDATION_SHARE))] ?? 0;
  const all = Int32Array.from({length: rows}, (_, row) => row);
  const groupOf = (row: number) => data.group[row] as number;
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
];

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
