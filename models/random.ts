/**
 * A small seeded generator (Mulberry32) for sampling rows and columns. Equal seeds give equal
 * streams on every machine.
 *
 * @returns A function that gives uniform numbers in [0, 1).
 */
export function createUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * `wanted` different ones of the pool, ascending. The pool itself is shuffled that far.
 *
 * @param wanted At most as many as there are.
 */
export function drawSome(pool: Int32Array, wanted: number, random: () => number): Int32Array {
  for (let at = 0; at < wanted; at++) {
    const other = at + Math.floor(random() * (pool.length - at));
    const swapped = pool[at] as number;
    pool[at] = pool[other] as number;
    pool[other] = swapped;
  }
  return pool.slice(0, wanted).sort();
}
