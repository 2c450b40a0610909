import {type FeatureColumns, featureColumns} from '../domain/features.ts';
import type {MetricSet} from '../domain/metric-sets.ts';
import type {ModelSignature} from '../ports.ts';

const known = new WeakMap<ModelSignature, WeakMap<MetricSet, FeatureColumns>>();

/** Where in a set the metrics of a model's contract are; looked for once. */
export function columnsFor(model: ModelSignature, set: MetricSet): FeatureColumns {
  let ofModel = known.get(model);
  if (ofModel === undefined) {
    ofModel = new WeakMap();
    known.set(model, ofModel);
  }
  let columns = ofModel.get(set);
  if (columns === undefined) {
    columns = featureColumns(set.columns, model.contract);
    ofModel.set(set, columns);
  }
  return columns;
}
