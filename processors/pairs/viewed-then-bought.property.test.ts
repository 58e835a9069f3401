import fc from 'fast-check';
import { expect, it } from 'vitest';
import { viewedThenBought } from './viewed-then-bought.ts';

/** Every place by the page's words: the least distance of each item that is within reach, and not what was bought. */
function byDefinition(viewed: readonly string[], bought: string, positions: number): Map<string, number> {
  const weights = new Map<string, number>();
  for (const [place, item] of viewed.entries()) {
    const d = viewed.length - place;
    if (d <= positions && item !== bought) weights.set(item, Math.round(1024 / Math.sqrt(d)));
  }
  return weights;
}

it('each item of the last views leads to the purchase once, by its nearest place', () => {
  const item = fc.constantFrom(...'abcdefghijklmnop');
  fc.assert(
    fc.property(fc.array(item, { maxLength: 30 }), item, fc.constantFrom(10, 1, 20), (viewed, bought, positions) => {
      const pairs = viewedThenBought(viewed, bought, positions);
      const expected = byDefinition(viewed, bought, positions);
      expect(new Map(pairs.map(({ item: other, forward }) => [other, forward]))).toEqual(expected);
      expect(pairs.every(({ back, count }) => back === 0 && count === 1)).toBe(true);
      expect(pairs.length).toBe(expected.size);
    }),
  );
});
