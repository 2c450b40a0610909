import {garbled} from './procfs.ts';

export type MetricSample = {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
};

/** Name, labels, value; what follows (time, exemplar) is not needed. */
const linePattern = /^([a-zA-Z_:][a-zA-Z\d_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)/;
/** A name is tried from its first letter only: else a long one is read as often as it has letters. */
const labelPattern = /\b([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const samplesMax = 10_000;
const lineMax = 64 * 1024;

/**
 * The samples of the wanted names in a text of Prometheus' or OpenMetrics' format, at most 10,000.
 * Values that are no number are left out. Other lines are looked at as far as their name.
 * Errors: `SENSOR_FAILED` if the text is something else.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseMetrics(
  text: string,
  wanted: ReadonlySet<string>,
  where: string,
): MetricSample[] {
  const samples: MetricSample[] = [];
  let isChecked = false;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    start = end + 1;
    if (line === '' || line === '\r' || line.startsWith('#')) continue;
    const name = line.slice(0, line.search(/[{ \t]|$/));
    if (isChecked && !wanted.has(name)) continue;
    const match = line.length > lineMax ? null : linePattern.exec(line);
    if (match === null) throw garbled(where, line);
    isChecked = true;
    const value = Number(match[3]);
    if (!wanted.has(name) || Number.isNaN(value)) continue;
    if (samples.length === samplesMax) break;
    samples.push({name, labels: labelsOf(match[2] ?? ''), value});
  }
  return samples;
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(labelPattern)].map(([, name, value]) => [name, value]),
  );
}
