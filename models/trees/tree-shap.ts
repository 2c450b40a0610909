import type {Forest} from './forest.ts';
import type {TreeModel} from './tree-model.ts';

/**
 * The features that decided the way from the root to here, each with the share of permutations in
 * which it is unknown (`zeros`: the share of training rows that go this way) and known (`ones`: 1
 * if the row goes this way, else 0), and the weights of subsets by size.
 */
type Path = {
  length: number;
  readonly feature: Int32Array;
  readonly zeros: Float64Array;
  readonly ones: Float64Array;
  readonly weights: Float64Array;
};

type Walk = {
  readonly forest: Forest;
  readonly features: Float32Array;
  readonly offset: number;
  readonly scale: number;
  readonly into: Float32Array | Float64Array;
  readonly intoOffset: number;
  /** One path a level. */
  readonly paths: Path[];
};

/**
 * Exact path-dependent Shapley values of one row: what each feature adds to the margin, on top of
 * {@link expectedMargin}, times `scale`. They are added to `into[intoOffset + feature]`.
 *
 * Cost: leaves × depth² a tree.
 *
 * @see S. M. Lundberg, G. Erion, H. Chen et al., "From local explanations to global understanding
 *   with explainable AI for trees", Nature Machine Intelligence 2, 2020, algorithm 2.
 */
export function addContributions(
  forest: Forest,
  features: Float32Array,
  offset: number,
  into: Float32Array | Float64Array,
  intoOffset: number,
  scale = 1,
): void {
  const walk: Walk = {forest, features, offset, scale, into, intoOffset, paths: []};
  for (const root of forest.roots) descend(walk, 0, root, -1, 1, 1);
}

/** The margin of a row of which nothing is known: the mean over the training rows. */
export function expectedMargin(forest: Forest): number {
  const meanOf = (node: number): number => {
    if (forest.feature[node] === -1) return forest.value[node] as number;
    const left = forest.left[node] as number;
    const right = forest.right[node] as number;
    return share(forest, left, node) * meanOf(left) + share(forest, right, node) * meanOf(right);
  };
  return forest.roots.reduce((sum, root) => sum + meanOf(root), forest.base);
}

/** Contributions to the calibrated margins, before the link: rows × components × features. */
export function explainTrees(model: TreeModel, rows: number, features: Float32Array): Float32Array {
  const components = model.forests.length;
  const width = model.featureCount;
  const contributions = new Float32Array(rows * components * width);
  for (let row = 0; row < rows; row++) {
    for (const [component, forest] of model.forests.entries()) {
      const slope = model.slopes[component] as number;
      const at = (row * components + component) * width;
      addContributions(forest, features, row * width, contributions, at, slope);
    }
  }
  return contributions;
}

function descend(
  walk: Walk,
  level: number,
  node: number,
  feature: number,
  zeros: number,
  ones: number,
): void {
  const path = pathAt(walk, level);
  extend(path, feature, zeros, ones);
  const {forest} = walk;
  const column = forest.feature[node] as number;
  if (column === -1) {
    addLeafShares(walk, path, forest.value[node] as number);
    return;
  }
  const value = walk.features[walk.offset + column] as number;
  const goesLeft =
    value !== value ? forest.missingLeft[node] === 1 : value <= (forest.threshold[node] as number);
  const left = forest.left[node] as number;
  const right = forest.right[node] as number;
  const [hot, cold] = goesLeft ? [left, right] : [right, left];
  // A feature that was asked before counts once: what it said there is taken back and multiplied.
  let zerosBefore = 1;
  let onesBefore = 1;
  const seen = path.feature.indexOf(column, 1);
  if (seen > 0 && seen < path.length) {
    zerosBefore = path.zeros[seen] as number;
    onesBefore = path.ones[seen] as number;
    unwind(path, seen);
  }
  descend(walk, level + 1, hot, column, zerosBefore * share(forest, hot, node), onesBefore);
  descend(walk, level + 1, cold, column, zerosBefore * share(forest, cold, node), 0);
}

function addLeafShares(walk: Walk, path: Path, value: number): void {
  for (let index = 1; index < path.length; index++) {
    const weight = unwoundSum(path, index);
    const effect = weight * ((path.ones[index] as number) - (path.zeros[index] as number)) * value;
    const at = walk.intoOffset + (path.feature[index] as number);
    walk.into[at] = (walk.into[at] as number) + effect * walk.scale;
  }
}

/** The path of this level: a copy of the one above, in a buffer that is used again. */
function pathAt(walk: Walk, level: number): Path {
  const path = walk.paths[level] ?? createPath(level + 2);
  walk.paths[level] = path;
  const above = walk.paths[level - 1];
  path.length = above?.length ?? 0;
  if (above !== undefined) {
    path.feature.set(above.feature.subarray(0, path.length));
    path.zeros.set(above.zeros.subarray(0, path.length));
    path.ones.set(above.ones.subarray(0, path.length));
    path.weights.set(above.weights.subarray(0, path.length));
  }
  return path;
}

function createPath(capacity: number): Path {
  return {
    length: 0,
    feature: new Int32Array(capacity),
    zeros: new Float64Array(capacity),
    ones: new Float64Array(capacity),
    weights: new Float64Array(capacity),
  };
}

/** EXTEND of the paper: one more feature, all subset sizes grow by one. */
function extend(path: Path, feature: number, zeros: number, ones: number): void {
  const {weights} = path;
  const last = path.length;
  path.feature[last] = feature;
  path.zeros[last] = zeros;
  path.ones[last] = ones;
  weights[last] = last === 0 ? 1 : 0;
  for (let at = last - 1; at >= 0; at--) {
    const weight = weights[at] as number;
    weights[at + 1] = (weights[at + 1] as number) + (ones * weight * (at + 1)) / (last + 1);
    weights[at] = (zeros * weight * (last - at)) / (last + 1);
  }
  path.length = last + 1;
}

/** UNWIND of the paper: takes the feature at `index` back. */
function unwind(path: Path, index: number): void {
  const {weights} = path;
  const last = path.length - 1;
  const zeros = path.zeros[index] as number;
  const ones = path.ones[index] as number;
  let next = weights[last] as number;
  for (let at = last - 1; at >= 0; at--) {
    const weight = weights[at] as number;
    if (ones === 0) {
      weights[at] = (weight * (last + 1)) / (zeros * (last - at));
    } else {
      const restored = (next * (last + 1)) / ((at + 1) * ones);
      weights[at] = restored;
      next = weight - (restored * zeros * (last - at)) / (last + 1);
    }
  }
  path.feature.copyWithin(index, index + 1, last + 1);
  path.zeros.copyWithin(index, index + 1, last + 1);
  path.ones.copyWithin(index, index + 1, last + 1);
  path.length = last;
}

/** Sum of the weights that {@link unwind} would leave. */
function unwoundSum(path: Path, index: number): number {
  const {weights} = path;
  const last = path.length - 1;
  const zeros = path.zeros[index] as number;
  const ones = path.ones[index] as number;
  let next = weights[last] as number;
  let sum = 0;
  for (let at = last - 1; at >= 0; at--) {
    const weight = weights[at] as number;
    if (ones === 0) {
      sum += weight / (zeros * (last - at));
    } else {
      const restored = next / ((at + 1) * ones);
      sum += restored;
      next = weight - restored * zeros * (last - at);
    }
  }
  return sum * (last + 1);
}

function share(forest: Forest, child: number, node: number): number {
  return (forest.cover[child] as number) / (forest.cover[node] as number);
}
