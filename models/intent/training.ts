import {RISK_CLASSES} from '../network/competing-risks.ts';
import {predictSequences} from '../network/evaluation.ts';
import type {Network} from '../network/network.ts';
import {type Calibration, fitCalibration} from '../network/temperature.ts';
import {
  type EpochReport,
  NETWORK_DEFAULTS,
  type NetworkCheckpoint,
  type NetworkOptions,
  trainNetwork,
} from '../network/train.ts';
import {type IntentSlices, toSequences} from './data.ts';

/**
 * A stream: the state is carried, one step a sample. It is at least as accurate as a window of the
 * last ten minutes, and costs a 27th of it in a batch (`forestay bench train-network`).
 */
export const INTENT_DEFAULTS: Omit<NetworkOptions, 'seed'> = {
  ...NETWORK_DEFAULTS,
  form: 'stream',
  task: {kind: 'classes', classes: RISK_CLASSES},
  hidden: 32,
  learningRate: 1.5e-3,
};

export type IntentModel = {
  readonly network: Network;
  readonly calibration: Calibration;
  readonly epochs: readonly EpochReport[];
};

/**
 * Trains the network and calibrates it on fleets that it has not seen. Equal slices, options and
 * seed give equal models on one machine.
 *
 * @throws {ForestayError} Those of {@link trainNetwork}.
 */
export async function trainIntent(
  {training, validation, calibration}: IntentSlices,
  options: NetworkOptions,
  onProgress: (checkpoint: NetworkCheckpoint) => void | Promise<void>,
  from?: NetworkCheckpoint,
): Promise<IntentModel> {
  const data = {training: toSequences(training), validation: toSequences(validation)};
  const network = await trainNetwork(data, options, onProgress, from);
  const later = toSequences(calibration);
  const logits = await predictSequences(network, later);
  return {
    network,
    calibration: fitCalibration('vector', RISK_CLASSES, logits, later.targets, later.weights),
    epochs: network.epochs,
  };
}
