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

/** Makes the error of who reads: agents and registries say what is to be done otherwise. */
export type RefuseIntent = (reason: string, cause?: unknown) => Error;

/** Content of manifest.json; throws what `refuse` makes. Checks only what this program relies on. */
export function parseIntentManifest(text: string, refuse: RefuseIntent): IntentManifest {
  return parse<IntentManifest>('manifest.json', text, isIntentManifest, refuse);
}

/** Content of golden.json, at least one row with its risks; throws what `refuse` makes. */
export function parseIntentGolden(text: string, refuse: RefuseIntent): IntentGolden {
  return parse<IntentGolden>('golden.json', text, isIntentGolden, refuse);
}

function parse<Content>(
  name: string,
  text: string,
  isSound: (content: Partial<Content>) => boolean,
  refuse: RefuseIntent,
): Content {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw refuse(`${name} is not JSON`, cause);
  }
  if (typeof content === 'object' && content !== null && isSound(content)) {
    return content as Content;
  }
  throw refuse(`${name} lacks what an agent relies on`);
}

function isIntentManifest(content: Partial<IntentManifest>): boolean {
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

function isIntentGolden({rows, risks}: Partial<IntentGolden>): boolean {
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
