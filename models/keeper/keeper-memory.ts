import type {Aliases} from '../registry/aliases.ts';
import type {AuditRecord} from '../registry/audit.ts';
import {KEEPER, type KeeperMemory} from './keeper-state.ts';

const DAY_MS = 24 * 3_600_000;

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
  const memory = rememberRefusals(records, aliases.family);
  const {champion, challenger, canaryPercent, previous} = aliases;
  if (challenger !== null) {
    const earlierLooks = records.filter(
      ({who, evaluation}) =>
        who === KEEPER && evaluation?.champion === champion && evaluation.challenger === challenger,
    ).length;
    return {...memory, earlierLooks, phase: canaryPercent > 0 ? 'canary' : 'shadowing'};
  }
  const last = records.findLast(
    each => each.family === aliases.family && each.aliases?.revision === aliases.revision,
  );
  const isFresh = last?.what === 'promote' && nowMs - last.atMs < probationMs;
  return isFresh && previous !== null ? {...memory, phase: 'probation'} : memory;
}

/**
 * Refusals in a row and the latest cool-down, whichever keeper of the family wrote them down: one
 * that has not heard of another's refusal yet tells of other things as if there were none.
 */
export function rememberRefusals(
  records: readonly AuditRecord[],
  family: string,
): Pick<KeeperMemory, 'refusals' | 'coolDownUntilMs'> {
  const told = records.filter(each => each.family === family && each.keeper !== undefined);
  const counted = told.findLast(({what}) => what === 'refused' || what === 'kept');
  const newestMs = told.at(-1)?.keeper?.atMs ?? 0;
  // A clock that had jumped ahead is not to be believed.
  const isPast = ({keeper}: AuditRecord) => (keeper?.atMs ?? 0) <= newestMs + DAY_MS;
  const cooled = told
    .filter(isPast)
    .map(({keeper}) => keeper?.coolDownUntilMs ?? Number.NEGATIVE_INFINITY);
  return {
    refusals: counted?.keeper?.refusals ?? 0,
    coolDownUntilMs: cooled.reduce(
      (latest, each) => Math.max(latest, each),
      Number.NEGATIVE_INFINITY,
    ),
  };
}
