/**
 * Writes the data of the learning comparison for another library to learn from:
 *
 *     node test/models/data/network-dump.ts FOLDER
 *
 * writes FOLDER/training.csv and FOLDER/test.csv: a line a sample with its sequence, its class (−1:
 * not to be learned from) and its normalised inputs.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {inputsOf, normaliseRows} from '../../../models/network/normalisation.ts';
import {learningNormalisation, learningSequences} from '../network-fixtures.ts';

const folder = process.argv[2] ?? '.';
for (const part of ['training', 'test'] as const) {
  const data = learningSequences(part);
  const width = inputsOf(learningNormalisation);
  const inputs = normaliseRows(data.features, learningNormalisation);
  const lines: string[] = [];
  for (const [sequence, start] of data.starts.entries()) {
    const end = data.starts[sequence + 1] ?? start;
    for (let row = start; row < end; row++) {
      const {targetColumns, targets, weights} = data;
      const index = targets.subarray(row * targetColumns, (row + 1) * targetColumns).indexOf(1);
      const values = inputs.subarray(row * width, (row + 1) * width);
      lines.push([sequence, weights[row] === 0 ? -1 : index, ...values].join(','));
    }
  }
  writeFileSync(join(folder, `${part}.csv`), `${lines.join('\n')}\n`);
}
