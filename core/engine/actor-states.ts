import {chartOf} from '../../statecharts/chart.ts';
import type {ActorKind} from '../../statecharts/events.ts';

/** The states that an actor of this kind can rest in, dotted: `at-risk.watching`. */
export function restStates(kind: ActorKind): readonly string[] {
  return chartOf(kind)
    .states.filter(({leaf}) => leaf)
    .map(({path}) => path);
}
