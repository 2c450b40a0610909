/** Pictures for a report: SVG text that needs no script and no other file. Pure. */

export type Point = readonly [x: number, y: number];
export type Series = {readonly name: string; readonly points: readonly Point[]};
export type LineChart = {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Draws x = y, which a calibrated model follows. */
  readonly diagonal?: boolean;
};
export type BarChart = {
  readonly title: string;
  readonly bars: readonly {readonly label: string; readonly value: number}[];
};

const WIDTH = 420;
const HEIGHT = 260;
const LEFT = 52;
const RIGHT = 12;
const TOP = 28;
const BOTTOM = 40;
/** Told apart by people who see no red or no green as well (Okabe, Ito 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const TICKS = 4;

type Scale = {readonly from: number; readonly to: number; readonly steps: readonly number[]};

/** Lines over a plane. Points that are not finite are left out; a chart without any says so. */
export function drawLines(chart: LineChart): string {
  const series = chart.series.map(({name, points}) => ({
    name,
    points: points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const all = series.flatMap(({points}) => points);
  if (all.length === 0)
    return svg(chart.title, HEIGHT, label(WIDTH / 2, HEIGHT / 2, 'no data', 'middle'));
  const x = scaleOf(all.map(point => point[0]));
  const y = scaleOf(all.map(point => point[1]));
  const place = ([px, py]: Point) => `${toX(x, px).toFixed(1)},${toY(y, py).toFixed(1)}`;
  const lines = series.map(
    ({points}, index) =>
      `<polyline fill="none" stroke="${colour(index)}" stroke-width="2" points="${points.map(place).join(' ')}"/>`,
  );
  const low = Math.max(x.from, y.from);
  const high = Math.min(x.to, y.to);
  const diagonal = chart.diagonal
    ? `<polyline fill="none" stroke="currentColor" stroke-dasharray="4" opacity=".5" points="${place([low, low])} ${place([high, high])}"/>`
    : '';
  return svg(chart.title, HEIGHT, [axes(chart, x, y), diagonal, ...lines, legend(series)].join(''));
}

/** Bars beside each other's labels, the longest as wide as there is room. */
export function drawBars({title, bars}: BarChart): string {
  const row = 20;
  const height = TOP + bars.length * row + 10;
  const largest = Math.max(...bars.map(({value}) => Math.abs(value)), Number.MIN_VALUE);
  const room = WIDTH - 250;
  const drawn = bars.map(({label: text, value}, index) => {
    const y = TOP + index * row;
    const width = ((room * Math.abs(value)) / largest).toFixed(1);
    return (
      label(186, y + 13, text, 'end') +
      `<rect x="192" y="${y + 3}" width="${width}" height="13" fill="${colour(value < 0 ? 1 : 0)}"/>` +
      label(196 + Number(width), y + 13, shortly(value), 'start')
    );
  });
  return svg(title, height, drawn.join(''));
}

function axes(chart: LineChart, x: Scale, y: Scale): string {
  const bottom = HEIGHT - BOTTOM;
  const grid = '<line stroke="currentColor" opacity=".2"';
  return [
    ...x.steps.map(
      step =>
        `${grid} x1="${toX(x, step)}" x2="${toX(x, step)}" y1="${TOP}" y2="${bottom}"/>` +
        label(toX(x, step), bottom + 14, shortly(step), 'middle'),
    ),
    ...y.steps.map(
      step =>
        `${grid} x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${toY(y, step)}" y2="${toY(y, step)}"/>` +
        label(LEFT - 5, toY(y, step) + 4, shortly(step), 'end'),
    ),
    label((LEFT + WIDTH) / 2, HEIGHT - 8, chart.x, 'middle'),
    `<g transform="translate(12 ${(TOP + bottom) / 2}) rotate(-90)">${label(0, 0, chart.y, 'middle')}</g>`,
  ].join('');
}

function legend(series: readonly Series[]): string {
  if (series.length < 2) return '';
  return series
    .map(({name}, index) => {
      const y = TOP + 10 + index * 14;
      const swatch = `<rect x="${WIDTH - 108}" y="${y - 8}" width="9" height="9" fill="${colour(index)}"/>`;
      return swatch + label(WIDTH - 95, y, name, 'start');
    })
    .join('');
}

/** Round steps about the values: 1, 2 or 5 times a power of ten. */
function scaleOf(values: readonly number[]): Scale {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  // All equal, or as good as: a frame about them that floating point can tell apart.
  const span = Math.max(high - low, 1e-6 * Math.max(Math.abs(high), Math.abs(low)), 1e-9);
  const magnitude = 10 ** Math.floor(Math.log10(span / TICKS));
  const step = ([1, 2, 5, 10].find(each => each * magnitude >= span / TICKS) ?? 10) * magnitude;
  const from = Math.floor(low / step) * step;
  const count = Math.max(1, Math.ceil((high - from) / step - 1e-9));
  const steps = Array.from({length: count + 1}, (_, index) =>
    Number((from + index * step).toPrecision(12)),
  );
  return {from, to: steps.at(-1) as number, steps};
}

function toX({from, to}: Scale, x: number): number {
  return Number((LEFT + ((x - from) / (to - from)) * (WIDTH - LEFT - RIGHT)).toFixed(1));
}

function toY({from, to}: Scale, y: number): number {
  const bottom = HEIGHT - BOTTOM;
  return Number((bottom - ((y - from) / (to - from)) * (bottom - TOP)).toFixed(1));
}

function colour(index: number): string {
  return COLOURS[index % COLOURS.length] as string;
}

/** Three significant digits, without zeros that say nothing. */
export function shortly(value: number): string {
  return value === 0 ? '0' : String(Number(value.toPrecision(3)));
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="currentColor">${escapeText(text)}</text>`;
}

function svg(title: string, height: number, content: string): string {
  const name = escapeText(title);
  const heading = `<text x="8" y="16" font-weight="bold" fill="currentColor">${name}</text>`;
  return `<svg role="img" aria-label="${name}" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">${heading}${content}</svg>`;
}

/** Text as it may stand in HTML. */
export function escapeText(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replaceAll(/[&<>"]/g, mark => marks[mark] as string);
}
