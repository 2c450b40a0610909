/**
 * The job of the peers, as data: 2,000 hosts in turn, eight metrics, a window of 60 samples, a score
 * every fifth, hysteresis. Every number is drawn exactly as the peers' Java draws it, so that all
 * score the same samples.
 */
import {type MetricSet, metricSet} from '../../core/domain/metric-sets.ts';

export const HOSTS = 2000;
export const METRICS = 8;
export const WINDOW = 60;
export const STRIDE = 5;
/** Time between two samples of a host. */
export const STEP_MS = 10_000;
export const START_MS = 1_700_000_000_000;

/** Above `enter` or below `leave` three scores in a row: two strides after the first. */
export const BANDS = {
  enter: 0.6,
  enterHoldMs: 2 * STRIDE * STEP_MS,
  leave: 0.4,
  leaveHoldMs: 2 * STRIDE * STEP_MS,
};

/** What the job comes to. */
export type Outcome = {scores: number; scoreSum: number; transitions: number};

/** What the peers came to with the perceptron, by the number of samples. */
export const PEERS_FOUND: ReadonlyMap<number, Outcome> = new Map([
  [6_000_000, {scores: 1_176_400, scoreSum: 299_721.95, transitions: 19_946}],
  [22_000_000, {scores: 4_376_400, scoreSum: 1_114_792.58, transitions: 73_279}],
]);

export const PEER_METRICS: MetricSet = metricSet(
  'peer.v1',
  'host',
  Array.from({length: METRICS}, (_, metric) => `m${metric}`),
);

export const hostName = (host: number): string => `h${String(host).padStart(4, '0')}`;

/** Writes sample `step` of a host, metric `m` to `into[at + m * apart]`. */
export function drawSample(
  host: number,
  step: number,
  into: Float32Array,
  at: number,
  apart: number,
): void {
  const phase = (step + host * 37) % 600;
  const ramp = rampAt(phase);
  const noiseFrom = host * 131 + step * 7919 * 8;
  for (let metric = 0; metric < METRICS; metric++) {
    const level = LEVELS[(host * (metric + 3)) % 7] as number;
    const rise = Math.fround((AMPLITUDES[metric] as number) * ramp);
    const noise = NOISE[(noiseFrom + metric) & 0xffff] as number;
    into[at + metric * apart] = Math.fround(Math.fround(level + rise) + noise);
  }
}

function rampAt(phase: number): number {
  if (phase < 400) return 0;
  if (phase < 450) return Math.fround((phase - 400) / 50);
  return phase < 550 ? 1 : Math.fround((600 - phase) / 50);
}

const f32 = Math.fround;
const LEVELS = Float32Array.from({length: 7}, (_, step) => f32(0.3) + f32(f32(0.05) * step));
const AMPLITUDES = Float32Array.from(
  {length: METRICS},
  (_, metric) => f32(0.6) - f32(f32(0.05) * metric),
);

/**
 * `java.util.Random`: a linear congruential generator of 48 bits, and Marsaglia's polar method.
 *
 * @see https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Random.html
 */
function* javaGaussians(seed: bigint): Generator<number, never> {
  const mask = (1n << 48n) - 1n;
  let state = (seed ^ 0x5deece66dn) & mask;
  const next = (bits: bigint): number => {
    state = (state * 0x5deece66dn + 0xbn) & mask;
    return Number(state >> (48n - bits));
  };
  const nextDouble = () => (next(26n) * 2 ** 27 + next(27n)) * 2 ** -53;
  while (true) {
    const x = 2 * nextDouble() - 1;
    const y = 2 * nextDouble() - 1;
    const radius = x * x + y * y;
    if (radius >= 1 || radius === 0) continue;
    const scale = Math.sqrt((-2 * Math.log(radius)) / radius);
    yield x * scale;
    yield y * scale;
  }
}

const NOISE = ((gaussians: Generator<number, never>) =>
  Float32Array.from({length: 1 << 16}, () => 0.1 * gaussians.next().value))(javaGaussians(42n));
