/** What lies beside a reboot-intent model: training writes it, agents read it. */
import {fnv1a32} from './hash.ts';

/** Ends of the graph that explains; the model's own are named in its manifest's outputs. */
export const EXPLANATION = {
  samples: 'samples',
  picked: 'picked',
  parts: 'parts',
  risk: 'risk',
  usual: 'usual',
  residual: 'residual',
} as const;

/** Ends of the graph that predicts, one step after another. */
export const PREDICTION = {
  features: 'features',
  risks: 'risks',
  state: 'state',
  nextState: 'nextState',
} as const;

export type IntentManifest = {
  readonly name: 'reboot-intent';
  readonly version: string;
  /** Of model.onnx and of explain.onnx, hexadecimal. */
  readonly sha256: string;
  readonly explainSha256: string;
  /** Metrics in the order of a row, and {@link intentInputHash} of them. */
  readonly inputs: readonly string[];
  readonly inputHash: number;
  /** Columns of a row of risks. */
  readonly outputs: readonly string[];
  readonly hidden: number;
  /** Between two rows. */
  readonly stepMs: number;
  /** Rows that are explained together. */
  readonly explainSteps: number;
  /** Median of each input in training; null: never there. */
  readonly usual: readonly (number | null)[];
  readonly seed: number;
  /** What it was trained on. */
  readonly data: string;
  readonly metrics: readonly unknown[];
  readonly limits: readonly string[];
};

/** Rows of one host one after another from its first, and the risks after each; null: missing. */
export type IntentGolden = {
  readonly rows: readonly (readonly (number | null)[])[];
  readonly risks: readonly (readonly number[])[];
};

/** Two programs with equal hashes make the same rows of the same samples. */
export function intentInputHash(inputs: readonly string[], stepMs: number): number {
  return fnv1a32([`intent every ${stepMs} ms`, ...inputs].join('\n'));
}
