import fc from 'fast-check';
import { expect, it } from 'vitest';
import { emptyTopList, knowsFirst, moveInTop, type Ranked } from './top-list.ts';

const capacity = 6;
const max = 3;

/** undefined: the product leaves. Few ranks, so that products are equal often. */
const moves = fc.array(
  fc.record({
    productId: fc.constantFrom(...'abcdefghijkl'),
    rank: fc.option(fc.nat(8), { nil: undefined, freq: 3 }),
  }),
  { maxLength: 80, size: 'max' },
);

it('a list that says it knows the first products does, whatever came, moved and left', () => {
  fc.assert(
    fc.property(moves, (history) => {
      const list = emptyTopList<Ranked>();
      const all = new Map<string, Ranked>();
      for (const { productId, rank } of history) {
        const after = rank === undefined ? undefined : { productId, rank };
        moveInTop(list, { before: all.get(productId), after, capacity });
        if (after === undefined) all.delete(productId);
        else all.set(productId, after);
        const sorted = [...all.values()].sort((a, b) => b.rank - a.rank || (a.productId < b.productId ? -1 : 1));
        expect(list.entries).toEqual(sorted.slice(0, list.entries.length));
        if (list.complete) expect(list.entries).toEqual(sorted);
        else if (knowsFirst(list, max)) expect(list.entries.slice(0, max)).toEqual(sorted.slice(0, max));
      }
    }),
    { numRuns: 500 },
  );
});

it('a full list stands a departure for each place of its reserve', () => {
  const list = emptyTopList<Ranked>();
  const entries = [...'abcdefgh'].map((productId, at) => ({ productId, rank: 10 - at }));
  for (const after of entries) moveInTop(list, { before: undefined, after, capacity });
  const known = entries.slice(0, 4).map((before) => {
    moveInTop(list, { before, after: undefined, capacity });
    return knowsFirst(list, max);
  });
  expect(known).toEqual([true, true, true, false]);
});
