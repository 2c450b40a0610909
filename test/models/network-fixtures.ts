import {drawSequences} from '../../bench/support/network-sequences.ts';
import {fitNormalisation} from '../../models/network/normalisation.ts';
import type {Sequences} from '../../models/network/sequences.ts';

/** Every eighth sample is learned from, so that the comparison takes seconds. */
const STRIDE = 8;

/** Data of the comparison with another library; both learn from the same samples. */
export function learningSequences(part: 'training' | 'test'): Sequences {
  const data = drawSequences(120, part === 'training' ? 11 : 12);
  return {...data, weights: data.weights.map((weight, row) => (row % STRIDE === 0 ? weight : 0))};
}

export const LEARNING = {steps: 30, hidden: 32, batchRows: 64, epochs: 6, learningRate: 5e-3};

const {features, columns} = learningSequences('training');
export const learningNormalisation = fitNormalisation(features, columns);
