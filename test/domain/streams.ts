import {createUniform} from '../../models/random.ts';

/** Draws the next value of a stream. */
type Stream = (index: number) => number;

/** Standard normal numbers. */
export function createNormal(seed: number): () => number {
  const uniform = createUniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Streams without any anomaly, whose tails differ as much as those of metrics do. */
export const STREAMS: Readonly<Record<string, (normal: () => number) => Stream>> = {
  'independent normal': normal => () => normal(),
  'Student t with 3 degrees': normal => () =>
    normal() / Math.sqrt((normal() ** 2 + normal() ** 2 + normal() ** 2) / 3),
  lognormal: normal => () => Math.exp(normal()),
  'autoregressive, 0.95': normal => {
    let value = 0;
    return () => {
      value = 0.95 * value + normal();
      return value;
    };
  },
  'daily season': normal => index => 3 * Math.sin((2 * Math.PI * index) / 1440) + normal(),
  'slow drift': normal => index => index / 1000 + normal(),
};
