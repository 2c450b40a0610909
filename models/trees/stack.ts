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
    roots: Int32Array.from([...under.roots, ...added.roots.map(root => root + nodes)]),
    feature: Int32Array.from([...under.feature, ...added.feature]),
    threshold: Float32Array.from([...under.threshold, ...added.threshold]),
    missingLeft: Uint8Array.from([...under.missingLeft, ...added.missingLeft]),
    left: Int32Array.from([...under.left, ...added.left.map(moved)]),
    right: Int32Array.from([...under.right, ...added.right.map(moved)]),
    value: Float32Array.from([...under.value.map(value => slope * value), ...added.value]),
    cover: Float32Array.from([...under.cover, ...added.cover]),
  };
}
