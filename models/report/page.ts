import {escapeText} from './charts.ts';

export type Section = {
  readonly title: string;
  /** Said under the title, as plain text. */
  readonly about?: string;
  readonly tables?: readonly Table[];
  /** SVG, as charts.ts draws it. */
  readonly charts?: readonly string[];
};

export type Table = {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }
svg { font: 11px system-ui, sans-serif; margin: .5rem .5rem 0 0; max-width: 100% }
table { border-collapse: collapse; margin: .5rem 0 }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #8884 }
th:first-child, td:first-child { text-align: left }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } }
`;

/** A page of HTML that needs nothing else: it can be mailed, and opened in ten years. */
export function renderPage(title: string, about: string, sections: readonly Section[]): string {
  const name = escapeText(title);
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${name}</title><style>${STYLE}</style></head>`,
    `<body><h1>${name}</h1><p>${escapeText(about)}</p>`,
    ...sections.map(renderSection),
    '</body></html>',
    '',
  ].join('\n');
}

function renderSection({title, about = '', tables = [], charts = []}: Section): string {
  return [
    `<section><h2>${escapeText(title)}</h2>`,
    ...(about === '' ? [] : [`<p>${escapeText(about)}</p>`]),
    ...tables.map(renderTable),
    ...charts,
    '</section>',
  ].join('\n');
}

function renderTable({header, rows}: Table): string {
  const cells = (tag: string, texts: readonly string[]) =>
    `<tr>${texts.map(text => `<${tag}>${escapeText(text)}</${tag}>`).join('')}</tr>`;
  return `<table>${[cells('th', header), ...rows.map(row => cells('td', row))].join('\n')}</table>`;
}
