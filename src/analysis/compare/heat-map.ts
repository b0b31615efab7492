import type { LayerMetrics } from '../../train/layer-metrics.ts';
import { escapeHtml, type Section } from '../../train/report-page.ts';
import type { Row } from './comparison.ts';

const cellOf = (value: number | null, most: number, text: string): string =>
  value === null
    ? '<td>–</td>'
    : `<td style="background:hsl(220 80% 55% / ${Math.min(0.8, (0.8 * value) / most).toFixed(3)})">${text}</td>`;

const layersOf = (row: Row): readonly LayerMetrics[] => row.runs[0]?.metrics.at(-1)?.layers ?? [];

/** Rows whose networks have the same layers: those of methods with branches have more. */
function byLayers(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = layersOf(row)
      .map(({ layer }) => layer)
      .join();
    if (key) groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

/**
 * Methods down, layers across, of the last epoch of each first run.
 *
 * @param most value of the darkest cell
 */
function heatMap(
  rows: readonly Row[],
  measured: (layer: LayerMetrics) => number | null,
  show: (value: number) => string,
  most: number,
): string {
  const lines = rows.map((row) => {
    const cells = layersOf(row).map((layer) => {
      const value = measured(layer);
      return cellOf(value, most, value === null ? '' : show(value));
    });
    return `<tr><th>${escapeHtml(row.label)}</th>${cells.join('')}</tr>`;
  });
  const head = layersOf(rows[0]!)
    .map(({ layer }) => `<th class="turned"><span>${escapeHtml(layer)}</span></th>`)
    .join('');
  return `<div class="wide tall"><table class="heat"><thead><tr><th></th>${head}</tr></thead><tbody>${lines.join('')}</tbody></table></div>`;
}

/** Sign flips and quantization error of every binary layer under every method. */
export function layerHeatMaps(rows: readonly Row[], suffix: string): Section[] {
  const groups = byLayers(rows);
  if (groups.length === 0) return [];
  const folded = (maps: readonly string[]) =>
    maps
      .map(
        (map, i) =>
          `<details><summary>${groups[i]!.length} ${groups[i]!.length === 1 ? 'row' : 'rows'} by ${layersOf(groups[i]![0]!).length} layers</summary>${map}</details>`,
      )
      .join('');
  const flips = groups.map((group) =>
    heatMap(
      group,
      ({ signFlips }) => 100 * signFlips,
      (value) => value.toFixed(value < 10 ? 1 : 0),
      30,
    ),
  );
  const errors = groups.map((group) =>
    heatMap(
      group,
      ({ quantizationError }) => quantizationError,
      (value) => value.toFixed(value < 10 ? 2 : 0),
      2,
    ),
  );
  return [
    {
      title: `Weights that changed sign in the last epoch, %${suffix}`,
      short: `Sign flips${suffix}`,
      note: 'Methods down, layers across; the stronger the colour, the more weights were still undecided.',
      html: folded(flips),
    },
    {
      title: `Quantization error in the last epoch${suffix}`,
      short: `Quantization error${suffix}`,
      note: '‖w − q(w)‖ / ‖w‖: how far the binary weights are from the latent float ones.',
      html: folded(errors),
    },
  ];
}
