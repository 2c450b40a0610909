/** Figures as tables have them. A dash is where nothing can be said. */
import {shortly} from './charts.ts';
import type {Table} from './page.ts';

const NOTHING = '–';

export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

export function fixed(value: number | null, digits: number): string {
  return value?.toFixed(digits) ?? NOTHING;
}

/** Three significant digits. */
export function shortlyOr(value: number | null): string {
  return value === null || Number.isNaN(value) ? NOTHING : shortly(value);
}

/** 10th, 50th and 90th percentile of lead times, in minutes. */
export function leadMinutes(leads: {
  readonly leadSecondsP10: number | null;
  readonly leadSecondsP50: number | null;
  readonly leadSecondsP90: number | null;
}): string {
  return [leads.leadSecondsP10, leads.leadSecondsP50, leads.leadSecondsP90]
    .map(seconds => fixed(seconds === null ? null : seconds / 60, 1))
    .join(' · ');
}

/** The table in Markdown. */
export function renderMarkdown({header, rows}: Table): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map(cells => `| ${cells.join(' | ')} |`).join('\n');
}
