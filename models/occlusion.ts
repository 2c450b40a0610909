import type {ScoringSession} from './session.ts';

/** Keeps the log-odds of a risk of 0 or 1 finite. */
const RISK_MIN = 1e-6;

/**
 * Contributions for a model whose inside is not known: how far each feature alone moves the
 * log-odds when it takes its usual value instead of the row's. Unlike Shapley values they need not
 * sum to anything.
 *
 * Cost: one run of featureCount + 1 rows for each row.
 *
 * @returns Rows × components × features.
 */
export async function explainByOcclusion(
  session: ScoringSession,
  rows: number,
  features: Float32Array,
): Promise<Float32Array> {
  const {signature, usual} = session.model;
  const width = signature.featureCount;
  const components = signature.components.length;
  const contributions = new Float32Array(rows * components * width);
  const variants = new Float32Array((width + 1) * width);
  const risks = new Float32Array((width + 1) * components);
  for (let row = 0; row < rows; row++) {
    const values = features.subarray(row * width, (row + 1) * width);
    for (let variant = 0; variant <= width; variant++) {
      variants.set(values, variant * width);
      if (variant < width) variants[variant * width + variant] = usual[variant] as number;
    }
    await session.run(width + 1, variants, risks);
    for (let component = 0; component < components; component++) {
      const whole = logOdds(risks[width * components + component] as number);
      const at = (row * components + component) * width;
      for (let feature = 0; feature < width; feature++) {
        const without = logOdds(risks[feature * components + component] as number);
        contributions[at + feature] = whole - without;
      }
    }
  }
  return contributions;
}

function logOdds(risk: number): number {
  const bounded = Math.min(Math.max(risk, RISK_MIN), 1 - RISK_MIN);
  return Math.log(bounded / (1 - bounded));
}
