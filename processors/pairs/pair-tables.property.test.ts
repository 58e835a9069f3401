import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stride, type Chunk } from '../packed/chunk.ts';
import { rowOfChunkKey } from '../packed/chunk-key.ts';
import { HeapStore } from '../packed/heap-store.ts';
import { pairRow } from './pair-row.ts';
import type { PairStep } from './pair-step.ts';
import { PairTables } from './pair-tables.ts';
import { relationCode, relations, type RelationCode } from './relation.ts';

function newStores() {
  return {
    items: new HeapStore<string, number>('pair-items'),
    names: new HeapStore<number, string>('pair-item-names'),
    marginals: new HeapStore<number, number>('marginals'),
    pairs: new HeapStore<number, Chunk>('pairs'),
  };
}

type Stores = ReturnType<typeof newStores>;

/** `row:neighbour` → [weight, count], and how many entries each row has. */
function entriesOf({ pairs }: Stores): { entries: Map<string, number[]>; heads: Map<number, number> } {
  const entries = new Map<string, number[]>();
  const heads = new Map<number, number>();
  for (const [key, { words, size, chunks, entries: inRow }] of pairs.entries()) {
    const row = rowOfChunkKey(key);
    if (chunks > 0) heads.set(row, inRow);
    for (let i = 0; i < size; i += 1) {
      entries.set(`${row}:${words[i * stride]}`, [words[i * stride + 1]!, words[i * stride + 2]!]);
    }
  }
  return { entries, heads };
}

/** The page's words: each pair's weights and count added to both items' rows (of viewed-bought to the one), where owned. */
function byDefinition({ items }: Stores, steps: readonly PairStep[], owns: (item: string) => boolean) {
  const entries = new Map<string, number[]>();
  const heads = new Map<number, number>();
  const numbers = new Map(items.entries());
  const add = (code: RelationCode, from: string, to: string, weight: number, count: number) => {
    if (!owns(from)) return;
    const row = pairRow(numbers.get(from)!, code);
    const key = `${row}:${numbers.get(to)!}`;
    const before = entries.get(key);
    if (before === undefined) heads.set(row, (heads.get(row) ?? 0) + 1);
    entries.set(key, [(before?.[0] ?? 0) + weight, (before?.[1] ?? 0) + count]);
  };
  for (const { relation, item, pairs } of steps) {
    for (const pair of pairs) {
      add(relationCode(relation), pair.item, item, pair.forward, pair.count);
      if (relation !== 'viewed-bought') add(relationCode(relation), item, pair.item, pair.back, pair.count);
    }
  }
  return { entries, heads };
}

describe('pair tables', () => {
  it('hold the sums of all steps, however batches and flushes are cut, also in rows that grow by hundreds at once', async () => {
    // A hot item meets many others, so its row takes several rounds and splits between them.
    const name = (upTo: number) => fc.nat(upTo).map((number) => `i${number}`);
    const pair = fc.record({ item: name(900), forward: fc.nat(1024), back: fc.nat(768), count: fc.nat(1) });
    const step: fc.Arbitrary<PairStep> = fc.record({
      relation: fc.constantFrom(...relations),
      item: name(2),
      first: fc.boolean(),
      pairs: fc.uniqueArray(pair, { maxLength: 10, selector: ({ item }) => item }),
    });
    const batch = fc.record({ steps: fc.array(step, { maxLength: 120, size: 'max' }), flush: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 6 }), fc.boolean(), async (batches, ownsAll) => {
        const owns = (item: string) => ownsAll || item.length % 2 === 0;
        const stores = newStores();
        const tables = new PairTables(stores, owns);
        for (const { steps, flush } of batches) {
          for (const store of Object.values(stores)) store.evict();
          await tables.load(steps);
          for (const one of steps) tables.apply(one);
          if (flush) await tables.flush();
        }
        await tables.flush();
        const steps = batches.flatMap((one) => one.steps);
        expect(entriesOf(stores)).toEqual(byDefinition(stores, steps, owns));
        const firsts = steps.filter(({ item, first }) => first && owns(item)).length;
        expect([...stores.marginals.entries()].reduce((sum, [, n]) => sum + n, 0)).toBe(firsts);
      }),
      { numRuns: 60 },
    );
  });
});
