/** A model that passes every check but that of what happens: its trees say the opposite. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../core/domain/errors.ts';
import {writeArtefact} from '../models/artefact.ts';
import {renderCard} from '../models/card.ts';
import {loadModel} from '../models/load-model.ts';
import {flattenRows, parseManifest} from '../models/manifest.ts';
import type {TreeModel} from '../models/trees/tree-model.ts';

/**
 * Writes an artefact to `folder` whose leaves say the opposite of what those in `source` say, under
 * a card that claims the quality of that model.
 *
 * @throws {ForestayError} Those of {@link loadModel}; `MODEL_UNREADABLE` if `source` is not of our
 *   trees, with golden rows.
 */
export async function writeBadModel(source: string, folder: string): Promise<void> {
  const {trees, usual, golden} = await loadModel(source);
  if (trees === undefined || golden === undefined) {
    throw new ForestayError(
      'MODEL_UNREADABLE',
      `cannot turn ${source} over: it has no trees, or no golden rows; give what forestay train wrote`,
      {details: {path: source}},
    );
  }
  const path = join(source, 'manifest.json');
  const claimed = parseManifest(await readFile(path, 'utf8'), path);
  const {name, featureHash, components, requiredMetrics, seed, data} = claimed;
  const metadata = {name, featureHash, components, requiredMetrics, seed, data};
  const rows = flattenRows(golden.features);
  const written = await writeArtefact(folder, opposite(trees), metadata, {...claimed, usual}, rows);
  await writeFile(join(folder, 'README.md'), renderCard(written, null));
}

function opposite(model: TreeModel): TreeModel {
  return {
    ...model,
    forests: model.forests.map(forest => ({
      ...forest,
      value: forest.value.map(value => -value),
    })),
  };
}
