import {readFileSync, writeFileSync} from 'node:fs';
import {exportPage, exportTable} from '../../statecharts/export.ts';

/** Writes what is generated from the machines: docs/statecharts, and the tables of SPEC.md. */
const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const spec = at('statecharts/SPEC.md');
let text = readFileSync(spec, 'utf8');
for (const kind of ['host', 'vm'] as const) {
  writeFileSync(at(`docs/statecharts/${kind}.md`), exportPage(kind));
  const [begin, end] = [`<!-- table ${kind} -->\n`, `<!-- end ${kind} -->`];
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  text = `${before}\n${exportTable(kind)}\n${text.slice(text.indexOf(end))}`;
}
writeFileSync(spec, text);
