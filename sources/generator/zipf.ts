/**
 * Ranks 0..n-1 with probability ∝ 1 / (rank + 1)^s, s > 0, in constant time and memory whatever n: rejection-inversion
 * (W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions", 1996).
 * The area under x^-s is inverted, and the rounding to a whole rank is corrected by rejecting a few draws.
 */
import type { Random } from './random.ts';

export function drawZipf(random: Random, count: number, exponent: number): number {
  if (count <= 1) return 0;
  const top = area(1.5, exponent) - 1;
  const bottom = area(count + 0.5, exponent);
  for (;;) {
    const u = bottom + random.unit() * (top - bottom);
    const x = inverseArea(u, exponent);
    const k = Math.min(Math.max(Math.round(x), 1), count);
    if (u >= area(k + 0.5, exponent) - k ** -exponent) return k - 1;
  }
}

/** The integral of x^-s. */
function area(x: number, exponent: number): number {
  return exponent === 1 ? Math.log(x) : x ** (1 - exponent) / (1 - exponent);
}

function inverseArea(value: number, exponent: number): number {
  return exponent === 1 ? Math.exp(value) : (value * (1 - exponent)) ** (1 / (1 - exponent));
}
