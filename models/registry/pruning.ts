import type {Entry} from './entry.ts';
import type {DamagedEntry, Listing} from './registry.ts';

/**
 * What may go: entries without a name, but the newest `keep` of each family; damaged ones without a
 * name if `damaged`.
 *
 * @param named Hashes that an alias of any family names.
 */
export function chooseRemovable(
  {entries, damaged}: Listing,
  named: ReadonlySet<string>,
  {keep, damaged: alsoDamaged}: {keep: number; damaged: boolean},
): (Entry | DamagedEntry)[] {
  const seen = new Map<string, number>();
  const old = entries.filter(({family, hash}) => {
    if (named.has(hash)) return false;
    const rank = (seen.get(family) ?? 0) + 1;
    seen.set(family, rank);
    return rank > keep;
  });
  return [...old, ...(alsoDamaged ? damaged.filter(({hash}) => !named.has(hash)) : [])];
}
