import {ForestayError} from '../../core/domain/errors.ts';
import {shortHash} from '../../core/domain/hash.ts';

/**
 * Which entries of a family are in use, by the SHA-256 of their model. Pure: what may follow what.
 * An entry that is named here by nothing is retired.
 */
export type Aliases = {
  readonly family: string;
  /** One more with every change; 0: nothing was ever named. */
  readonly revision: number;
  /** The one that serves; null only at revision 0. */
  readonly champion: string | null;
  /** The one that is compared with it. */
  readonly challenger: string | null;
  /** The champion before, to go back to. */
  readonly previous: string | null;
  /** Share of the hosts, 0 to 100, that the challenger serves already. */
  readonly canaryPercent: number;
  readonly changedAtMs: number;
  readonly changedBy: string;
  readonly why: string;
};

/** Who changes something, when, and why. */
export type Author = {readonly who: string; readonly why: string; readonly atMs: number};

export type AliasChange =
  /** An entry becomes the challenger; the one before is retired. */
  | {readonly kind: 'challenge'; readonly hash: string}
  /** The challenger serves this share of the hosts. */
  | {readonly kind: 'canary'; readonly percent: number}
  /** An entry becomes the champion, the champion the previous one. Nobody challenges any more. */
  | {readonly kind: 'promote'; readonly hash: string}
  /** Champion and previous change places. */
  | {readonly kind: 'rollback'}
  /** The challenger is retired. */
  | {readonly kind: 'withdraw'};

export type EntryState = 'champion' | 'challenger' | 'canary' | 'previous' | 'retired';

export function noAliases(family: string): Aliases {
  return {
    family,
    revision: 0,
    champion: null,
    challenger: null,
    previous: null,
    canaryPercent: 0,
    changedAtMs: 0,
    changedBy: '',
    why: '',
  };
}

/**
 * The aliases after a change, one revision later.
 *
 * @throws {ForestayError} `REGISTRY_CONFLICT` for a change that what is there does not allow;
 *   `INVALID_ARGUMENT` for a share of hosts that is none.
 */
export function applyChange(aliases: Aliases, change: AliasChange, author: Author): Aliases {
  return {
    ...aliases,
    ...moved(aliases, change),
    revision: aliases.revision + 1,
    changedAtMs: author.atMs,
    changedBy: author.who,
    why: author.why,
  };
}

type Moved = Partial<Pick<Aliases, 'champion' | 'challenger' | 'previous' | 'canaryPercent'>>;

function moved(aliases: Aliases, change: AliasChange): Moved {
  const {champion, challenger, previous} = aliases;
  switch (change.kind) {
    case 'challenge':
      if (champion === null)
        throw refused(aliases, 'nothing to challenge: promote a first champion');
      if (change.hash === champion) throw isChampion(aliases, champion);
      return {challenger: change.hash, canaryPercent: 0};
    case 'canary':
      if (challenger === null) throw refused(aliases, 'no challenger to serve hosts with');
      return {canaryPercent: requirePercent(change.percent)};
    case 'promote':
      if (change.hash === champion) throw isChampion(aliases, champion);
      return {champion: change.hash, previous: champion, challenger: null, canaryPercent: 0};
    case 'rollback':
      if (previous === null) throw refused(aliases, 'no champion before this one to go back to');
      return {
        champion: previous,
        previous: champion,
        challenger: challenger === previous ? null : challenger,
        canaryPercent: 0,
      };
    case 'withdraw':
      if (challenger === null) throw refused(aliases, 'no challenger to withdraw');
      return {challenger: null, canaryPercent: 0};
  }
}

/** What an entry is to its family. */
export function stateOf(
  {champion, challenger, previous, canaryPercent}: Aliases,
  hash: string,
): EntryState {
  if (hash === champion) return 'champion';
  if (hash === challenger) return canaryPercent > 0 ? 'canary' : 'challenger';
  return hash === previous ? 'previous' : 'retired';
}

/** Entries that have a name. */
export function namedBy({champion, challenger, previous}: Aliases): string[] {
  return [champion, challenger, previous].filter(hash => hash !== null);
}

function requirePercent(percent: number): number {
  if (Number.isInteger(percent) && percent >= 0 && percent <= 100) return percent;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `cannot serve ${percent} % of the hosts with a challenger; give a whole number from 0 to 100`,
    {details: {percent}},
  );
}

function isChampion(aliases: Aliases, champion: string): ForestayError {
  return refused(aliases, `${shortHash(champion)} is the champion`);
}

function refused({family, revision}: Aliases, reason: string): ForestayError {
  return new ForestayError(
    'REGISTRY_CONFLICT',
    `cannot change ${family} at revision ${revision}: ${reason}; see forestay models list`,
    {details: {family, revision}},
  );
}
