/** The small moves that decisions are made of. */
import {
  type Decision,
  type KeeperSettings,
  type KeeperState,
  NOTHING_COMPARED,
  type Phase,
} from './keeper-state.ts';

export function enter(state: KeeperState, phase: Phase, atMs: number): KeeperState {
  return {...state, ...NOTHING_COMPARED, phase, sinceMs: atMs, said: ''};
}

/** How long a comparison may take that shows nothing. */
export function comparedMsMax(
  {phase, hasShadow}: KeeperState,
  {canaryMsMax, shadowMsMax}: KeeperSettings,
): number {
  return phase === 'canary' && hasShadow ? canaryMsMax : shadowMsMax;
}

export function quiet(state: KeeperState): Decision {
  return {state, steps: []};
}

/** Once, until something else is said or the phase ends. */
export function say(state: KeeperState, said: string, why: string): Decision {
  if (state.said === said) return quiet(state);
  return {state: {...state, said}, steps: [{kind: 'say', why}]};
}

/** For people. */
export function days(ms: number): string {
  return (ms / 86_400_000).toFixed(1);
}
