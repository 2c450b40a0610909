import type {ModelSignature} from '../ports.ts';
import {outputsOf} from './set-table.ts';

/** What an agent says of a reboot, as far as it counts: 0 below the threshold of the policy. */
export function countedReboot(probability: number, threshold: number): number {
  return probability < threshold ? 0 : probability;
}

/**
 * A model's risks beside what the agents say of reboots, if this model's outputs have a place for
 * it: rows × outputs.
 *
 * @param risks rows × components.
 * @param reboots One a row, as of the sample that was scored; NaN: nothing is said.
 */
export function withReboots(
  model: ModelSignature,
  risks: Float32Array,
  reboots: Float32Array,
): Float32Array {
  const width = model.components.length;
  const outputs = outputsOf(model).length;
  if (outputs === width) return risks;
  const wider = new Float32Array(reboots.length * outputs);
  for (let row = 0; row < reboots.length; row++) {
    wider.set(risks.subarray(row * width, (row + 1) * width), row * outputs);
    wider[row * outputs + width] = reboots[row] as number;
  }
  return wider;
}
