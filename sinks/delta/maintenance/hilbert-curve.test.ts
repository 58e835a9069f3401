import { describe, expect, it } from 'vitest';
import { hilbertIndex } from './hilbert-curve.ts';

describe('the Hilbert curve', () => {
  it.each([
    [2, 4],
    [3, 3],
    [4, 2],
  ])('in %i dimensions of %i bits goes through every cell once, from neighbour to neighbour', (dimensions, bits) => {
    const side = 2 ** bits;
    const cells = Array.from({ length: side ** dimensions }, (_, cell) =>
      Array.from({ length: dimensions }, (__, axis) => Math.floor(cell / side ** axis) % side),
    );
    const byIndex = new Map(cells.map((point) => [Number(hilbertIndex(point, bits)), point]));
    expect([...byIndex.keys()].toSorted((left, right) => left - right)).toEqual(cells.map((_, index) => index));
    for (let index = 1; index < cells.length; index++) {
      const [before, after] = [byIndex.get(index - 1)!, byIndex.get(index)!];
      expect(before.reduce((sum, each, axis) => sum + Math.abs(each - after[axis]!), 0)).toBe(1);
    }
  });
});
