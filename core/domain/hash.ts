/**
 * 32-bit FNV-1a over UTF-8 bytes, as an unsigned integer. For names (partition of a cell, contract
 * of columns), not for anything an adversary may choose.
 *
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash ^= byte;
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

export const PARTITION_COUNT = 64;

/** Numbers of all partitions, from 0. */
export const PARTITIONS: readonly number[] = Array.from(
  {length: PARTITION_COUNT},
  (_, partition) => partition,
);

/** The partition that holds everything of a cell. Fixed for ever: logs are laid out by it. */
export function partitionOfCell(cell: string): number {
  return fnv1a32(cell) % PARTITION_COUNT;
}

/** As many digits of a hash as people compare. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
