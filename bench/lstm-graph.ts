import type {Random} from '../core/ports.ts';
import {initialParameters} from '../models/network/lstm.ts';
import {encodeNetwork} from '../models/network/network-onnx.ts';
import {plainNormalisation} from '../models/network/normalisation.ts';

export type DrawnLstm = {
  /** A row is a window of steps × columns values. */
  steps: number;
  columns: number;
  hidden: number;
  components: readonly string[];
  featureHash: number;
};

/**
 * A window network with drawn weights as an ONNX file that the scorer loads. It predicts nothing;
 * it costs what a trained one costs.
 */
export function encodeLstm(shape: DrawnLstm, random: Random): Uint8Array {
  const {steps, columns, hidden, components, featureHash} = shape;
  const lstm = {inputs: columns, hidden, outputs: components.length};
  return encodeNetwork(
    {
      form: 'window',
      task: {kind: 'classes', classes: components.length},
      steps,
      lstm,
      normalisation: plainNormalisation(columns),
      theta: initialParameters(lstm, () => random.next()),
    },
    {outputs: components},
    {name: `lstm-${steps}x${columns}-${hidden}`, featureHash, components},
  );
}
