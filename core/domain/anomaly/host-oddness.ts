/**
 * How much of a host is odd right now, by its own past: each averaged metric of the host and each
 * metric of its VMs is watched alone, on means of ten seconds, and is odd while its newest mean lies
 * farther in its tail than a rate of false alarms allows.
 *
 * O1. What it says depends only on the samples and their times, not on who hands them over.
 * O2. It begins anew with its process; a metric counts from its 100th mean on, a quarter of an hour.
 * O3. State is bounded: 0.6 KB a metric, {@link VMS_MAX} VMs; a VM that was not seen for ten minutes
 *     is forgotten.
 */
import {HOST_METRICS, VM_METRICS} from '../metric-sets.ts';
import {WATCHED_METRICS} from './metric-spans.ts';
import {createStreamDetector, type StreamDetector, UNJUDGED_SAMPLES} from './stream-detector.ts';

/** Of what a metric is: means of less are mostly noise, of more they are late. */
const STEP_MS = 10_000;
const DAY_MS = 86_400_000;
const FORGET_AFTER_MS = 600_000;
/** A tail is believed that rests on so many moves. */
const MOVES_MIN = UNJUDGED_SAMPLES;
/** More than a host runs; what is beyond is not watched. */
const VMS_MAX = 1024;

export type Oddness = {
  /** Share of the host's measured metrics that are odd; NaN while none can be judged. */
  metricsRatio: number;
  /** The oddest of them; empty: none is odd. */
  worstMetric: string;
  /** Share of the VMs of which a metric is odd; NaN while there is none that can be judged. */
  vmsRatio: number;
  /** The oddest of them; empty: none is odd. */
  worstVm: string;
};

export type HostOddness = {
  /** Takes a sample of the host: columns of host.v2, NaN for what is missing. */
  observeHost(nowMs: number, values: ArrayLike<number>): void;
  /** Takes a sample of a VM: columns of vm.v1. */
  observeVm(vm: string, nowMs: number, values: ArrayLike<number>): void;
  /** As of the last step that is over; the same object, changed with the next step. */
  now(): Readonly<Oddness>;
  /** VMs that are remembered. */
  readonly vms: number;
};

export type HostOddnessOptions = {
  /** How often a day a metric of a healthy host or VM may count as odd, for one step each. */
  falseAlarmsPerDay: number;
  /** Time between samples; longer than ten seconds, each sample is a step. */
  intervalMs?: number;
};

/** Places of the watched metrics in host.v2. */
const HOST_PLACES = Int32Array.from(WATCHED_METRICS, name => HOST_METRICS.columns.indexOf(name));
const VM_PLACES = Int32Array.from(VM_METRICS.columns.keys());

/** Cost: additions for each sample; about 0.1 µs a metric for each step of ten seconds. */
export function createHostOddness({
  falseAlarmsPerDay,
  intervalMs = 0,
}: HostOddnessOptions): HostOddness {
  const stepMs = Math.max(STEP_MS, intervalMs);
  const rate = (falseAlarmsPerDay * stepMs) / DAY_MS;
  const host = createWatched(HOST_PLACES);
  const vms = new Map<string, Watched>();
  const oddness: Oddness = {
    metricsRatio: Number.NaN,
    worstMetric: '',
    vmsRatio: Number.NaN,
    worstVm: '',
  };
  let step = Number.NaN;

  const moveTo = (nowMs: number): void => {
    const next = Math.floor(nowMs / stepMs);
    if (next === step) return;
    if (!Number.isNaN(step)) judge();
    step = next;
  };

  const judge = (): void => {
    const {judged, odd, worst} = endStep(host, rate);
    oddness.metricsRatio = odd / judged;
    oddness.worstMetric = worst < 0 ? '' : nameOf(HOST_PLACES[worst] as number);
    judgeVms();
  };

  const judgeVms = (): void => {
    let [known, oddVms, rarest] = [0, 0, rate];
    oddness.worstVm = '';
    for (const [name, vm] of vms) {
      const {judged, odd, rarity} = endStep(vm, rate);
      if (judged > 0) known++;
      if (odd > 0) oddVms++;
      if (rarity < rarest) {
        rarest = rarity;
        oddness.worstVm = name;
      }
      // A clock that was set back makes samples of the future: they are as old.
      if (Math.abs(step - vm.lastStep) * stepMs >= FORGET_AFTER_MS) vms.delete(name);
    }
    oddness.vmsRatio = oddVms / known;
  };

  return {
    observeHost(nowMs, values) {
      moveTo(nowMs);
      addSample(host, values, step);
    },
    observeVm(name, nowMs, values) {
      moveTo(nowMs);
      let vm = vms.get(name);
      if (vm === undefined) {
        if (vms.size >= VMS_MAX) return;
        vm = createWatched(VM_PLACES);
        vms.set(name, vm);
      }
      addSample(vm, values, step);
    },
    now: () => oddness,
    get vms() {
      return vms.size;
    },
  };
}

/** The metrics of a host or VM, and what was added up in this step. */
type Watched = {
  readonly places: Int32Array;
  readonly detector: StreamDetector;
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  /** Means of each metric so far, the newest, and how often it was another than the one before. */
  readonly means: Uint32Array;
  readonly last: Float64Array;
  readonly moves: Uint32Array;
  lastStep: number;
};

function createWatched(places: Int32Array): Watched {
  return {
    places,
    detector: createStreamDetector(places.length),
    sums: new Float64Array(places.length),
    counts: new Uint32Array(places.length),
    means: new Uint32Array(places.length),
    last: new Float64Array(places.length).fill(Number.NaN),
    moves: new Uint32Array(places.length),
    lastStep: 0,
  };
}

function addSample(watched: Watched, values: ArrayLike<number>, step: number): void {
  const {places, sums, counts} = watched;
  watched.lastStep = step;
  for (let metric = 0; metric < places.length; metric++) {
    const value = values[places[metric] as number] as number;
    if (!Number.isFinite(value)) continue;
    sums[metric] = (sums[metric] as number) + value;
    counts[metric] = (counts[metric] as number) + 1;
  }
}

/** Learns the means of the step; how many metrics were judged, how many are odd, and the worst. */
function endStep(watched: Watched, rate: number) {
  const {counts, means} = watched;
  const found = {judged: 0, odd: 0, worst: -1, rarity: 1};
  for (let metric = 0; metric < counts.length; metric++) {
    if (counts[metric] === 0) continue;
    const rarity = learnMean(watched, metric);
    if ((means[metric] as number) <= UNJUDGED_SAMPLES) continue;
    found.judged++;
    if (!(rarity < rate)) continue;
    found.odd++;
    if (rarity >= found.rarity) continue;
    found.rarity = rarity;
    found.worst = metric;
  }
  return found;
}

/** Rarity of the step's mean of a metric. */
function learnMean({detector, sums, counts, means, last, moves}: Watched, metric: number): number {
  const mean = (sums[metric] as number) / (counts[metric] as number);
  sums[metric] = 0;
  counts[metric] = 0;
  const before = means[metric] as number;
  means[metric] = before + 1;
  if (mean !== last[metric]) moves[metric] = (moves[metric] as number) + 1;
  last[metric] = mean;
  const rarity = detector.observe(metric, mean);
  // Of a metric that hardly ever moves, an error count say, the tail is not known yet.
  return (moves[metric] as number) < MOVES_MIN ? Math.max(rarity, 1 / (before + 1)) : rarity;
}

const nameOf = (column: number): string => HOST_METRICS.columns[column] as string;
