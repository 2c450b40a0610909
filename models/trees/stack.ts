import type {Forest} from './forest.ts';

/**
 * One forest that says what another does, calibrated, and what trees on top of it add: its margin is
 * slope × the margin of `under` + offset + the margin of `added`. Leaves are scaled as float32.
 */
export function stackForests(
  under: Forest,
  {slope, offset}: {slope: number; offset: number},
  added: Forest,
): Forest {
  const nodes = under.feature.length;
  const moved = (child: number) => (child < 0 ? child : child + nodes);
  return {
    base: Math.fround(slope * under.base + offset + added.base),
    roots: joinWhole(
      under.roots,
      added.roots.map(root => root + nodes),
    ),
    feature: joinWhole(under.feature, added.feature),
    threshold: joinReal(under.threshold, added.threshold),
    missingLeft: Uint8Array.from({length: nodes + added.feature.length}, (_, node) =>
      node < nodes
        ? (under.missingLeft[node] as number)
        : (added.missingLeft[node - nodes] as number),
    ),
    left: joinWhole(under.left, added.left.map(moved)),
    right: joinWhole(under.right, added.right.map(moved)),
    value: joinReal(
      under.value.map(value => slope * value),
      added.value,
    ),
    cover: joinReal(under.cover, added.cover),
  };
}

function joinWhole(first: Int32Array, second: Int32Array): Int32Array {
  const joined = new Int32Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

function joinReal(first: Float32Array, second: Float32Array): Float32Array {
  const joined = new Float32Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
