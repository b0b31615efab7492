import { expect, test } from 'vitest';
import { interpolated } from './interpolated.ts';

test('a table read in straight lines is as near as f"/8 (end/steps)^2, up to its end', () => {
  const cosine = interpolated(Math.cos, 2 * Math.PI, 4096);
  for (let i = 0; i <= 1000; i++) {
    const x = (2 * Math.PI * i) / 1000;
    expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan((2 * Math.PI) ** 2 / 4096 ** 2 / 8 + 1e-12);
  }
});
