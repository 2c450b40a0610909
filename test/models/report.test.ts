import test from 'ava';
import {drawBars, drawLines, escapeText, shortly} from '../../models/report/charts.ts';
import {renderPage} from '../../models/report/page.ts';
import fc from '../support/fast-check.ts';

const numbers = fc.double({noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6});

/** Every coordinate that a chart's lines go through. */
function pointsOf(svg: string): [number, number][] {
  return [...svg.matchAll(/points="([^"]*)"/g)].flatMap(([, text]) =>
    (text as string).split(' ').map(pair => pair.split(',').map(Number) as [number, number]),
  );
}

test('lines stay within their frame, whatever the values', t => {
  fc.assert(
    fc.property(fc.array(fc.tuple(numbers, numbers), {minLength: 1, maxLength: 20}), points => {
      const svg = drawLines({title: 'a', x: 'b', y: 'c', series: [{name: 'd', points}]});
      return pointsOf(svg).every(([x, y]) => x >= 51 && x <= 409 && y >= 27 && y <= 221);
    }),
  );
  t.pass();
});

test('higher values are higher up, later ones further right', t => {
  const svg = drawLines({
    title: 'loss',
    x: 'round',
    y: 'loss',
    series: [
      {
        name: 'one',
        points: [
          [0, 1],
          [10, 2],
        ],
      },
    ],
  });
  const [first, second] = pointsOf(svg) as [[number, number], [number, number]];
  t.true(second[0] > first[0] && second[1] < first[1]);
  t.regex(svg, /role="img" aria-label="loss"/);
});

test('what is not finite is left out, and without anything else the chart says so', t => {
  const series = [
    {
      name: 'a',
      points: [
        [Number.NaN, 1],
        [1, Number.POSITIVE_INFINITY],
      ] as const,
    },
  ];
  t.regex(drawLines({title: 't', x: 'x', y: 'y', series}), /no data/);
});

test('several lines have a legend and the diagonal is drawn where it can be seen', t => {
  const points = [
    [0, 0.2],
    [1, 0.9],
  ] as const;
  const svg = drawLines({
    title: 't',
    x: 'x',
    y: 'y',
    diagonal: true,
    series: [
      {name: 'first', points},
      {name: 'second', points},
    ],
  });
  t.regex(svg, /first.*second/s);
  t.regex(svg, /stroke-dasharray/);
});

test('bars are as long as their values', t => {
  const svg = drawBars({
    title: 'b',
    bars: [
      {label: 'long', value: 4},
      {label: 'short', value: -1},
    ],
  });
  const widths = [...svg.matchAll(/width="([\d.]+)" height="13"/g)].map(match => Number(match[1]));
  t.is(widths[0], 4 * (widths[1] as number));
});

test('text cannot become markup', t => {
  t.is(escapeText('<b a="1">&'), '&lt;b a=&quot;1&quot;&gt;&amp;');
  const page = renderPage('<x>', 'a & b', [
    {title: '<s>', tables: [{header: ['<h>'], rows: [['<td>']]}]},
  ]);
  t.notRegex(page, /<x>|<s>|<h>/);
  t.regex(page, /&lt;td&gt;/);
});

test('numbers are short', t => {
  t.deepEqual([0, 0.12345, 1234.5, 1e-7, 2].map(shortly), ['0', '0.123', '1230', '1e-7', '2']);
});
