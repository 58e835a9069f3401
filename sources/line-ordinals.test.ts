import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineOrdinals } from './line-ordinals.ts';

describe('line ordinals', () => {
  it('count each line from 0, also where lines share a slot', () => {
    const half = fc.constantFrom(0, 1, 1 << 16, 1 << 17, 0xffff_ffff);
    fc.assert(
      fc.property(fc.array(fc.tuple(half, half)), (keys) => {
        const ordinals = new LineOrdinals();
        const seen = new Map<string, number>();
        for (const [high, low] of keys) {
          const before = seen.get(`${high},${low}`) ?? 0;
          expect(ordinals.next(high, low)).toBe(before);
          seen.set(`${high},${low}`, before + 1);
        }
      }),
    );
  });
  it('stay right while the table grows', () => {
    const ordinals = new LineOrdinals();
    const wrong: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100_000; i++) if (ordinals.next(i, Math.imul(i, 0x9e37_79b1) >>> 0) !== round) wrong.push(i);
    }
    expect(wrong).toEqual([]);
  });
});
