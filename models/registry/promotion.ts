import {quantile} from '../metrics.ts';
import {createUniform} from '../random.ts';

/** Losses of two models over the same rows of one block, such as a host's day; lower is better. */
export type PairedBlock = {
  readonly champion: number;
  readonly challenger: number;
  /** Rows of the block. */
  readonly weight: number;
};

/** How one model does on one part of the rows; NaN where nothing can be said. */
export type SegmentFigures = {
  readonly loss: number;
  readonly calibrationError: number;
  readonly averagePrecision: number;
};

/** A part of the rows that must not be worse off, such as one output. */
export type Segment = {
  readonly name: string;
  readonly rows: number;
  readonly positives: number;
  readonly champion: SegmentFigures;
  readonly challenger: SegmentFigures;
};

/** What a model costs where it is served; 99 of 100 runs take no more CPU time. */
export type Cost = {readonly bytes: number; readonly p99Ms: number};

export type Comparison = {
  readonly blocks: readonly PairedBlock[];
  readonly segments: readonly Segment[];
  readonly champion: Cost;
  readonly challenger: Cost;
};

export type Guardrails = {
  /** Fewer blocks say too little, whatever they say. */
  readonly leastBlocks: number;
  /** Chance that the bound of the gain is too high. */
  readonly doubt: number;
  /** The calibration error of an output may be this much higher than the champion's. */
  readonly calibrationSlack: number;
  /** A segment's loss may be this share higher than the champion's. */
  readonly segmentWorseShare: number;
  /** Segments with fewer positives are told, and hold up nothing. */
  readonly segmentLeastPositives: number;
  /** Times the champion's. */
  readonly latencyTimes: number;
  readonly bytesTimes: number;
};

export const GUARDRAILS: Guardrails = {
  leastBlocks: 50,
  doubt: 0.05,
  calibrationSlack: 0.005,
  segmentWorseShare: 0.05,
  segmentLeastPositives: 20,
  latencyTimes: 2,
  bytesTimes: 4,
};

/** The gain of a challenger in loss a row, and how low it may be. */
export type Gain = {
  readonly mean: number;
  /** With the chance `1 - doubt` the gain is above. */
  readonly lower: number;
  readonly upper: number;
  readonly blocks: number;
  readonly resamples: number;
};

export type Check = {readonly name: string; readonly passed: boolean; readonly says: string};

/** Whether a challenger may be promoted, and every number that says so. */
export type Evaluation = {
  readonly champion: string;
  readonly challenger: string;
  /** Which rows judged. */
  readonly data: string;
  readonly seed: number;
  readonly passed: boolean;
  /** One of several looks that shows nothing yet: no verdict, and it takes none back. */
  readonly isOpen?: boolean;
  readonly gain: Gain;
  readonly checks: readonly Check[];
};

const RESAMPLES = 2000;

/**
 * The mean gain a row and its one-sided bounds by a block bootstrap (Efron and Tibshirani 1993, ch.
 * 8 and 13: percentiles): blocks are drawn with replacement, a block's rows stay together. Equal
 * seeds give equal bounds. Cost: resamples × blocks.
 *
 * @returns NaN without blocks.
 */
export function bootstrapGain(
  blocks: readonly PairedBlock[],
  {seed, doubt, resamples = RESAMPLES}: {seed: number; doubt: number; resamples?: number},
): Gain {
  const count = blocks.length;
  const gains = Float64Array.from(blocks, ({champion, challenger}) => champion - challenger);
  const weights = Float64Array.from(blocks, ({weight}) => weight);
  const random = createUniform(seed);
  const means = new Float64Array(resamples);
  for (let resample = 0; resample < resamples; resample++) {
    let [gain, weight] = [0, 0];
    for (let draw = 0; draw < count; draw++) {
      const at = Math.floor(random() * count);
      gain += gains[at] as number;
      weight += weights[at] as number;
    }
    means[resample] = gain / weight;
  }
  means.sort();
  const sumOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
  return {
    mean: sumOf(gains) / sumOf(weights),
    lower: quantile(means, doubt) as number,
    upper: quantile(means, 1 - doubt) as number,
    blocks: count,
    resamples,
  };
}

/**
 * Promotes if the lower bound of the gain is above zero and every guardrail holds. Golden rows are
 * not among them: an entry that does not reproduce its own is refused when it is opened.
 */
export function decidePromotion(
  comparison: Comparison,
  seed: number,
  rails: Guardrails = GUARDRAILS,
): Pick<Evaluation, 'passed' | 'gain' | 'checks'> {
  const gain = bootstrapGain(comparison.blocks, {seed, doubt: rails.doubt});
  const checks = [
    checkGain(gain, rails),
    ...comparison.segments.flatMap(segment => checkSegment(segment, rails)),
    ...checkCost(comparison, rails),
  ];
  return {passed: checks.every(({passed}) => passed), gain, checks};
}

function checkGain({mean, lower, blocks}: Gain, {leastBlocks, doubt}: Guardrails): Check {
  const bound = `${nats(mean)} less log-loss a row, with ${percent(1 - doubt)} at least ${nats(lower)}`;
  if (blocks < leastBlocks) {
    const says = `${blocks} blocks are too few to say (${leastBlocks} needed); so far ${bound}`;
    return {name: 'gain', passed: false, says};
  }
  const passed = lower > 0;
  const says = `${bound}, over ${blocks} blocks; it must be above 0`;
  return {name: 'gain', passed, says};
}

function checkSegment(segment: Segment, rails: Guardrails): Check[] {
  const {name, rows, positives, champion, challenger} = segment;
  const base = `${positives} of ${rows} rows`;
  if (positives < rails.segmentLeastPositives) {
    const says = `${base} happened: too few to judge by`;
    return [{name, passed: true, says}];
  }
  const worse = challenger.loss / champion.loss - 1;
  const slack = challenger.calibrationError - champion.calibrationError;
  return [
    {
      name,
      passed: worse <= rails.segmentWorseShare,
      says:
        `log-loss ${nats(champion.loss)} → ${nats(challenger.loss)} ` +
        `(${worse > 0 ? '+' : ''}${percent(worse)}, at most +${percent(rails.segmentWorseShare)}); ` +
        `average precision ${three(champion.averagePrecision)} → ` +
        `${three(challenger.averagePrecision)}, base rate ${percent(positives / rows)} (${base})`,
    },
    {
      name: `${name} calibration`,
      passed: slack <= rails.calibrationSlack,
      says:
        `error ${nats(champion.calibrationError)} → ${nats(challenger.calibrationError)}, ` +
        `at most ${rails.calibrationSlack} more`,
    },
  ];
}

function checkCost({champion, challenger}: Comparison, rails: Guardrails): Check[] {
  return [
    {
      name: 'latency',
      passed: challenger.p99Ms <= rails.latencyTimes * champion.p99Ms,
      says:
        `99 of 100 runs within ${three(champion.p99Ms)} → ${three(challenger.p99Ms)} ms of CPU, at ` +
        `most ${rails.latencyTimes} times as long`,
    },
    {
      name: 'size',
      passed: challenger.bytes <= rails.bytesTimes * champion.bytes,
      says: `${champion.bytes} → ${challenger.bytes} bytes, at most ${rails.bytesTimes} times as many`,
    },
  ];
}

function nats(value: number): string {
  return value.toFixed(5);
}

function three(value: number): string {
  return value.toFixed(3);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
