/**
 * What forecasts of one model have lost against the naive method, in blocks of time.
 *
 * B1. A block ends an hour after it began at the earliest, a horizon after its last failure, and
 *     after a day: failures that come together stand in one block, so that blocks, not rows, are
 *     what an interval may take for independent.
 * B2. Bounded: of more than {@link BLOCKS_MAX} blocks neighbours are joined; older than the window
 *     they go.
 */
import {OUTPUT_COUNT} from './skill-events.ts';

const HOUR_MS = 3_600_000;
const BLOCKS_MAX = 256;
/** Of risks: the lowest one of each bin but the first. */
const BIN_EDGES = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7];
const BIN_COUNT = BIN_EDGES.length + 1;
/** Of a bin: rows, sum of risks, sum of labels. */
const BIN_STATS = 3;
const BIN_HALF_LIFE_MS = 30 * 24 * HOUR_MS;
/** A risk is never taken for less than this, or more than 1 less this. */
const RISK_MIN = 1e-6;

/** What is summed up of an output in a block. */
export const STATS = [
  'rows',
  'positives',
  'unverifiable',
  'brier',
  'naiveBrier',
  'log',
  'naiveLog',
  'risk',
  'entropy',
] as const;
export type Stat = (typeof STATS)[number];
const STAT_COUNT = STATS.length;

export type Block = {
  fromMs: number;
  toMs: number;
  /** Output × {@link STATS}. */
  readonly sums: Float64Array;
};

export type LossBlocks = {
  /** The last one is open. */
  blocks: Block[];
  /** Of the newest row with a failure, as it was judged. */
  failedAtMs: number;
  /** Output × bin × (rows, risks, labels), fading by half in 30 days. */
  readonly bins: Float64Array;
  binsAtMs: number;
};

export function createLossBlocks(): LossBlocks {
  return {
    blocks: [],
    failedAtMs: Number.NEGATIVE_INFINITY,
    bins: new Float64Array(OUTPUT_COUNT * BIN_COUNT * BIN_STATS),
    binsAtMs: Number.NaN,
  };
}

export function statOf({sums}: Block, output: number, stat: Stat): number {
  return sums[output * STAT_COUNT + STATS.indexOf(stat)] as number;
}

/**
 * Takes the rows of one time: closes the block that is over, and drops those of before the window.
 *
 * @returns The block that rows of this time belong to.
 */
export function openBlock(
  losses: LossBlocks,
  atMs: number,
  {horizonMs, windowMs}: {horizonMs: number; windowMs: number},
): Block {
  const {blocks} = losses;
  const last = blocks.at(-1);
  if (last !== undefined) {
    const ageMs = atMs - last.fromMs;
    const failed = losses.failedAtMs >= last.fromMs;
    const rested = failed && atMs - losses.failedAtMs >= horizonMs;
    if (!((ageMs >= HOUR_MS && rested) || ageMs >= 24 * HOUR_MS)) return last;
    fadeBins(losses, atMs);
  }
  losses.blocks = blocks.filter(({toMs}) => toMs >= atMs - windowMs);
  if (losses.blocks.length >= BLOCKS_MAX) losses.blocks = joinPairs(losses.blocks);
  const sums = new Float64Array(OUTPUT_COUNT * STAT_COUNT);
  const block: Block = {fromMs: atMs, toMs: atMs, sums};
  losses.blocks.push(block);
  return block;
}

/**
 * Judges one forecast of one output.
 *
 * @param label 0 or 1; NaN: cannot be known.
 */
export function judgeForecast(
  losses: LossBlocks,
  block: Block,
  atMs: number,
  output: number,
  {risk, naive, label}: {risk: number; naive: number; label: number},
): void {
  if (Number.isNaN(risk)) return;
  block.toMs = Math.max(block.toMs, atMs);
  const base = output * STAT_COUNT;
  const add = (stat: number, value: number) => {
    block.sums[base + stat] = (block.sums[base + stat] as number) + value;
  };
  if (Number.isNaN(label)) {
    add(2, 1);
    return;
  }
  if (label === 1) losses.failedAtMs = atMs;
  add(0, 1);
  add(1, label);
  add(3, (risk - label) ** 2);
  add(4, (naive - label) ** 2);
  add(5, logLoss(risk, label));
  add(6, logLoss(naive, label));
  add(7, risk);
  add(8, entropyOf(risk));
  const bin = (output * BIN_COUNT + binOf(risk)) * BIN_STATS;
  for (const [at, value] of [1, risk, label].entries()) {
    losses.bins[bin + at] = (losses.bins[bin + at] as number) + value;
  }
}

/** −ln of the probability that was given to what came. */
export function logLoss(risk: number, label: number): number {
  const kept = Math.min(Math.max(risk, RISK_MIN), 1 - RISK_MIN);
  return -Math.log(label === 1 ? kept : 1 - kept);
}

/** The loss that a risk expects of itself. */
export function entropyOf(risk: number): number {
  return risk * logLoss(risk, 1) + (1 - risk) * logLoss(risk, 0);
}

export type CalibrationBin = {
  /** The lowest risk of the bin. */
  readonly from: number;
  /** Fading, so no whole number. */
  readonly rows: number;
  readonly meanRisk: number;
  readonly failedRatio: number;
};

/**
 * Of an output: how often hosts failed at which risk, and the expected calibration error, which is
 * the mean distance of the two, weighted by rows; NaN without rows.
 */
export function calibrationOf(
  {bins}: LossBlocks,
  output: number,
): {ece: number; bins: CalibrationBin[]} {
  const found: CalibrationBin[] = [];
  let all = 0;
  let apart = 0;
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    const at = (output * BIN_COUNT + bin) * BIN_STATS;
    const rows = bins[at] as number;
    if (rows === 0) continue;
    const meanRisk = (bins[at + 1] as number) / rows;
    const failedRatio = (bins[at + 2] as number) / rows;
    found.push({from: BIN_EDGES[bin - 1] ?? 0, rows, meanRisk, failedRatio});
    all += rows;
    apart += rows * Math.abs(meanRisk - failedRatio);
  }
  return {ece: apart / all, bins: found};
}

function binOf(risk: number): number {
  let bin = 0;
  while (bin < BIN_EDGES.length && risk >= (BIN_EDGES[bin] as number)) bin++;
  return bin;
}

function fadeBins(losses: LossBlocks, atMs: number): void {
  const passedMs = Number.isNaN(losses.binsAtMs) ? 0 : Math.max(0, atMs - losses.binsAtMs);
  const keep = 2 ** (-passedMs / BIN_HALF_LIFE_MS);
  losses.binsAtMs = atMs;
  for (let at = 0; at < losses.bins.length; at++) {
    losses.bins[at] = (losses.bins[at] as number) * keep;
  }
}

function joinPairs(blocks: readonly Block[]): Block[] {
  const joined: Block[] = [];
  for (let at = 0; at < blocks.length; at += 2) {
    const [first, second] = blocks.slice(at, at + 2) as [Block, Block?];
    if (second !== undefined) {
      first.toMs = second.toMs;
      for (let i = 0; i < first.sums.length; i++) {
        first.sums[i] = (first.sums[i] as number) + (second.sums[i] as number);
      }
    }
    joined.push(first);
  }
  return joined;
}
