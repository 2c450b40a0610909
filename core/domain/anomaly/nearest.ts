/** Where a row lies: coordinates on the axes of the usual subspace. */
export type Place = {
  readonly coordinates: Float64Array;
  /** As many as neighbours count; written anew. */
  readonly nearest: Float64Array;
};

/**
 * Mean distance to the nearest references, without those from `away` up to `awayEnd`. What two rows
 * have beside the axes is taken to point in different directions, as it mostly does among so many;
 * so no more is needed of it than its square.
 *
 * @param references Each: its coordinates, and the square of what it has beside the axes.
 * @param residual The square of what the row has beside the axes.
 */
export function meanNearest(
  references: Float64Array,
  {coordinates, nearest}: Place,
  residual: number,
  away: number,
  awayEnd: number,
): number {
  const axes = coordinates.length;
  const last = nearest.length - 1;
  const count = references.length / (axes + 1);
  nearest.fill(Number.POSITIVE_INFINITY);
  for (let reference = 0; reference < count; reference++) {
    if (reference >= away && reference < awayEnd) continue;
    const from = reference * (axes + 1);
    const worst = nearest[last] as number;
    let square = residual + (references[from + axes] as number);
    // The first axes are those along which rows differ most: mostly a few of them say enough.
    for (let axis = 0; axis < axes && square < worst; axis++) {
      const apart = (coordinates[axis] as number) - (references[from + axis] as number);
      square += apart * apart;
    }
    if (square < worst) insertSorted(nearest, square);
  }
  let sum = 0;
  for (let i = 0; i <= last; i++) sum += Math.sqrt(nearest[i] as number);
  return sum / nearest.length;
}

/** Puts a value in its place among rising ones; the last falls out. */
function insertSorted(rising: Float64Array, value: number) {
  let place = rising.length - 1;
  for (; place > 0 && (rising[place - 1] as number) > value; place--) {
    rising[place] = rising[place - 1] as number;
  }
  rising[place] = value;
}
