/**
 * Of records that follow one another without a hole: those from `from` on, which must not be before
 * the first, up to about `bytesMax` of values, at least one if there is one.
 */
export function runFrom<Item extends {offset: number; value: Uint8Array}>(
  records: readonly Item[],
  from: number,
  bytesMax: number,
): readonly Item[] {
  const start = from - (records[0]?.offset ?? from);
  let end = start;
  let bytes = 0;
  for (; end < records.length; end++) {
    bytes += (records[end] as Item).value.length;
    if (end > start && bytes > bytesMax) break;
  }
  return records.slice(start, end);
}
