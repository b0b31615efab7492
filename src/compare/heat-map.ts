import { folded, type Html, h, matrix, type Section, together } from '../report/index.ts';
import type { LayerMetrics } from '../train/layer-metrics.ts';
import type { Row } from './comparison.ts';

const cellOf = (value: number | null, most: number, show: (value: number) => string): Html =>
  value === null
    ? h('td', {}, '–')
    : h(
        'td',
        { style: `background:hsl(220 80% 55% / ${Math.min(0.8, (0.8 * value) / most).toFixed(3)})` },
        show(value),
      );

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
): Html {
  const lines = rows.map((row) => ({
    name: row.label,
    cells: layersOf(row).map((layer) => cellOf(measured(layer), most, show)),
  }));
  return matrix(
    'heat',
    '',
    layersOf(rows[0]!).map(({ layer }) => layer),
    lines,
    'tall',
  );
}

/** Sign flips and quantization error of every binary layer under every method. */
export function layerHeatMaps(rows: readonly Row[], suffix: string): Section[] {
  const groups = byLayers(rows);
  if (groups.length === 0) return [];
  const all = (maps: readonly Html[]): Html =>
    together(
      maps.map((map, i) => {
        const [rowsOf, layers] = [groups[i]!.length, layersOf(groups[i]![0]!).length];
        return folded(`${rowsOf} ${rowsOf === 1 ? 'row' : 'rows'} by ${layers} layers`, map);
      }),
    );
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
      content: all(flips),
    },
    {
      title: `Quantization error in the last epoch${suffix}`,
      short: `Quantization error${suffix}`,
      note: '‖w − q(w)‖ / ‖w‖: how far the binary weights are from the latent float ones.',
      content: all(errors),
    },
  ];
}
