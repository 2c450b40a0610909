import {
  type Attribute,
  encodeGraph,
  floats,
  floatTensor,
  int,
  ints,
  matrixInfo,
  type Node,
  text,
  texts,
} from '../onnx-graph.ts';
import type {Forest} from './forest.ts';
import type {Link, TreeModel} from './tree-model.ts';

/** Names of the graph's ends: rows × features in, rows × components out. */
export const INPUT = 'features';
export const OUTPUT = 'risks';

/** What the file says of itself; the keys are ONNX metadata properties. */
export type ModelMetadata = {
  readonly name: string;
  readonly featureHash: number;
  readonly components: readonly string[];
  readonly requiredMetrics: readonly string[];
  readonly seed: number;
  /** What the model was trained on, in a sentence. */
  readonly data: string;
};

/**
 * The model as an ONNX file (IR 8, ai.onnx 17, ai.onnx.ml 3): one TreeEnsembleRegressor a
 * component, side by side, then slope, offset and link. Equal models give equal bytes.
 *
 * Node covers travel as `nodes_hitrates`, the operator's own place for them; the runtime ignores
 * them, the explanation needs them.
 */
export function encodeOnnx(model: TreeModel, metadata: ModelMetadata): Uint8Array {
  const components = model.forests.length;
  const margins = model.forests.map((_, index) => `margin_${metadata.components[index]}`);
  const nodes: Node[] = [
    ...model.forests.map((forest, index) => ensembleNode(forest, margins[index] as string)),
    {
      opType: 'Concat',
      input: margins,
      output: ['margins'],
      attribute: [int('axis', 1)],
    },
    {opType: 'Mul', input: ['margins', 'slopes'], output: ['scaled']},
    {opType: 'Add', input: ['scaled', 'offsets'], output: ['calibrated']},
    linkNode(model.link ?? 'logistic'),
  ];
  return encodeGraph({
    name: metadata.name,
    nodes,
    constants: [
      floatTensor('slopes', model.slopes),
      floatTensor('offsets', model.offsets),
      ...(model.link === 'probability'
        ? [floatTensor('zero', [0], []), floatTensor('one', [1], [])]
        : []),
    ],
    inputs: [matrixInfo(INPUT, model.featureCount)],
    outputs: [matrixInfo(OUTPUT, components)],
    metadata,
    trees: true,
  });
}

/** The operator of each link, and what it takes beside the calibrated margins. */
export const LINK_OPERATORS: Readonly<Record<Link, readonly [name: string, ...rest: string[]]>> = {
  logistic: ['Sigmoid'],
  probability: ['Clip', 'zero', 'one'],
  exponential: ['Exp'],
};

function linkNode(link: Link): Node {
  const [opType, ...rest] = LINK_OPERATORS[link];
  return {opType, input: ['calibrated', ...rest], output: [OUTPUT]};
}

function ensembleNode(forest: Forest, output: string): Node {
  const trees = treeOfNodes(forest);
  const firsts = forest.roots;
  const within = (node: number, index: number) =>
    node < 0 ? 0 : node - (firsts[trees[index] as number] as number);
  const ids = [...trees].map((tree, node) => node - (firsts[tree] as number));
  const leaves = [...forest.feature.keys()].filter(node => forest.feature[node] === -1);
  const attribute: Attribute[] = [
    ints('nodes_treeids', trees),
    ints('nodes_nodeids', ids),
    ints(
      'nodes_featureids',
      Array.from(forest.feature, column => Math.max(column, 0)),
    ),
    texts(
      'nodes_modes',
      Array.from(forest.feature, column => (column < 0 ? 'LEAF' : 'BRANCH_LEQ')),
    ),
    floats('nodes_values', forest.threshold),
    ints('nodes_truenodeids', Array.from(forest.left, within)),
    ints('nodes_falsenodeids', Array.from(forest.right, within)),
    ints('nodes_missing_value_tracks_true', forest.missingLeft),
    floats('nodes_hitrates', forest.cover),
    ints(
      'target_treeids',
      leaves.map(node => trees[node] as number),
    ),
    ints(
      'target_nodeids',
      leaves.map(node => ids[node] as number),
    ),
    ints(
      'target_ids',
      leaves.map(() => 0),
    ),
    floats(
      'target_weights',
      leaves.map(node => forest.value[node] as number),
    ),
    floats('base_values', [forest.base]),
    int('n_targets', 1),
    text('post_transform', 'NONE'),
  ];
  return {
    opType: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    name: output,
    input: [INPUT],
    output: [output],
    attribute,
  };
}

/** The tree that each node belongs to. */
function treeOfNodes(forest: Forest): Int32Array {
  const trees = new Int32Array(forest.feature.length);
  for (let tree = 0; tree < forest.roots.length; tree++) {
    trees.fill(tree, forest.roots[tree], forest.roots[tree + 1]);
  }
  return trees;
}
