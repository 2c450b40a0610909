/** How good anomaly scores are against labelled incidents, whose borders nobody knows exactly. */

/** Steps that the threshold takes from the highest score to the lowest. */
const THRESHOLDS = 250;

/** First and last row. */
type Incident = {readonly from: number; readonly to: number};

/**
 * Volume under the surface of precision over recall: the area, averaged over buffers of 0 to
 * `bufferMax` rows around each incident. A row of the buffer counts less the farther it is, and
 * recall is lowered by the incidents that no alarm touches. Higher is better; a constant score gets
 * about the share of labelled rows. NaN without any incident. Cost: bufferMax × rows.
 *
 * @param labels One a row: 0, or 1 in an incident.
 * @see J. Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure for
 *   time-series anomaly detection", PVLDB 15(11), 2022.
 */
export function volumeUnderSurface(
  labels: Uint8Array,
  scores: ArrayLike<number>,
  bufferMax: number,
): number {
  const incidents = findIncidents(labels);
  if (incidents.length === 0) return Number.NaN;
  const steps = stepOfRows(scores);
  const alarms = countByStep(steps, () => 1);
  const hits = countByStep(steps, row => labels[row] as number);
  const reach = new Uint8Array(labels.length);
  for (const {from, to} of widen(incidents, bufferMax, labels.length)) reach.fill(1, from, to + 1);
  let volume = 0;
  for (let buffer = 0; buffer <= bufferMax; buffer++) {
    const weights = weighBuffer(labels, incidents, buffer);
    const near = countByStep(steps, row =>
      reach[row] === 1 ? Math.min(weights[row] as number, 1) : 0,
    );
    const found = countFound(steps, widen(incidents, buffer, labels.length));
    volume += areaUnder({alarms, hits, near, found});
  }
  return volume / (bufferMax + 1);
}

/** By step of the threshold; all but `found`, which is a share, are sums over alarms. */
type Curve = {alarms: Float64Array; hits: Float64Array; near: Float64Array; found: Float64Array};

function areaUnder({alarms, hits, near, found}: Curve): number {
  const labelled = hits[THRESHOLDS - 1] as number;
  let area = 0;
  let before = 0;
  for (let step = 0; step < THRESHOLDS; step++) {
    const close = near[step] as number;
    const right = (hits[step] as number) + close;
    const recall = Math.min(right / (labelled + close / 2), 1) * (found[step] as number);
    area += (recall - before) * (right / (alarms[step] as number));
    before = recall;
  }
  return area;
}

function findIncidents(labels: Uint8Array): Incident[] {
  const incidents: Incident[] = [];
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] !== 1) continue;
    const from = row;
    while (labels[row + 1] === 1) row++;
    incidents.push({from, to: row});
  }
  return incidents;
}

/** The step of the threshold from which on each row is an alarm. */
function stepOfRows(scores: ArrayLike<number>): Uint16Array {
  const falling = Float64Array.from(scores).sort().reverse();
  const thresholds = Float64Array.from(
    {length: THRESHOLDS},
    (_, step) => falling[Math.floor((step * (falling.length - 1)) / (THRESHOLDS - 1))] as number,
  );
  return Uint16Array.from(scores, score => {
    let [low, high] = [0, THRESHOLDS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((thresholds[middle] as number) <= score) high = middle;
      else low = middle + 1;
    }
    return low;
  });
}

/** Sums of what the rows weigh that are alarms at each step. */
function countByStep(steps: Uint16Array, weightOf: (row: number) => number): Float64Array {
  const sums = new Float64Array(THRESHOLDS);
  for (let row = 0; row < steps.length; row++) {
    const step = steps[row] as number;
    sums[step] = (sums[step] as number) + weightOf(row);
  }
  return accumulate(sums);
}

/** Share of the incidents with an alarm in them, at each step. */
function countFound(steps: Uint16Array, incidents: readonly Incident[]): Float64Array {
  const sums = new Float64Array(THRESHOLDS);
  for (const {from, to} of incidents) {
    let first = THRESHOLDS - 1;
    for (let row = from; row <= to; row++) first = Math.min(first, steps[row] as number);
    sums[first] = (sums[first] as number) + 1 / incidents.length;
  }
  return accumulate(sums);
}

function accumulate(values: Float64Array): Float64Array {
  for (let at = 1; at < values.length; at++) {
    values[at] = (values[at] as number) + (values[at - 1] as number);
  }
  return values;
}

/** Incidents with half the buffer on each side; one where they meet. */
function widen(incidents: readonly Incident[], buffer: number, rows: number): Incident[] {
  const half = buffer >> 1;
  const wide: {from: number; to: number}[] = [];
  for (const incident of incidents) {
    const from = Math.max(incident.from - half, 0);
    const to = Math.min(incident.to + half, rows - 1);
    const last = wide.at(-1);
    if (last !== undefined && last.to >= from) last.to = to;
    else wide.push({from, to});
  }
  return wide;
}

/** What the rows around the incidents weigh: falling from 1, added up where buffers overlap. */
function weighBuffer(
  labels: Uint8Array,
  incidents: readonly Incident[],
  buffer: number,
): Float64Array {
  const weights = new Float64Array(labels.length);
  for (const {from, to} of incidents) {
    for (let apart = 1; apart <= buffer >> 1; apart++) {
      const weight = Math.sqrt(1 - apart / buffer);
      for (const row of [from - apart, to + apart]) {
        if (labels[row] === 0) weights[row] = (weights[row] as number) + weight;
      }
    }
  }
  return weights;
}

const PERIOD_ROWS = 20_000;
const PERIOD_LAG_MAX = 400;
/** What the buffer is where nothing repeats itself. */
const BUFFER_DEFAULT = 125;

/**
 * How many rows after which a series repeats itself most, as the buffer for
 * {@link volumeUnderSurface}: the highest local maximum of its autocorrelation at 6 to 303 rows; 125
 * if there is none.
 *
 * @see Q. Liu, J. Paparrizos, "The elephant in the room: towards a reliable time-series anomaly
 *   detection benchmark", NeurIPS 2024.
 */
export function findBuffer(values: ArrayLike<number>): number {
  const count = Math.min(values.length, PERIOD_ROWS);
  let mean = 0;
  for (let at = 0; at < count; at++) mean += (values[at] as number) / count;
  const apart = Float64Array.from({length: count}, (_, at) => (values[at] as number) - mean);
  const similar = Float64Array.from({length: PERIOD_LAG_MAX + 1}, (_, lag) => {
    let sum = 0;
    for (let at = lag; at < count; at++) {
      sum += (apart[at] as number) * (apart[at - lag] as number);
    }
    return sum;
  });
  let best = 0;
  for (let lag = 4; lag < PERIOD_LAG_MAX; lag++) {
    const here = similar[lag] as number;
    const isPeak = here > (similar[lag - 1] as number) && here > (similar[lag + 1] as number);
    if (isPeak && (best === 0 || here > (similar[best] as number))) best = lag;
  }
  return best < 6 || best > 303 ? BUFFER_DEFAULT : best;
}
