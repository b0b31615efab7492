import { expect, test } from 'vitest';
import { type Chart, chartBox, h, pageHtml, type Section, table } from './index.ts';

const hostile = '<script>alert("1")</script> & </style>';
const written = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &lt;/style&gt;';

const chart: Chart = {
  kind: 'curves',
  id: 'loss',
  heading: hostile,
  label: hostile,
  x: [1, 2],
  curves: [{ label: hostile, color: '#888', values: [0.5, null] }],
  height: 200,
  legend: true,
  dots: true,
};
const words: Section = { title: hostile, note: hostile, content: table([hostile], [[hostile], [1.5], [null]], 'tall') };
const drawn: Section = { title: 'Loss by epoch', short: 'Loss', content: chartBox(chart), charts: [chart] };
const page = (sections: readonly Section[]) =>
  pageHtml({ title: hostile, heading: hostile, sub: hostile, figures: [[hostile, hostile]], sections });

test('texts are escaped wherever they stand, those of charts too', () => {
  const html = page([words, drawn]);
  expect(html).not.toContain('<script>alert');
  expect(html.split(written).length - 1).toBe(11);
  const json = /<script type="application\/json" id="charts">(.*?)<\/script>/.exec(html)![1]!;
  expect(JSON.parse(json)).toEqual([chart]);
});

test('every entry of the contents leads to its section, also when titles are alike', () => {
  const html = page([words, drawn, drawn]);
  const ids = [...html.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(3);
  expect([...html.matchAll(/<a href="#([^"]+)"/g)].map(([, id]) => id)).toEqual(ids);
  expect(html).toMatch(/<a href="#loss-2">Loss<\/a>/);
});

test('a page is one file: style, script and chart library are in it, the latter two only where something is drawn', () => {
  for (const html of [page([words]), page([drawn])]) expect(html).not.toMatch(/(src|href)="(?!#|data:)/);
  expect(page([words])).not.toMatch(/uPlot|<script/);
  expect(page([drawn])).toMatch(/uPlot.*<script>\/\/ Draws the charts/s);
});

test('elements: attributes that are not given are left out, pictures have no end', () => {
  expect(String(h('img', { alt: 'a "b"', title: undefined, width: 0 }))).toBe('<img alt="a &quot;b&quot;" width="0">');
  expect(String(h('td', {}, 0, null, ['x', h('br', {})]))).toBe('<td>0x<br></td>');
});
