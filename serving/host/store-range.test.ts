import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { int64Serde, stringSerde, type Serde } from '../../schemas/index.ts';
import { concatBytes, createMemoryEngine, WriteBatchBuilder } from '../../state/index.ts';
import type { StoreSpec } from '../../topology/index.ts';
import type { RangePage, RangeRequest } from './messages.ts';
import { rangePage } from './store-range.ts';

const spec = {
  kind: 'key-value',
  name: 'things',
  keySerde: stringSerde,
  valueSerde: int64Serde,
} as unknown as StoreSpec;
const whole: RangeRequest = { store: 'things', from: null, to: null, prefix: null, limit: 3, cursor: null };

interface Thing {
  readonly key: string;
  readonly partition: number;
  readonly value: number;
}

/** Asks for pages of a store that holds these rows. */
async function storeOf(things: readonly Thing[], of: StoreSpec = spec) {
  const engine = createMemoryEngine();
  const partitions = [0, 1, 2].map((partition) => ({ partition, prefix: Uint8Array.of(7, partition) }));
  const batch = new WriteBatchBuilder();
  for (const { key, partition, value } of things) {
    const bytes = (of.keySerde as Serde<unknown>).serialize(key);
    batch.put('state', concatBytes(partitions[partition]!.prefix, bytes), int64Serde.serialize(value));
  }
  await engine.write(batch);
  return async (request: Partial<RangeRequest> = {}): Promise<RangePage> => {
    await using snapshot = engine.snapshot();
    return await rangePage(snapshot, { spec: of, partitions, request: { ...whole, ...request } });
  };
}

async function allPages(ask: (request: Partial<RangeRequest>) => Promise<RangePage>, request: Partial<RangeRequest>) {
  const rows: Thing[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page: RangePage = await ask({ ...request, cursor });
    rows.push(...(page.rows as Thing[]));
    if (page.cursor === null) return rows;
    cursor = page.cursor;
  }
}

describe('pages of a store', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀', '/'), maxLength: 4 });
  const thingsArbitrary = fc.uniqueArray(
    fc.record({ key: text, partition: fc.nat({ max: 2 }), value: fc.nat({ max: 1000 }) }),
    { selector: ({ key, partition }) => `${partition} ${key}`, maxLength: 30 },
  );
  const utf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

  test('together hold each row of the range once, in key order, whatever their size', async () => {
    await fc.assert(
      fc.asyncProperty(
        thingsArbitrary,
        fc.integer({ min: 1, max: 7 }),
        fc.option(text),
        fc.option(text),
        async (things, limit, from, to) => {
          const rows = await allPages(await storeOf(things), { from, to, limit });
          const expected = things
            .filter(({ key }) => (from === null || utf8(key, from) >= 0) && (to === null || utf8(key, to) < 0))
            .toSorted((a, b) => utf8(a.key, b.key) || a.partition - b.partition);
          expect(rows).toEqual(expected);
        },
      ),
    );
  });

  test('of a prefix hold the keys that begin with it', async () => {
    await fc.assert(
      fc.asyncProperty(thingsArbitrary, text, async (things, prefix) => {
        const rows = await allPages(await storeOf(things), { prefix });
        const expected = things.filter(({ key }) => key.startsWith(prefix));
        expect(rows.map(({ key }) => key).toSorted(utf8)).toEqual(expected.map(({ key }) => key).toSorted(utf8));
      }),
    );
  });

  test('say by a null cursor that there is no more, also when the last page is full', async () => {
    const ask = await storeOf([1, 2, 3].map((value) => ({ key: `k${value}`, partition: 0, value })));
    expect((await ask({ limit: 3 })).cursor).toBeNull();
    expect((await ask({ limit: 2 })).cursor).not.toBeNull();
  });
});

describe('a range is refused', () => {
  test.each([
    [{ cursor: 'no cursor!' }, 'A cursor wants'],
    [{ prefix: 'a', from: 'b' }, 'found both'],
  ])('%j', async (request, message) => {
    await expect((await storeOf([]))(request)).rejects.toThrow(message);
  });

  test('by prefix where keys are no text', async () => {
    const numbers = { ...spec, keySerde: int64Serde } as unknown as StoreSpec;
    await expect((await storeOf([], numbers))({ prefix: '1' })).rejects.toThrow("keys of 'int64'");
  });
});
