import {MISSING_BIN} from './bins.ts';

/**
 * The trees of one component, boosted, random or isolating, flattened: every tree's nodes one after
 * the other, the root first. All numbers that a model file holds are float32 here too, so that a forest that was
 * trained and the same forest read back from its file give the same sums.
 */
export type Forest = {
  /** Margin before any tree has spoken; of boosted trees it is a log-odds. */
  readonly base: number;
  /** Node of each tree's root. */
  readonly roots: Int32Array;
  /** Column that a node asks for; -1: a leaf. */
  readonly feature: Int32Array;
  /** A value ≤ threshold goes left. */
  readonly threshold: Float32Array;
  /** 1: a missing value (NaN) goes left. */
  readonly missingLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What a leaf adds to the margin. */
  readonly value: Float32Array;
  /** Training rows that came through the node, by weight if they had weights. */
  readonly cover: Float32Array;
};

/** The leaf that a row of `features` (starting at `offset`) reaches from `node`. */
export function leafOf(
  forest: Forest,
  node: number,
  features: Float32Array,
  offset: number,
): number {
  const {feature, threshold, missingLeft, left, right} = forest;
  let at = node;
  for (let column = feature[at] as number; column >= 0; column = feature[at] as number) {
    const value = features[offset + column] as number;
    const goesLeft = value !== value ? missingLeft[at] === 1 : value <= (threshold[at] as number);
    at = (goesLeft ? left[at] : right[at]) as number;
  }
  return at;
}

/** Sum of base and leaves for one row. */
export function marginOf(forest: Forest, features: Float32Array, offset: number): number {
  let sum = forest.base;
  for (const root of forest.roots) {
    sum += forest.value[leafOf(forest, root, features, offset)] as number;
  }
  return sum;
}

/** The logistic function. */
export function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin));
}

/** Collects nodes while trees grow. */
export type ForestBuilder = {
  readonly roots: number[];
  readonly feature: number[];
  readonly threshold: number[];
  /** Bins ≤ this go left; only while growing. */
  readonly bin: number[];
  readonly missingLeft: number[];
  readonly left: number[];
  readonly right: number[];
  readonly value: number[];
  readonly cover: number[];
};

export function createForestBuilder(): ForestBuilder {
  return {
    roots: [],
    feature: [],
    threshold: [],
    bin: [],
    missingLeft: [],
    left: [],
    right: [],
    value: [],
    cover: [],
  };
}

/** Appends a leaf and gives its node. */
export function addLeaf(builder: ForestBuilder, value: number, cover: number): number {
  const node = builder.feature.length;
  builder.feature.push(-1);
  builder.threshold.push(0);
  builder.bin.push(0);
  builder.missingLeft.push(0);
  builder.left.push(-1);
  builder.right.push(-1);
  builder.value.push(value);
  builder.cover.push(cover);
  return node;
}

/** The leaf that a row of the binned table that trees grow on reaches from `node`. */
export function binnedLeafOf(
  {feature, bin, missingLeft, left, right}: ForestBuilder,
  node: number,
  codes: Uint8Array,
  offset: number,
): number {
  let at = node;
  for (let column = feature[at] as number; column >= 0; column = feature[at] as number) {
    const code = codes[offset + column] as number;
    const goesLeft = code === MISSING_BIN ? missingLeft[at] === 1 : code <= (bin[at] as number);
    at = (goesLeft ? left[at] : right[at]) as number;
  }
  return at;
}

/** Turns a leaf into a branch over two new leaves; gives both. */
export function splitLeaf(
  builder: ForestBuilder,
  node: number,
  by: {feature: number; threshold: number; missingLeft: boolean; bin?: number},
  left: {value: number; cover: number},
  right: {value: number; cover: number},
): [left: number, right: number] {
  const leftNode = addLeaf(builder, left.value, left.cover);
  const rightNode = addLeaf(builder, right.value, right.cover);
  builder.feature[node] = by.feature;
  builder.threshold[node] = by.threshold;
  builder.bin[node] = by.bin ?? 0;
  builder.missingLeft[node] = by.missingLeft ? 1 : 0;
  builder.left[node] = leftNode;
  builder.right[node] = rightNode;
  builder.value[node] = 0;
  return [leftNode, rightNode];
}

/** The forest of the first `trees` trees. */
export function finishForest(
  builder: ForestBuilder,
  base: number,
  trees: number = builder.roots.length,
): Forest {
  const nodes = trees < builder.roots.length ? builder.roots[trees] : builder.feature.length;
  return {
    base: Math.fround(base),
    roots: Int32Array.from(builder.roots.slice(0, trees)),
    feature: Int32Array.from(builder.feature.slice(0, nodes)),
    threshold: Float32Array.from(builder.threshold.slice(0, nodes)),
    missingLeft: Uint8Array.from(builder.missingLeft.slice(0, nodes)),
    left: Int32Array.from(builder.left.slice(0, nodes)),
    right: Int32Array.from(builder.right.slice(0, nodes)),
    value: Float32Array.from(builder.value.slice(0, nodes)),
    cover: Float32Array.from(builder.cover.slice(0, nodes)),
  };
}
