// Makes test/models/data/reference-trees.json anew: what LightGBM and scikit-learn reach on the rows
// that the test draws again. Needs a python3 with numpy, lightgbm and scikit-learn:
//   python3 -m venv /tmp/venv && /tmp/venv/bin/pip install lightgbm scikit-learn
//   PATH=/tmp/venv/bin:$PATH node scripts/make-tree-fixtures.mjs
import {writeFile} from 'node:fs/promises';
import {drawFailures} from '../bench/support/drawn-failures.ts';
import {askReference} from '../bench/support/reference-trees.ts';
import {DRAW, REFERENCE_MODELS} from '../test/models/data/tree-parity.ts';

const drawn = drawFailures(DRAW.seed, DRAW.trainRows + DRAW.testRows, DRAW.columns);
const {versions, models} = await askReference(drawn, DRAW.trainRows, REFERENCE_MODELS);
const found = {
  madeBy: 'scripts/make-tree-fixtures.mjs',
  versions,
  models: models.map(({auc, logLoss}, index) => ({
    kind: REFERENCE_MODELS[index].kind,
    auc,
    logLoss,
  })),
};
const file = new URL('../test/models/data/reference-trees.json', import.meta.url);
await writeFile(file, `${JSON.stringify(found, undefined, 2)}\n`);
