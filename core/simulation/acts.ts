import type {IssuedEffect} from '../domain/effects.ts';

/** One thing that was done to a datacenter from outside, or a second of its time that has passed. */
export type Act =
  | {kind: 'time'; atMs: number}
  | {kind: 'start'; atMs: number; effect: IssuedEffect}
  | {kind: 'cancel'; atMs: number; id: string}
  | {kind: 'stop-vms'; atMs: number; agent: string};

const KINDS: readonly string[] = ['time', 'start', 'cancel', 'stop-vms'] satisfies Act['kind'][];

/** The act that a line holds; undefined if it is none. */
export function readAct(line: string): Act | undefined {
  try {
    const act = JSON.parse(line) as Partial<Act> | null;
    const isAct = KINDS.includes(act?.kind ?? '') && Number.isFinite(act?.atMs);
    return isAct ? (act as Act) : undefined;
  } catch {
    return undefined;
  }
}
