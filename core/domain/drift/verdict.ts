/**
 * What is to be done about drift: inputs that drift warn, since a model may be right about them all
 * the same; losses that rise retrain it. After a retraining there is none for a while, so that one
 * change does not start a storm of them.
 */
import type {FeatureDrift} from './input-drift.ts';
import type {ValueRange} from './snapshot.ts';
import {STABILITY_ACT, STABILITY_WARN} from './stability.ts';
import {tellNumber, tellRange} from './told.ts';

/** A loss that is not what it was. */
export type LossDrift = {
  readonly detector: 'adwin' | 'page-hinkley';
  /** Mean loss of outcomes before and after, and how many came after. */
  readonly before: number;
  readonly after: number;
  readonly outcomes: number;
};

export type DriftInput = {
  readonly nowMs: number;
  readonly inputs: readonly FeatureDrift[];
  readonly losses: readonly LossDrift[];
  /** When the model was last trained again; −∞: never. */
  readonly retrainedAtMs: number;
  readonly coolDownMs: number;
};

export type DriftVerdict = {
  /** `wait`: it would be `retrain` but for the cool-down. */
  readonly action: 'none' | 'warn' | 'wait' | 'retrain';
  /** When a cool-down ends; undefined unless the action is `wait`. */
  readonly untilMs: number | undefined;
  /** Whole sentences, what matters most first; empty if nothing has drifted. */
  readonly reasons: readonly string[];
};

/** More are counted, not told. */
const FEATURES_TOLD_MAX = 5;

export function driftVerdict(input: DriftInput): DriftVerdict {
  const {nowMs, inputs, losses, retrainedAtMs, coolDownMs} = input;
  const risen = losses.filter(({before, after}) => after > before);
  const reasons = [...risen.map(tellLoss), ...tellInputs(inputs)];
  if (risen.length === 0) {
    return {action: inputs.length === 0 ? 'none' : 'warn', untilMs: undefined, reasons};
  }
  const untilMs = retrainedAtMs + coolDownMs;
  // A clock that jumped back does not make the cool-down longer than it is.
  const isCooling = nowMs < untilMs && untilMs - nowMs <= coolDownMs;
  if (!isCooling) return {action: 'retrain', untilMs: undefined, reasons};
  const minutes = Math.ceil((untilMs - nowMs) / 60_000);
  const wait =
    `The model was trained ${tellNumber((nowMs - retrainedAtMs) / 60_000)} minutes ago: ` +
    `the next training may begin in ${minutes} minutes.`;
  return {action: 'wait', untilMs, reasons: [...reasons, wait]};
}

function tellLoss({detector, before, after, outcomes}: LossDrift): string {
  const who = detector === 'adwin' ? 'ADWIN' : 'Page-Hinkley';
  return (
    `The loss rose from ${tellNumber(before)} to ${tellNumber(after)} ` +
    `over the last ${outcomes} outcomes (${who}).`
  );
}

function tellInputs(inputs: readonly FeatureDrift[]): string[] {
  const told = inputs.slice(0, FEATURES_TOLD_MAX).map(tellFeature);
  const more = inputs.length - told.length;
  return more > 0 ? [...told, `${more} more features have drifted.`] : told;
}

/**
 * One sentence, such as: `temperature_celsius.level is 62.1 to 91 celsius, usually 41 to 68.2
 * (stability index 1.9, act at 0.25, chance explains 0.4).`
 */
export function tellFeature(drift: FeatureDrift): string {
  const {name, index, severity, missingUsual, missingNow} = drift;
  const limit = severity === 'act' ? `act at ${STABILITY_ACT}` : `warn at ${STABILITY_WARN}`;
  const missing =
    Math.abs(missingNow - missingUsual) < MISSING_TOLD
      ? ''
      : `; missing in ${tellNumber(100 * missingNow)} % of the rows, usually in ${tellNumber(100 * missingUsual)} %`;
  return (
    `${name} ${tellValues(drift)}${missing} (stability index ${tellNumber(index)}, ${limit}, ` +
    `chance explains ${tellNumber(drift.chance)}).`
  );
}

function tellValues({unit, usual, now}: FeatureDrift): string {
  const behind = unit === '' ? '' : ` ${unit}`;
  if (now === null && usual === null) return 'has no values';
  if (now === null) return `has no values, usually ${tellRange(usual as ValueRange)}${behind}`;
  const values = `is ${tellRange(now)}${behind}`;
  return usual === null
    ? `${values}, usually it has no values`
    : `${values}, usually ${tellRange(usual)}`;
}

/** A change of the share of missing values is told from here on. */
const MISSING_TOLD = 0.05;
