import { itemOfPairRow, rowOfChunkKey, storeNames, storeSerdes } from '../../processors/index.ts';
import type { FetchRequest } from '../host/messages.ts';
import { RowSlicer, type PublishedRow } from '../host/published-rows.ts';
import { publishedStores } from '../host/published-stores.ts';

/** A double of the committed rows that the host thread answers from, for tests: what was published, by key. */
export class FakeRows {
  readonly #rows = new Map<string, PublishedRow>();

  put(row: PublishedRow): void {
    this.#rows.set(placeOf(row), row);
  }

  has(row: PublishedRow): boolean {
    return this.#rows.has(placeOf(row));
  }

  /** A slice as fetched-rows.ts gives it. */
  fetch({ productsOf, namesOf, pairsOf, titlesOf, categoriesOf, topsOf, users }: FetchRequest): ArrayBuffer {
    const slicer = new RowSlicer(Infinity);
    for (const row of [...this.#rows.values()].sort((a, b) => a.store - b.store)) {
      const { partition, key } = row;
      const store = publishedStores[row.store];
      if (store === storeNames.productStats || store === storeNames.products) {
        const id = storeSerdes[store].key.deserialize(key);
        if (productsOf.includes(id)) slicer.add(row);
        if (store === storeNames.products && titlesOf.includes(id)) {
          slicer.add({ ...row, store: publishedStores.length });
        }
      } else if (store === storeNames.pairItemNames) {
        const number = storeSerdes[store].key.deserialize(key);
        const named = namesOf.some((of) => of.partition === partition && of.number === number);
        if (named || productsOf.includes(this.#nameOf(partition, number)!)) slicer.add(row);
      } else if (store === storeNames.marginals) {
        const name = this.#nameOf(partition, itemOfPairRow(storeSerdes[store].key.deserialize(key)));
        if (name !== undefined && productsOf.includes(name)) slicer.add(row);
      } else if (store === storeNames.productTitles) {
        if (titlesOf.includes(storeSerdes[store].key.deserialize(key))) slicer.add(row);
      } else if (store === storeNames.productCategories) {
        if (categoriesOf.includes(storeSerdes[store].key.deserialize(key))) slicer.add(row);
      } else if (store === storeNames.categoryTops) {
        if (topsOf.includes(storeSerdes[store].key.deserialize(key))) slicer.add(row);
      } else if (store === storeNames.userProfiles) {
        if (users.includes(storeSerdes[store].key.deserialize(key))) slicer.add(row);
      } else if (store === storeNames.pairs) {
        const name = this.#nameOf(partition, itemOfPairRow(rowOfChunkKey(storeSerdes[store].key.deserialize(key))));
        if (name !== undefined && pairsOf.includes(name)) slicer.add(row);
      }
    }
    return slicer.take();
  }

  #nameOf(partition: number, number: number): string | undefined {
    const { key, value } = storeSerdes[storeNames.pairItemNames];
    const store = publishedStores.indexOf(storeNames.pairItemNames);
    const row = this.#rows.get(`${store} ${partition} ${Buffer.from(key.serialize(number)).toString('hex')}`);
    return row === undefined || row.value === null ? undefined : value.deserialize(row.value);
  }
}

function placeOf({ store, partition, key }: PublishedRow): string {
  return `${store} ${partition} ${Buffer.from(key).toString('hex')}`;
}
