/**
 * Noise without state: a value depends on a stream's seed, the second and a channel, never on what
 * was drawn before. So an entity that is dead, moved or not looked at shifts nobody's numbers.
 */

/** 32 well-mixed bits. The finaliser is "lowbias32" of C. Wellons' hash prospector. */
function mix(seed: number, second: number, channel: number): number {
  let bits = seed ^ Math.imul(second, 0x9e3779b1) ^ Math.imul(channel + 1, 0x85ebca6b);
  bits ^= bits >>> 16;
  bits = Math.imul(bits, 0x7feb352d);
  bits ^= bits >>> 15;
  bits = Math.imul(bits, 0x846ca68b);
  return bits ^ (bits >>> 16);
}

/** Uniform in [0, 1). */
export function uniform(seed: number, second: number, channel: number): number {
  return (mix(seed, second, channel) >>> 0) / 2 ** 32;
}

/** About standard normal, within ±3.45: the sum of four uniform bytes. */
export function gaussian(seed: number, second: number, channel: number): number {
  const bits = mix(seed, second, channel);
  const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24);
  return (sum - 510) / 147.8;
}

/** A slow gaussian: straight lines between knots `periodSeconds` apart. */
export function drift(
  seed: number,
  second: number,
  channel: number,
  periodSeconds: number,
): number {
  const knot = Math.floor(second / periodSeconds);
  const share = second / periodSeconds - knot;
  const from = gaussian(seed, knot, channel);
  return from + share * (gaussian(seed, knot + 1, channel) - from);
}

/** Events in one second at a mean rate. Exact below a mean of 12, rounded normal above. */
export function poisson(mean: number, seed: number, second: number, channel: number): number {
  if (mean <= 0) return 0;
  if (mean > 12) {
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * gaussian(seed, second, channel)));
  }
  let left = uniform(seed, second, channel);
  let count = 0;
  let probability = Math.exp(-mean);
  while (left >= probability && count < 100) {
    left -= probability;
    count++;
    probability *= mean / count;
  }
  return count;
}
