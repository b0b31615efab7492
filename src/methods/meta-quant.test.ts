import { describe, expect, test } from 'vitest';
import { Random } from '../core/random.ts';
import { Bench } from './equations.testing.ts';
import {
  calibrated,
  type MetaForm,
  metaFactor,
  metaQuant,
  metaQuantFcGrad,
  metaStart,
  metaStep,
} from './meta-quant.ts';

/** The published network of 100 units, all its weights kept and moved by an Adam of its own. */
class FullNetwork {
  readonly matrices: { rows: number; columns: number; w: number[]; m: number[]; v: number[] }[];
  steps = 0;
  constructor(form: MetaForm) {
    const sizes = form === 'multi-fc' ? [1, 100, 100, 1] : [1, 100, 1];
    this.matrices = sizes.slice(1).map((columns, i) => {
      const rows = sizes[i]!;
      const first = i === sizes.length - 2 ? 1 : 1 / 100;
      const of = (value: number) => new Array<number>(rows * columns).fill(value);
      return { rows, columns, w: of(first), m: of(0), v: of(0) };
    });
  }
  activations(x: number): number[][] {
    const values = [[x]];
    for (const { rows, columns, w } of this.matrices) {
      const input = values.at(-1)!;
      values.push(
        Array.from({ length: columns }, (_, c) =>
          Array.from({ length: rows }, (_, r) => input[r]! * w[r * columns + c]!).reduce((a, b) => a + b, 0),
        ),
      );
    }
    return values;
  }
  /** For dL/dM(1) = `gradient`. */
  step(gradient: number): void {
    const values = this.activations(1);
    let upstream = [gradient];
    const gradients: number[][] = [];
    for (let i = this.matrices.length - 1; i >= 0; i--) {
      const { rows, columns, w } = this.matrices[i]!;
      gradients[i] = w.map((_, at) => values[i]![Math.floor(at / columns)]! * upstream[at % columns]!);
      upstream = Array.from({ length: rows }, (_, r) =>
        upstream.reduce((sum, g, c) => sum + g * w[r * columns + c]!, 0),
      );
    }
    this.steps++;
    for (const [i, { w, m, v }] of this.matrices.entries())
      for (let at = 0; at < w.length; at++) {
        const g = gradients[i]![at]!;
        m[at] = 0.9 * m[at]! + 0.1 * g;
        v[at] = 0.999 * v[at]! + 0.001 * g * g;
        w[at]! -= (1e-3 * m[at]!) / (1 - 0.9 ** this.steps) / (Math.sqrt(v[at]! / (1 - 0.999 ** this.steps)) + 1e-8);
      }
  }
}

test.each(['multi-fc', 'fc-grad'] as const)('%s: one number per matrix is the network of 100 units', (form) => {
  const [full, entries, random] = [new FullNetwork(form), metaStart(form), new Random(3)];
  const moments = new Float32Array(2 * entries.length + 1);
  expect(metaFactor(entries)).toBeCloseTo(1, 6);
  for (let i = 0; i < 30; i++) {
    const gradient = random.normal() - 0.3;
    full.step(gradient);
    metaStep(entries, moments, gradient);
    expect(metaFactor(entries)).toBeCloseTo(full.activations(1).at(-1)![0]!, 3);
  }
  expect(Math.abs(metaFactor(entries) - 1)).toBeGreaterThan(0.1);
});

test('calibration: at w = 0 it is 1/max|tanh w|, and everywhere twice the slope of `unit`', () => {
  const w = Float32Array.of(0, 0.3, -0.8, 1.1);
  const { unit, calibration } = calibrated(w);
  expect(calibration[0]).toBeCloseTo(1 / Math.tanh(1.1), 6);
  for (let i = 0; i < 3; i++) {
    const [up, down] = [1e-3, -1e-3].map((d) => calibrated(w.map((x, at) => (at === i ? x + d : x))).unit[i]!);
    expect((2 * (up! - down!)) / 2e-3).toBeCloseTo(calibration[i]!, 3);
  }
  expect(unit[0]).toBe(0.5);
});

describe('the update', () => {
  const point = { progress: 0, epoch: 0, rate: 0.1, step: 1 };
  const stepOf = (method: typeof metaQuant, bench: Bench, g: number[]) => {
    bench.layer.weight.grad = Float32Array.from(g);
    method.update!.beforeStep!([bench.layer], point);
    const gradient = [...bench.layer.weight.grad!];
    bench.layer.weight.grad = null;
    return gradient;
  };

  test('while M is 1 it is the straight-through gradient with its calibration', () => {
    const bench = new Bench(metaQuantFcGrad, [[0.5], [-0.25]]);
    bench.effective();
    const { calibration } = calibrated(bench.layer.weight.data);
    const g = [0.3, -0.2];
    expect(stepOf(metaQuantFcGrad, bench, g)).toEqual([0, 1].map((i) => expect.closeTo(g[i]! * calibration[i]!, 6)));
  });

  test('MultiFC multiplies by the weight on [0,1]', () => {
    const bench = new Bench(metaQuant, [[0.5], [-0.25]]);
    bench.effective();
    const { unit, calibration } = calibrated(bench.layer.weight.data);
    const g = [0.3, -0.2];
    expect(stepOf(metaQuant, bench, g)).toEqual(
      [0, 1].map((i) => expect.closeTo(g[i]! * calibration[i]! * unit[i]!, 6)),
    );
  });

  test('a gradient that stays makes M grow, one that turns makes it shrink', () => {
    const factorAfter = (second: number[]) => {
      const bench = new Bench(metaQuantFcGrad, [[0.5], [-0.25]]);
      bench.effective();
      stepOf(metaQuantFcGrad, bench, [0.3, -0.2]);
      expect(metaFactor(bench.layer.kept['entries']!.data)).toBeCloseTo(1, 6);
      stepOf(metaQuantFcGrad, bench, second);
      return metaFactor(bench.layer.kept['entries']!.data);
    };
    expect(factorAfter([0.3, -0.2])).toBeGreaterThan(1.05);
    expect(factorAfter([-0.3, 0.2])).toBeLessThan(0.95);
  });
});
