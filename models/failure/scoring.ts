import {ForestayError} from '../../core/domain/errors.ts';
import {featuresOf} from '../../core/domain/features.ts';
import {raiseToShorter} from '../../core/domain/horizons.ts';
import {loadModel} from '../load-model.ts';
import {scoreTrees, type TreeModel} from '../trees/tree-model.ts';
import {type FailureData, featureCountOf} from './data.ts';

/**
 * Risks as they are served, rows × outputs: of one part, a longer horizon's is never below a
 * shorter one's.
 */
export function scoreOutputs(
  model: TreeModel,
  {rows, features, outputs}: FailureData,
): Float32Array {
  return raiseHorizons(scoreTrees(model, rows, features), outputs);
}

/** In place: of one part, a longer horizon's risk is never below a shorter one's. */
export function raiseHorizons(risks: Float32Array, outputs: FailureData['outputs']): Float32Array {
  const parts = [...new Set(outputs.map(({component}) => component))].map(part => ({
    from: outputs.findIndex(({component}) => component === part),
    count: outputs.filter(({component}) => component === part).length,
  }));
  for (let at = 0; at < risks.length; at += outputs.length) {
    for (const {from, count} of parts) raiseToShorter(risks, at + from, count);
  }
  return risks;
}

/**
 * What another model says of the same rows. Features are found by name: what the data lack is
 * missing to it. Outputs are as well; one that it does not have is taken from the same component,
 * of whatever horizon that is, and 0 if it has none.
 *
 * @param folder An artefact.
 * @throws {ForestayError} Those of {@link loadModel}; `INVALID_ARGUMENT` for a model without trees.
 */
export async function scoreBaseline(
  folder: string,
  data: FailureData,
): Promise<{name: string; risks: Float32Array}> {
  const {signature, trees} = await loadModel(folder);
  if (trees === undefined) {
    throw new ForestayError(
      'INVALID_ARGUMENT',
      `cannot compare with ${folder}: it is not made of trees; give a model that forestay train wrote`,
      {details: {folder}},
    );
  }
  const {components} = signature;
  const columns = data.outputs.map(({name, component}) =>
    components.includes(name) ? components.indexOf(name) : components.indexOf(component),
  );
  const risks = scoreTrees(trees, data.rows, mapFeatures(data, featuresOf(signature.contract)));
  return {
    name: `${signature.name} ${signature.hash.slice(0, 8)}`,
    risks: Float32Array.from({length: data.rows * columns.length}, (_, at) => {
      const column = columns[at % columns.length] as number;
      if (column < 0) return 0;
      return risks[Math.floor(at / columns.length) * components.length + column] as number;
    }),
  };
}

/** Rows × wanted features, found by name; what the data lack is missing. */
export function mapFeatures(data: FailureData, wanted: readonly {name: string}[]): Float32Array {
  const names = featuresOf(data.contract).map(({name}) => name);
  const columns = wanted.map(({name}) => names.indexOf(name));
  const width = featureCountOf(data);
  const mapped = new Float32Array(data.rows * columns.length).fill(Number.NaN);
  for (let row = 0; row < data.rows; row++) {
    for (const [at, column] of columns.entries()) {
      if (column < 0) continue;
      mapped[row * columns.length + at] = data.features[row * width + column] as number;
    }
  }
  return mapped;
}
