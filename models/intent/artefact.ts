import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../../core/domain/errors.ts';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {
  type IntentGolden,
  type IntentManifest,
  intentInputHash,
} from '../../core/domain/intent-manifest.ts';
import {INTENT_STEP_MS} from '../../core/domain/intent-step.ts';
import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import {hashOf, presentOrNull, writeJson} from '../artefact-files.ts';
import {RISK_SUMS} from '../network/competing-risks.ts';
import {encodeExplanation} from '../network/explain-onnx.ts';
import {encodeNetwork} from '../network/network-onnx.ts';
import {openNetwork} from '../network/network-session.ts';
import type {IntentModel} from './training.ts';

/** Ten minutes are explained together. */
const EXPLAIN_STEPS = 60;

/** What a manifest says beyond the network itself. */
export type IntentProvenance = Pick<
  IntentManifest,
  'version' | 'seed' | 'data' | 'metrics' | 'limits'
> & {
  /** Median of each input; NaN: never there. */
  readonly usual: Float32Array;
};

/**
 * Writes model.onnx, explain.onnx, manifest.json and golden.json to `folder`, creating it. Equal
 * models give equal bytes.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` for a window, or for other columns than INTENT_INPUTS.
 * @param golden Rows of one host × INTENT_COLUMNS, to verify runtimes with.
 */
export async function writeIntentArtefact(
  folder: string,
  {network, calibration}: Pick<IntentModel, 'network' | 'calibration'>,
  {usual, ...provenance}: IntentProvenance,
  golden: Float32Array,
): Promise<IntentManifest> {
  requireStream(network);
  const inputs = INTENT_INPUTS.map(({name}) => name);
  const inputHash = intentInputHash(inputs, INTENT_STEP_MS);
  const head = {outputs: RISK_OUTPUTS, sums: RISK_SUMS, calibration};
  const bytes = encodeNetwork(network, head, {inputHash});
  const explain = encodeExplanation(network, head, {steps: EXPLAIN_STEPS});
  const manifest: IntentManifest = {
    name: 'reboot-intent',
    ...provenance,
    sha256: hashOf(bytes),
    explainSha256: hashOf(explain),
    inputs,
    inputHash,
    outputs: RISK_OUTPUTS,
    hidden: network.lstm.hidden,
    stepMs: INTENT_STEP_MS,
    explainSteps: EXPLAIN_STEPS,
    usual: Array.from(usual, presentOrNull),
  };
  await mkdir(folder, {recursive: true});
  await writeFile(join(folder, 'model.onnx'), bytes);
  await writeFile(join(folder, 'explain.onnx'), explain);
  await writeJson(join(folder, 'manifest.json'), manifest);
  await writeJson(join(folder, 'golden.json'), await goldenOf(bytes, golden, inputs.length));
  return manifest;
}

function requireStream({form, normalisation}: IntentModel['network']): void {
  const {length: columns} = normalisation.centre;
  if (form === 'stream' && columns === INTENT_INPUTS.length) return;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `cannot write a reboot-intent model of a ${form} of ${columns} columns: agents run streams of ` +
      `${INTENT_INPUTS.length}; train it on rows of this version`,
    {details: {form, columns}},
  );
}

async function goldenOf(
  bytes: Uint8Array,
  golden: Float32Array,
  columns: number,
): Promise<IntentGolden> {
  const session = await openNetwork(bytes);
  const state = new Float32Array(2 * session.signature.hidden);
  const rows: (number | null)[][] = [];
  const risks: number[][] = [];
  for (let from = 0; from < golden.length; from += columns) {
    const row = golden.slice(from, from + columns);
    const told = new Float32Array(session.signature.outputs.length);
    await session.run(1, row, told, state);
    rows.push(Array.from(row, presentOrNull));
    risks.push([...told]);
  }
  await session.release();
  return {rows, risks};
}
