import {styleText} from 'node:util';
import {harmlessName} from './terminal.ts';

/** A column of a table: its title and what stands in it. */
export type Column<Item> = {title: string; cell(item: Item): string; wide?: boolean};

/** Rows under titles, columns as wide as their widest cell, two spaces between. */
export function formatTable<Item>(
  columns: readonly Column<Item>[],
  items: readonly Item[],
): string {
  const titles = columns.map(column => column.title);
  const rows = [
    titles,
    ...items.map(item => columns.map(column => harmlessName(column.cell(item)))),
  ];
  const widths = titles.map((_title, index) =>
    Math.max(...rows.map(row => (row[index] as string).length)),
  );
  return rows
    .map(row => row.map((cell, index) => cell.padEnd(widths[index] as number)).join('  '))
    .map((line, index) => paint(line.trimEnd(), index === 0))
    .join('\n');
}

/** Only a state that wants attention has a colour; the word itself says the same. */
function paint(line: string, isTitle: boolean): string {
  if (isTitle) return colour('bold', line);
  return line
    .replace(/\b(at-risk|ghost-active|migrating)\b/g, word => colour('yellow', word))
    .replace(/\blost\b/g, word => colour('red', word));
}

function colour(format: 'bold' | 'yellow' | 'red', text: string): string {
  return styleText(format, text, {stream: process.stdout, validateStream: true});
}

/** `3s`, `4m`, `2h`, `5d`; a dash for never. */
export function formatAge(ms: number | undefined, nowMs: number): string {
  if (ms === undefined) return '-';
  const seconds = Math.max(0, Math.round((nowMs - ms) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** `0.42`, or `unscored`. */
export function formatRisk(risk: number | undefined): string {
  return risk === undefined ? 'unscored' : risk.toFixed(2);
}

/** `acted`, `blocked by breaker`, `would-act but for mode`. */
export function formatOutcome(outcome: string, blockedBy: string): string {
  if (blockedBy === '') return outcome;
  return `${outcome} ${outcome === 'would-act' ? 'but for' : 'by'} ${blockedBy}`;
}

/** `4.0 GiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}
