import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TopK } from './top-k.ts';

it('the k best are those of a full sort, ties by id, whatever the order of offers', () => {
  const scores = fc.array(fc.nat(5), { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(scores, fc.nat(12), (given, limit) => {
      const idOf = (item: number) => String(item);
      const top = new TopK(idOf);
      top.reset(limit);
      for (const [item, score] of given.entries()) top.offer(item, score);
      const sorted = [...given.entries()].toSorted(
        ([a, left], [b, right]) => right - left || (idOf(a) < idOf(b) ? -1 : 1),
      );
      const expected = sorted.slice(0, limit).map(([item, score]) => ({ item, score }));
      expect(new Set(top.kept())).toEqual(new Set(expected.map(({ item }) => item)));
      expect(top.take()).toEqual(expected);
      expect(top.take()).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
