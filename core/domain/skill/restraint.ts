/**
 * When acting ahead of failures is given up because prediction does not help.
 *
 * R1. It begins with the verdict `no-skill`, and is of the model that earned it: another model, which
 *     was promoted for reasons of its own, begins without.
 * R2. It ends with `helps`, or with an operator's word; `unproven` changes nothing, so that it does
 *     not come and go with each failure.
 * R3. What an operator has lifted does not come back for the same model.
 */
import type {Verdict} from './skill-verdict.ts';

export type Restraint = {
  readonly restrained: boolean;
  /** Since when it is as it is; 0: from the beginning. */
  readonly sinceMs: number;
  /** Why, in words, numbers included; empty: it never was otherwise. */
  readonly because: string;
  /** The model that it is about. */
  readonly modelHash: string;
  /** An operator has lifted it. */
  readonly lifted: boolean;
};

export const NO_RESTRAINT: Restraint = {
  restrained: false,
  sinceMs: 0,
  because: '',
  modelHash: '',
  lifted: false,
};

/** @returns The same one if nothing changes: then there is nothing to tell. */
export function stepRestraint(
  restraint: Restraint,
  {verdict, because}: Verdict,
  modelHash: string,
  atMs: number,
): Restraint {
  if (restraint.modelHash !== modelHash) {
    const isFree = !restraint.restrained && verdict !== 'no-skill';
    const begun: Restraint = {...NO_RESTRAINT, sinceMs: atMs, because: 'another model', modelHash};
    // What nobody ever restrained is not told to be free.
    const next = isFree ? {...NO_RESTRAINT, modelHash} : begun;
    return verdict === 'no-skill' ? stepRestraint(next, {verdict, because}, modelHash, atMs) : next;
  }
  if (verdict === 'no-skill' && !restraint.restrained && !restraint.lifted) {
    return {restrained: true, sinceMs: atMs, because, modelHash, lifted: false};
  }
  if (verdict === 'helps' && restraint.restrained) {
    return {restrained: false, sinceMs: atMs, because, modelHash, lifted: false};
  }
  return restraint;
}

/** An operator takes it on himself. */
export function liftRestraint(restraint: Restraint, comment: string, atMs: number): Restraint {
  if (!restraint.restrained) return restraint;
  return {...restraint, restrained: false, sinceMs: atMs, because: comment, lifted: true};
}
