import type { LayerMetrics } from '../../train/layer-metrics.ts';
import { escapeHtml } from '../../train/report-page.ts';
import type { Row } from './comparison.ts';

const cellOf = (value: number | null, most: number, text: string): string =>
  value === null
    ? '<td>–</td>'
    : `<td style="background:hsl(220 80% 55% / ${Math.min(0.8, (0.8 * value) / most).toFixed(3)})">${text}</td>`;

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
  const layers = rows[0]!.runs[0]!.metrics.at(-1)!.layers.map(({ layer }) => layer);
  const lines = rows.map((row) => {
    const metrics = row.runs[0]!.metrics.at(-1)!.layers;
    const cells = metrics.map((layer) => {
      const value = measured(layer);
      return cellOf(value, most, value === null ? '' : show(value));
    });
    return `<tr><th>${escapeHtml(row.label)}</th>${cells.join('')}</tr>`;
  });
  const head = layers.map((name) => `<th class="turned"><span>${escapeHtml(name)}</span></th>`).join('');
  return `<div class="wide"><table class="heat"><thead><tr><th></th>${head}</tr></thead><tbody>${lines.join('')}</tbody></table></div>`;
}

/** Sign flips and quantization error of every binary layer under every method. */
export function layerHeatMaps(all: readonly Row[]): string {
  const rows = all.filter(({ runs }) => (runs[0]?.metrics.at(-1)?.layers.length ?? 0) > 0);
  if (rows.length === 0) return '';
  const flips = heatMap(
    rows,
    ({ signFlips }) => 100 * signFlips,
    (value) => value.toFixed(value < 10 ? 1 : 0),
    30,
  );
  const errors = heatMap(
    rows,
    ({ quantizationError }) => quantizationError,
    (value) => value.toFixed(value < 10 ? 2 : 0),
    2,
  );
  return `<h2>Weights that changed sign in the last epoch, %</h2>${flips}<h2>Quantization error ||w − q(w)|| / ||w||, last epoch</h2>${errors}`;
}
