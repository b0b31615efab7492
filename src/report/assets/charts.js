// Draws the charts of a page with uPlot. What there is to draw, in the shapes of ../charts.ts, is JSON in the element "charts".
(() => {
  const colorOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const soft = colorOf('--soft');
  const grid = { stroke: '#8883' };
  const vertical = (size) => ({ stroke: soft, grid, size });
  const widthOf = (host) => host.clientWidth - 2;

  function curves({ id, label, x, curves, steps, height, legend, dots }) {
    const host = document.getElementById(id);
    const horizontal = { stroke: soft, grid, label, labelSize: 18, ...(steps ? { incrs: steps } : {}) };
    const series = curves.map((curve) => ({
      label: curve.label,
      stroke: curve.color,
      width: curve.width ?? 2,
      points: { show: dots },
    }));
    const values = curves.map((curve) => x.map((_, i) => curve.values[i] ?? null));
    const options = {
      width: widthOf(host),
      height,
      legend: { show: legend },
      scales: { x: { time: false } },
      axes: [horizontal, vertical(58)],
      series: [{ label }, ...series],
    };
    new uPlot(options, [x, ...values], host);
  }

  /** Labels of the axis where costs differ by powers of ten. */
  const wideTicks = [-2, -1, 0, 1, 2, 3, 4, 5].flatMap((power) =>
    [1, 2, 5].map((digit) => Number((digit * 10 ** power).toPrecision(1))),
  );

  /** The best accuracy at each cost or below. */
  function stairs(costs, front) {
    const best = new Map(front.map(({ cost, accuracy }) => [cost, accuracy]));
    let level = null;
    return costs.map((cost) => {
      level = best.get(cost) ?? level;
      return level;
    });
  }

  function place(plot, className, { cost, accuracy }) {
    const element = document.createElement('span');
    element.className = className;
    element.style.left = `${plot.valToPos(cost, 'x')}px`;
    element.style.top = `${plot.valToPos(accuracy, 'y')}px`;
    plot.over.append(element);
    return element;
  }

  function dotsAndTags(plot, points, front, label) {
    for (const point of points) {
      const dot = place(plot, 'dot', point);
      dot.style.background = point.color;
      dot.title = `${point.label}: ${point.accuracy.toFixed(2)} %, ${point.cost.toPrecision(3)} ${label}`;
    }
    const kept = [];
    for (const point of [...front].sort((a, b) => b.accuracy - a.accuracy)) {
      const tag = place(plot, 'tag', point);
      tag.textContent = point.label;
      const box = tag.getBoundingClientRect();
      const hides = (other) =>
        other.left < box.right && box.left < other.right && other.top < box.bottom && box.top < other.bottom;
      if (kept.some(hides)) tag.remove();
      else kept.push(box);
    }
  }

  function scatter({ id, label, points, front }) {
    const host = document.getElementById(id);
    const costs = [...new Set(points.map(({ cost }) => cost))].sort((a, b) => a - b);
    const [least, most] = [costs[0], costs.at(-1) * 1.0001];
    const wide = most > 5 * least;
    const range = wide ? [least / 1.15, most * 1.7] : [least - 0.05 * (most - least), most + 0.2 * (most - least)];
    const ticks = {
      splits: () => wideTicks.filter((tick) => tick >= range[0] && tick <= range[1]),
      filter: (_, shown) => shown,
      values: (_, shown) => shown.map(String),
    };
    const accuracies = points.map(({ accuracy }) => accuracy);
    const options = {
      width: widthOf(host),
      height: 340,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, distr: wide ? 3 : 1, range },
        y: { range: [Math.min(...accuracies) - 2, Math.max(...accuracies) + 2] },
      },
      axes: [{ stroke: soft, grid, label, labelSize: 18, ...(wide ? ticks : {}) }, vertical(50)],
      series: [
        {},
        { stroke: soft, width: 1, dash: [4, 4], points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) },
      ],
      hooks: { ready: [(plot) => dotsAndTags(plot, points, front, label)] },
    };
    new uPlot(options, [costs, stairs(costs, front)], host);
  }

  const kinds = { curves, scatter };
  for (const chart of JSON.parse(document.getElementById('charts').textContent)) kinds[chart.kind](chart);
})();
