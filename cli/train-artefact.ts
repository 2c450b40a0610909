import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {DriftSnapshot} from '../core/domain/drift/snapshot.ts';
import {type Provenance, writeArtefact} from '../models/artefact.ts';
import {renderCard} from '../models/card.ts';
import {writeDriftFile} from '../models/drift-file.ts';
import {type FailureData, pickRows, spreadRows} from '../models/failure/data.ts';
import type {Manifest} from '../models/manifest.ts';
import type {TreeModel} from '../models/trees/tree-model.ts';
import type {ModelMetadata} from '../models/trees/tree-onnx.ts';
import {publish} from './publish.ts';

const GOLDEN_ROWS = 16;

export type FailureArtefact = {
  readonly model: TreeModel;
  readonly metadata: ModelMetadata;
  readonly provenance: Provenance;
  readonly snapshot: DriftSnapshot;
  /** Some of its rows are those that a runtime is verified with. */
  readonly shown: FailureData;
};

/** Writes a model of component failure to `out`, with all that lies beside it, and its card. */
export function publishFailureModel(
  out: string,
  {model, metadata, provenance, snapshot, shown}: FailureArtefact,
): Promise<Manifest> {
  const golden = pickRows(shown, spreadRows(shown.rows, GOLDEN_ROWS)).features;
  return publish(out, '--out', async folder => {
    const written = await writeArtefact(folder, model, metadata, provenance, golden);
    await writeDriftFile(folder, written.sha256, snapshot);
    await writeFile(join(folder, 'README.md'), renderCard(written, snapshot));
    return written;
  });
}
