import { noteAppendTimes } from '../../log/index.ts';
import { storeSerdes, titleKeys, titleListing } from '../../processors/index.ts';
import type { Migration } from '../../state/index.ts';
import { addStore, resetApplication, type PartitionRow, type StoredTables } from '../../topology/index.ts';

/**
 * What became of the shop's data folder, format by format. Names are those of the time, whatever they are called now.
 *
 * | from | what |
 * |------|------|
 * | 1 → 2 | other stores and repartition topics: all that is derived goes, and is computed anew from `interactions` |
 * | 2 → 3 | record batches have an append time: those that are there count as appended now |
 * | 3 → 4 | the store `title-words` is new: it is made from `products`, `product-titles` and `product-stats` |
 * | 4 → 5 | nothing: there may be other generations than `shop` from now on, and a later step has to visit them all |
 *
 * Dead letters stay: those of refused requests are nowhere else. The topology's own are written once more by the replay.
 */
export const migrations: readonly Migration[] = [
  {
    from: 1,
    what: 'all statistics, profiles and lists are computed anew from the events in the log',
    run: (engine) =>
      resetApplication(engine, {
        applicationId: 'shop',
        keptTopics: ['interactions', 'interactions.dead-letter'],
      }),
  },
  {
    from: 2,
    what: 'for the retention of topics, what is in the log counts as appended today',
    run: (engine) => noteAppendTimes(engine, Date.now()),
  },
  {
    from: 3,
    what: 'products are listed by the words of their titles, for search',
    run: (engine) =>
      addStore(engine, {
        applicationId: 'shop',
        store: { name: 'title-words', kind: 'key-value', keySerde: 'string', valueSerde: 'bytes' },
        beside: 'product-titles',
        rows: titleWordRows,
      }),
  },
];

/** Products of the catalogue, then those that only events have named. */
async function* titleWordRows(stored: StoredTables): AsyncGenerator<PartitionRow> {
  for (const first of ['products', 'product-titles'] as const) {
    for await (const page of stored.pages(first)) {
      const { partition } = page[0]!;
      const keys = page.map(({ key }) => key);
      const [products, titles, stats] = await Promise.all([
        stored.getMany('products', partition, keys),
        stored.getMany('product-titles', partition, keys),
        stored.getMany('product-stats', partition, keys),
      ]);
      for (const [at, key] of keys.entries()) {
        if (first === 'product-titles' && products[at] !== undefined) continue;
        const listing = titleListing({
          product: products[at] && storeSerdes.products.value.deserialize(products[at]),
          titles: titles[at] && storeSerdes['product-titles'].value.deserialize(titles[at]),
          stats: stats[at] && storeSerdes['product-stats'].value.deserialize(stats[at]),
        });
        const serde = storeSerdes['title-words'];
        for (const words of titleKeys(serde.key.deserialize(key), listing)) {
          yield { partition, key: serde.key.serialize(words).slice(), value: new Uint8Array() };
        }
      }
    }
  }
}
