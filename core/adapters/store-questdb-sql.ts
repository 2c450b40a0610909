import type {ColumnType, StoreValue} from '../ports.ts';

/** What `/exec` answers in a row. */
export type Cell = string | number | boolean | null;

export const microseconds = (ms: number): bigint => BigInt(Math.round(ms * 1000));

/** Names were checked against the schema; in QuestDB's texts only the quote is special. */
export const equal = (name: string, value: string | number): string =>
  `"${name}" = ${typeof value === 'number' ? value : `'${value.replaceAll("'", "''")}'`}`;

export function readValue(type: ColumnType, cell: Cell | undefined): StoreValue {
  if (cell === null || cell === undefined) return null;
  if (type === 'timestamp') return Date.parse(String(cell));
  return type === 'symbol' || type === 'text' ? String(cell) : Number(cell);
}

const DAY_MS = 86_400_000;

/** Of tables by the day, which QuestDB drops one by one: whole days, none sooner than asked for. */
export const timeToLive = (ageMs: number): string =>
  ageMs === Number.POSITIVE_INFINITY ? '' : ` TTL ${Math.ceil(ageMs / DAY_MS)} DAYS`;
