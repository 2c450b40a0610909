/** The small moves that decisions are made of. */
import type {Decision, KeeperState, Phase} from './keeper-state.ts';

export function enter(state: KeeperState, phase: Phase, atMs: number): KeeperState {
  return {...state, phase, sinceMs: atMs, looks: 0, said: ''};
}

export function quiet(state: KeeperState): Decision {
  return {state, steps: []};
}

/** Once, until something else is said or the phase ends. */
export function say(state: KeeperState, said: string, why: string): Decision {
  if (state.said === said) return quiet(state);
  return {state: {...state, said}, steps: [{kind: 'say', why}]};
}
