import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import {RISK_CLASSES, RISK_SUMS} from '../network/competing-risks.ts';
import {predictSequences} from '../network/evaluation.ts';
import {calibratedProbabilities} from '../network/temperature.ts';
import {type Lives, toSequences} from './data.ts';
import type {IntentModel} from './training.ts';

/** What the served graph says to every row of the lives: rows × outputs. */
export async function predictLives(
  {network, calibration}: IntentModel,
  lives: Lives,
): Promise<Float32Array> {
  const logits = await predictSequences(network, toSequences(lives));
  const classes = calibratedProbabilities(logits, calibration);
  const width = RISK_OUTPUTS.length;
  const risks = new Float32Array(lives.rows * width);
  for (let row = 0; row < lives.rows; row++) {
    for (let index = 0; index < RISK_CLASSES; index++) {
      const probability = classes[row * RISK_CLASSES + index] as number;
      const sums = RISK_SUMS[index] as readonly number[];
      for (let output = 0; output < width; output++) {
        const at = row * width + output;
        if (sums[output] === 1) risks[at] = (risks[at] as number) + probability;
      }
    }
  }
  return risks;
}
