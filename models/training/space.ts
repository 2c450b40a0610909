import {createUniform} from '../random.ts';

/** What may be tried of one setting. `log` is uniform in the logarithm, `whole` rounds it. */
export type Range = {
  readonly from: number;
  readonly to: number;
  readonly scale: 'linear' | 'log' | 'whole';
};

/** Settings of a training, by name. */
export type Settings<Name extends string = string> = Readonly<Record<Name, number>>;
/** Ranges of those settings that may be tried; the others keep their defaults. */
export type Space<Name extends string = string> = Readonly<Partial<Record<Name, Range>>>;

/**
 * Settings to try: the defaults first, so that a search never ends up worse than no search, then
 * `count` − 1 that are drawn. The first n of a longer list are the list of n.
 */
export function drawTrials<Name extends string>(
  space: Space<Name>,
  defaults: Settings<Name>,
  count: number,
  seed: number,
): Settings<Name>[] {
  const random = createUniform(seed);
  const trials = [defaults];
  while (trials.length < count) {
    const drawn = Object.entries(space).map(([name, range]) => [
      name,
      drawWithin(range as Range, random()),
    ]);
    trials.push({...defaults, ...Object.fromEntries(drawn)});
  }
  return trials;
}

function drawWithin({from, to, scale}: Range, share: number): number {
  if (scale === 'linear') return from + share * (to - from);
  const value = from * (to / from) ** share;
  return scale === 'log' ? value : Math.round(value);
}
