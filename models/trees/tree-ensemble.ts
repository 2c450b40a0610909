import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import type {Forest} from './forest.ts';
import type {Link, TreeModel} from './tree-model.ts';
import {LINK_OPERATORS} from './tree-onnx.ts';

/**
 * Reads a file that {@link import('./tree-onnx.ts').encodeOnnx} wrote back into plain forests.
 *
 * @returns Undefined when the graph is anything else: such a model can be run, but not walked.
 */
export function readTreeModel(model: ModelProto, featureCount: number): TreeModel | undefined {
  const graph = model.graph;
  if (graph === undefined) return undefined;
  const kinds = graph.node.map(node => node.opType);
  const components = kinds.length - 4;
  const expected = [
    ...Array.from({length: Math.max(components, 1)}, () => 'TreeEnsembleRegressor'),
    ...['Concat', 'Mul', 'Add'],
  ];
  const last = kinds.pop();
  const link = (Object.keys(LINK_OPERATORS) as Link[]).find(
    name => LINK_OPERATORS[name][0] === last,
  );
  if (kinds.join() !== expected.join() || link === undefined) return undefined;
  const slopes = readTensor(graph, 'slopes', components);
  const offsets = readTensor(graph, 'offsets', components);
  if (slopes === undefined || offsets === undefined) return undefined;
  const forests: Forest[] = [];
  for (const node of graph.node.slice(0, components)) {
    const forest = readForest(node);
    if (forest === undefined || !isSound(forest, featureCount)) return undefined;
    forests.push(forest);
  }
  const trees = {featureCount, forests, slopes, offsets};
  return link === 'logistic' ? trees : {...trees, link};
}

function readForest(node: NodeProto): Forest | undefined {
  const attributes = new Map(node.attribute.map(attribute => [attribute.name, attribute]));
  const ints = (name: string) => (attributes.get(name) as AttributeProto).ints.map(Number);
  const floats = (name: string) => (attributes.get(name) as AttributeProto).floats;
  if (REQUIRED.some(name => !attributes.has(name))) return undefined;
  const trees = ints('nodes_treeids');
  const roots = trees.flatMap((tree, at) => (at === 0 || trees[at - 1] !== tree ? [at] : []));
  const rootOf = (tree: number) => roots[tree] as number;
  const modes = (attributes.get('nodes_modes') as AttributeProto).strings.map(bytes =>
    new TextDecoder().decode(bytes),
  );
  const isLeaf = modes.map(mode => mode === 'LEAF');
  if (!modes.every(mode => mode === 'LEAF' || mode === 'BRANCH_LEQ')) return undefined;
  const absolute = (ids: number[]) =>
    Int32Array.from(ids, (id, at) => (isLeaf[at] ? -1 : rootOf(trees[at] as number) + id));
  const columns = ints('nodes_featureids');
  const value = new Float32Array(trees.length);
  const leafNodes = ints('target_nodeids');
  const weights = floats('target_weights');
  for (const [index, tree] of ints('target_treeids').entries()) {
    const leaf = rootOf(tree) + (leafNodes[index] as number);
    if (isLeaf[leaf] !== true) return undefined;
    value[leaf] = weights[index] as number;
  }
  return {
    base: floats('base_values')[0] ?? 0,
    roots: Int32Array.from(roots),
    feature: Int32Array.from(columns, (column, at) => (isLeaf[at] ? -1 : column)),
    threshold: Float32Array.from(floats('nodes_values')),
    missingLeft: Uint8Array.from(ints('nodes_missing_value_tracks_true')),
    left: absolute(ints('nodes_truenodeids')),
    right: absolute(ints('nodes_falsenodeids')),
    value,
    cover: Float32Array.from(floats('nodes_hitrates')),
  };
}

/** Every column equally long, and every way down: a circle would be walked for ever. */
function isSound(forest: Forest, featureCount: number): boolean {
  const {feature, left, right, roots, value, threshold, missingLeft, cover} = forest;
  const nodes = feature.length;
  const columns = [left, right, value, threshold, missingLeft, cover];
  return (
    columns.every(({length}) => length === nodes) &&
    roots.every(root => root < nodes) &&
    feature.every((column, at) => {
      if (column < 0) return true;
      const children = [left[at] as number, right[at] as number];
      return column < featureCount && children.every(child => child > at && child < nodes);
    })
  );
}

const REQUIRED = [
  'nodes_treeids',
  'nodes_featureids',
  'nodes_modes',
  'nodes_values',
  'nodes_truenodeids',
  'nodes_falsenodeids',
  'nodes_missing_value_tracks_true',
  'nodes_hitrates',
  'target_treeids',
  'target_nodeids',
  'target_weights',
  'base_values',
] as const;

function readTensor(graph: GraphProto, name: string, length: number): Float32Array | undefined {
  const raw = graph.initializer.find(tensor => tensor.name === name)?.rawData;
  if (raw?.byteLength !== 4 * length) return undefined;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Float32Array.from({length}, (_, index) => view.getFloat32(4 * index, true));
}
