/** As if so many more events had been spread evenly. */
const EVEN_EVENTS = 3;

/**
 * How much more often than evenly events fell into a part of the day or week: 1 is evenly, and near 1
 * while there are few. Agents and the simulated hosts that models learn from count alike.
 *
 * @param hits Events in that part, of `all`; `even` is its share of the whole.
 */
export function affinity(hits: number, all: number, even: number): number {
  return (hits + EVEN_EVENTS * even) / ((all + EVEN_EVENTS) * even);
}
