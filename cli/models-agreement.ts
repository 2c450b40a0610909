/** Whether partitions score by what the registry's aliases say, and what to do where they do not. */
import {shortHash} from '../core/domain/hash.ts';
import type {Aliases} from '../models/registry/aliases.ts';
import type {PartitionStatus} from '../proto/gen/forestay/v1/control_pb.ts';

export type Serving = Pick<
  PartitionStatus,
  'partition' | 'modelHash' | 'canaryHash' | 'canaryPercent' | 'refusedHash' | 'refusedBecause'
>;

/**
 * A sentence for each way in which partitions and aliases disagree, with what to do; empty if they
 * agree, or nobody has ever been promoted. Partitions of which no tick was read yet say nothing.
 *
 * @param where The registry's folder: a core may have another one.
 */
export function disagreements(
  aliases: Aliases,
  partitions: readonly Serving[],
  where: string,
): string[] {
  if (aliases.champion === null) return [];
  const found = new Map<string, number[]>();
  for (const serving of partitions) {
    const says = serving.modelHash === '' ? '' : disagreement(aliases, serving, where);
    if (says !== '') found.set(says, [...(found.get(says) ?? []), serving.partition]);
  }
  return [...found].map(([says, numbers]) => `${partitionWords(numbers)}: ${says}`);
}

function disagreement(aliases: Aliases, serving: Serving, where: string): string {
  const {family, champion, challenger, canaryPercent} = aliases;
  const canary = canaryPercent > 0 && challenger !== null ? challenger : '';
  const wanted = canary === '' ? `${champion}` : canary;
  const {modelHash, canaryHash, refusedHash, refusedBecause} = serving;
  if (refusedHash !== '' && refusedHash === wanted) {
    return (
      `${shortHash(refusedHash)} of the registry was refused, ${shortHash(modelHash)} goes on: ${refusedBecause}; ` +
      `forestay models verify ${shortHash(refusedHash)} checks it, forestay models rollback ${family} takes it back`
    );
  }
  const isSame =
    modelHash === champion &&
    canaryHash === canary &&
    (canary === '' || serving.canaryPercent === canaryPercent);
  if (isSame) return '';
  const again =
    canary === ''
      ? `promote ${family}@champion`
      : `promote ${family}@challenger --percent ${canaryPercent}`;
  return (
    `scored by ${useWords(modelHash, canaryHash, serving.canaryPercent)}, while the registry in ${where} says ` +
    `${useWords(`${champion}`, canary, canaryPercent)}; forestay models ${again} tells them again`
  );
}

function useWords(champion: string, canary: string, percent: number): string {
  const trial = canary === '' ? '' : ` and ${percent} % of the hosts by ${shortHash(canary)}`;
  return `${shortHash(champion)}${trial}`;
}

function partitionWords(numbers: readonly number[]): string {
  return `partition${numbers.length === 1 ? '' : 's'} ${ranges(numbers)}`;
}

/** `0-31, 40` */
export function ranges(numbers: readonly number[]): string {
  const found: {from: number; to: number}[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.to === number - 1) last.to = number;
    else found.push({from: number, to: number});
  }
  return found.map(({from, to}) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}
