import type {Aliases} from '../registry/aliases.ts';
import type {AuditRecord} from '../registry/audit.ts';
import type {KeeperMemory} from './keeper-state.ts';

/**
 * What a keeper takes up again after a restart, or from another one that tends the same family: the
 * refusals and the cool-down by the audit log, the phase by the aliases. What it had counted and
 * compared is gone: a shadow, a trial or a probation lasts its full time again.
 *
 * @param nowMs Of the clock that audit records are written by.
 * @param probationMs A promotion that is older is over and done with.
 */
export function rememberKeeper(
  records: readonly AuditRecord[],
  aliases: Aliases,
  {nowMs, probationMs}: {nowMs: number; probationMs: number},
): KeeperMemory {
  const mark = records.findLast(({family, keeper}) => family === aliases.family && keeper)?.keeper;
  const memory = {
    refusals: mark?.refusals ?? 0,
    coolDownUntilMs: mark?.coolDownUntilMs ?? Number.NEGATIVE_INFINITY,
  };
  const {challenger, canaryPercent, previous} = aliases;
  if (challenger !== null) return {...memory, phase: canaryPercent > 0 ? 'canary' : 'shadowing'};
  const last = records.findLast(
    each => each.family === aliases.family && each.aliases?.revision === aliases.revision,
  );
  const isFresh = last?.what === 'promote' && nowMs - last.atMs < probationMs;
  return isFresh && previous !== null ? {...memory, phase: 'probation'} : memory;
}

/** When the last training that any keeper of the family began has cooled down; −∞: none did. */
export function trainingCoolDown(records: readonly AuditRecord[], family: string): number {
  const last = records.findLast(each => each.family === family && each.what === 'training-began');
  return last?.keeper?.coolDownUntilMs ?? Number.NEGATIVE_INFINITY;
}
