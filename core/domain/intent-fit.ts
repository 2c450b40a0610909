/**
 * Whether what lies beside a reboot-intent model is what agents rely on: agents ask before they run
 * it, a registry before it takes it.
 */
import {INTENT_INPUTS} from './host-metrics.ts';
import {type IntentGolden, type IntentManifest, intentInputHash} from './intent-manifest.ts';
import {INTENT_STEP_MS} from './intent-step.ts';
import {RISK_OUTPUTS} from './reboot-risks.ts';

/** A golden risk may differ by this much from one machine to another. */
export const INTENT_GOLDEN_TOLERANCE = 1e-5;
/** Of a state, and of steps that are explained; a number above is a slip. */
const SIZE_MAX = 4096;

/** Checks only what this program relies on: the rest is for people. */
export function isIntentManifest(content: Partial<IntentManifest>): boolean {
  const {sha256, explainSha256, inputs, inputHash, outputs, hidden, explainSteps, usual} = content;
  return (
    typeof sha256 === 'string' &&
    typeof explainSha256 === 'string' &&
    typeof inputHash === 'number' &&
    [hidden, explainSteps].every(isSize) &&
    [inputs, outputs].every(isTexts) &&
    isNumbers(usual) &&
    usual?.length === inputs?.length
  );
}

/** At least one row, with its risks. */
export function isIntentGolden({rows, risks}: Partial<IntentGolden>): boolean {
  const sound = Array.isArray(rows) && Array.isArray(risks) && rows.length === risks.length;
  return (
    sound &&
    rows.length > 0 &&
    rows.every(row => isNumbers(row) && row.length === INTENT_INPUTS.length) &&
    risks.every(row => isNumbers(row) && row.length === RISK_OUTPUTS.length)
  );
}

/** Why rows and risks of this program are not those of the model; empty: they are. */
export function intentMisfit({inputs, inputHash, outputs}: IntentManifest): string {
  const names = INTENT_INPUTS.map(({name}) => name);
  const own = intentInputHash(names, INTENT_STEP_MS);
  if (inputHash !== own) {
    const other = inputs.find((name, at) => name !== names[at]) ?? names[inputs.length];
    return (
      `it reads rows of hash ${inputHash}, this version makes rows of hash ${own} ` +
      `(first that differs: ${other ?? 'the time between two rows'})`
    );
  }
  if (outputs.join() === RISK_OUTPUTS.join()) return '';
  return `it tells ${outputs.join(', ')}; known are ${RISK_OUTPUTS.join(', ')}`;
}

function isSize(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= SIZE_MAX;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => item === null || typeof item === 'number');
}
