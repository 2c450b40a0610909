import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {writeIntentArtefact} from '../../models/intent/artefact.ts';
import {INTENT_DEFAULTS} from '../../models/intent/training.ts';
import {RISK_CLASSES} from '../../models/network/competing-risks.ts';
import {initialParameters} from '../../models/network/lstm.ts';
import {plainNormalisation} from '../../models/network/normalisation.ts';
import {identityCalibration} from '../../models/network/temperature.ts';
import {createUniform} from '../../models/random.ts';

/** A reboot-intent model of drawn parameters: it predicts nothing, it costs what a trained one costs. */
export async function writeDrawnIntent(folder: string): Promise<void> {
  const uniform = createUniform(1);
  const twins = Array.from({length: INTENT_COLUMNS}, (_, column) => column);
  const lstm = {
    inputs: INTENT_COLUMNS + twins.length,
    hidden: INTENT_DEFAULTS.hidden,
    outputs: RISK_CLASSES,
  };
  const {form, task, steps} = INTENT_DEFAULTS;
  const normalisation = {...plainNormalisation(INTENT_COLUMNS), twins};
  const theta = initialParameters(lstm, uniform);
  const golden = Float32Array.from({length: 5 * INTENT_COLUMNS}, () => uniform());
  await writeIntentArtefact(
    folder,
    {
      network: {form, task, steps, lstm, normalisation, theta},
      calibration: identityCalibration(RISK_CLASSES),
    },
    {
      version: '0',
      seed: 1,
      data: 'drawn',
      metrics: [],
      limits: ['it predicts nothing'],
      usual: new Float32Array(INTENT_COLUMNS),
    },
    golden,
  );
}
