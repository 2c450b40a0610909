/** Words of SQL that every store says alike. Names were checked (table-rules.ts). */

/** Names of columns, in a list. */
export const quoted = (names: readonly string[]): string =>
  names.map(name => `"${name}"`).join(', ');

/** A clause that wants all conditions; empty without any. */
export const where = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
