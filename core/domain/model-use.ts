/**
 * Which model a host is scored by: the champion, or the canary if the host is among those that try it.
 */
import {fnv1a32} from './hash.ts';

export type ModelUse = {
  /** SHA-256 of the model's file; so is every other. */
  readonly champion: string;
  readonly canary?: Canary;
  /** What was asked for last and is not done; absent: everything was. */
  readonly refused?: {readonly modelHash: string; readonly because: string};
};

export type Canary = {readonly modelHash: string; readonly percent: number};

export const PERCENT_ALL = 100;

/**
 * The canary that a host tries, if there is one and it does: by its name alone, so that it is the
 * same host everywhere and a growing share keeps those that it had.
 */
export function canaryFor<Trial extends {readonly percent: number}>(
  host: string,
  canary: Trial | undefined,
): Trial | undefined {
  if (canary === undefined) return undefined;
  return fnv1a32(`canary ${host}`) % PERCENT_ALL < canary.percent ? canary : undefined;
}

/** The model that a host is scored by; `champion` where nothing else is known. */
export function modelHashOf(use: ModelUse | undefined, host: string, champion: string): string {
  return canaryFor(host, use?.canary)?.modelHash ?? champion;
}

/**
 * What is in use after a command: all hosts on a model make it the champion, a share of them makes it
 * the canary, and the champion again, or a share of 0, ends the canary.
 */
export function afterSwitch(
  {champion}: ModelUse,
  {modelHash, percent}: {modelHash: string; percent: number},
): ModelUse {
  if (modelHash === champion || percent === 0) return {champion};
  if (percent >= PERCENT_ALL) return {champion: modelHash};
  return {champion, canary: {modelHash, percent}};
}
