/**
 * A randomised trial of acting: a small share of VMs of low criticality is left where it is although
 * an act was chosen. What becomes of both groups is the only estimate of what acting does that rests
 * on no counterfactual. Off unless a share is set.
 *
 * @see G. Imbens, D. Rubin, "Causal Inference for Statistics, Social, and Biomedical Sciences", 2015,
 *   chapter 6: the difference in means and its interval.
 */
import {fnv1a32} from '../hash.ts';
import type {HoldBackPolicy} from '../policy.ts';

export type Draw = {
  readonly heldBack: boolean;
  /** How likely it was to be acted upon, below 1. */
  readonly propensity: number;
};

/**
 * Draws for one VM and one episode of risk of its host. The same ones give the same answer, so that
 * a VM is not acted upon in the next tick because it was asked again.
 *
 * @param episode Names the episode: its host and when its alert was raised.
 * @returns Undefined: it has no part in the trial, and is acted upon.
 */
export function drawHoldBack(
  {share, criticalityMax}: HoldBackPolicy,
  vm: {name: string; criticality: number},
  episode: string,
): Draw | undefined {
  if (!(share > 0 && vm.criticality <= criticalityMax)) return undefined;
  const drawn = mix(fnv1a32(`${vm.name}/${episode}`)) / 2 ** 32;
  return {heldBack: drawn < share, propensity: 1 - share};
}

/** One arm: what was drawn counts, whether or not the act then succeeded. */
export type Arm = {vms: number; minutes: number; squares: number; interrupted: number};
export type Trial = {acted: Arm; heldBack: Arm};

const LEAST_VMS = 30;
const LEAST_INTERRUPTED = 5;
/** Of a normal distribution, for 95 %. */
const Z = 1.959964;

export function createTrial(): Trial {
  const arm = (): Arm => ({vms: 0, minutes: 0, squares: 0, interrupted: 0});
  return {acted: arm(), heldBack: arm()};
}

/**
 * Takes what became of a VM that had a part in the trial.
 *
 * @param downMinutes How long it was down after the draw, the standstill of a move included.
 * @param interrupted Whether its host went down under it.
 */
export function countInTrial(
  trial: Trial,
  heldBack: boolean,
  downMinutes: number,
  interrupted: boolean,
): void {
  const arm = heldBack ? trial.heldBack : trial.acted;
  arm.vms++;
  arm.minutes += downMinutes;
  arm.squares += downMinutes ** 2;
  if (interrupted) arm.interrupted++;
}

export type TrialEstimate = {
  /** Downtime minutes a VM and episode that acting spares; NaN: too few. */
  readonly sparedMinutes: number;
  readonly low: number;
  readonly high: number;
  /** In words, numbers included. */
  readonly because: string;
};

/** Difference in means of the two arms with its 95 % interval (Welch), or that there are too few. */
export function estimateTrial({acted, heldBack}: Trial): TrialEstimate {
  const fewest = Math.min(acted.vms, heldBack.vms);
  const interrupted = acted.interrupted + heldBack.interrupted;
  if (fewest < LEAST_VMS || interrupted < LEAST_INTERRUPTED) {
    const because = `too few to say: ${acted.vms} VMs acted upon and ${heldBack.vms} held back (${LEAST_VMS} each are needed), ${interrupted} of them interrupted (${LEAST_INTERRUPTED})`;
    return {sparedMinutes: Number.NaN, low: Number.NaN, high: Number.NaN, because};
  }
  const spared = meanOf(heldBack) - meanOf(acted);
  const a = errorOf(acted);
  const b = errorOf(heldBack);
  const freedom = (a + b) ** 2 / (a ** 2 / (acted.vms - 1) + b ** 2 / (heldBack.vms - 1));
  const radius = Math.sqrt(a + b) * Z * (1 + (Z ** 2 + 1) / (4 * freedom));
  const [low, high] = [spared - radius, spared + radius];
  const range = `${low.toFixed(2)} to ${high.toFixed(2)}`;
  const sense = low > 0 ? 'acting helps' : high < 0 ? 'acting harms' : 'it may be luck';
  return {
    sparedMinutes: spared,
    low,
    high,
    because: `${heldBack.vms} VMs held back were down for ${meanOf(heldBack).toFixed(2)} min on average, ${acted.vms} acted upon for ${meanOf(acted).toFixed(2)}: ${spared.toFixed(2)} min spared (${range}), ${sense}`,
  };
}

function meanOf({minutes, vms}: Arm): number {
  return minutes / vms;
}

/** Squared standard error of the mean. */
function errorOf({minutes, squares, vms}: Arm): number {
  return Math.max(0, squares - minutes ** 2 / vms) / (vms - 1) / vms;
}

/** Finishes the hash: names that differ in their last letter differ everywhere (MurmurHash3). */
function mix(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
