import type {Random} from '../ports.ts';

/** Draws from a stream, in the shapes that the world is made of. Each takes a fixed number. */

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.next();
}

/** Box and Muller's; two draws. */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

/** Median and the standard deviation of the logarithm. */
export function lognormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** Weibull with this mean, for the shapes between 0.5 and 1 that outages have. */
export function weibull(random: Random, mean: number, shape: number): number {
  return (mean / gammaOfOnePlus(1 / shape)) * (-Math.log(1 - random.next())) ** (1 / shape);
}

/** Γ(1 + x) by Stirling's series at x + 8, taken back step by step. */
function gammaOfOnePlus(x: number): number {
  const y = x + 8;
  const stirling =
    Math.sqrt((2 * Math.PI) / y) * (y / Math.E) ** y * (1 + 1 / (12 * y) + 1 / (288 * y * y));
  let product = 1;
  for (let back = 1; back < 8; back++) product *= x + back;
  return stirling / product;
}

/** One of `items`, by weight. */
export function pick<Item>(
  random: Random,
  items: readonly Item[],
  weight: (item: Item) => number,
): Item {
  let total = 0;
  for (const item of items) total += weight(item);
  let left = random.next() * total;
  for (const item of items) {
    left -= weight(item);
    if (left < 0) return item;
  }
  return items[items.length - 1] as Item;
}

/** Seed of a stateless noise stream. */
export function noiseSeed(random: Random): number {
  return Math.floor(random.next() * 2 ** 32) | 0;
}
