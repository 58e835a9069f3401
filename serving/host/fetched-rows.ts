import {
  chunkKey,
  chunkSerde,
  eventRelations,
  pairRow,
  partitionOfItem,
  relationCode,
  relations,
  storeNames,
  storeSerdes,
  type ChunkKey,
} from '../../processors/index.ts';
import { concatBytes, type EngineSnapshot } from '../../state/index.ts';
import type { FetchRequest } from './messages.ts';
import { RowSlicer } from './published-rows.ts';
import { publishedStores } from './published-stores.ts';

/**
 * Rows that the HTTP thread does not hold, in the form of a publication's slice. Three batched reads at most:
 *
 *     titles, profiles, names, stats, item ids ─> numbers ─> marginals, heads of pair rows (how many chunks) ─> other chunks
 */
export async function fetchedRows(
  snapshot: EngineSnapshot,
  { productsOf, namesOf, pairsOf, titlesOf, categoriesOf, topsOf, users }: FetchRequest,
  { partitions, partitionsHere, prefixOf }: FetchContext,
): Promise<ArrayBuffer> {
  const slicer = new RowSlicer(Infinity);
  const read = async (rows: readonly WantedRow[]): Promise<(Uint8Array | undefined)[]> =>
    await snapshot.getMany(
      'state',
      rows.map(({ store, partition, key }) => concatBytes(prefixOf(store, partition), key)),
    );
  const give = ({ store, answer, partition, key }: WantedRow, value: Uint8Array): void => {
    slicer.add({ store: answer ?? publishedStores.indexOf(store), partition, key, value });
  };

  const texts = (store: NamedStore, ids: readonly string[]) =>
    ids.flatMap((id) => {
      const key = storeSerdes[store].key.serialize(id).slice();
      return partitionsHere(store).map((partition): WantedRow => ({ store, partition, key }));
    });
  const namesHere = partitionsHere(storeNames.pairItemNames);
  const named = [
    ...namesOf.flatMap(({ partition, number }) => (namesHere.includes(partition) ? [nameRow(partition, number)] : [])),
    ...texts(storeNames.productStats, productsOf),
    ...texts(storeNames.products, productsOf),
    ...texts(storeNames.productTitles, titlesOf),
    ...texts(storeNames.products, titlesOf).map((row) => ({ ...row, answer: publishedStores.length })),
    ...texts(storeNames.productCategories, categoriesOf),
    ...texts(storeNames.categoryTops, topsOf),
    ...texts(storeNames.userProfiles, users),
  ];
  const pairsHere = partitionsHere(storeNames.pairItems);
  const isPairHere = (id: string) => pairsHere.includes(partitionOfItem(id, partitions));
  const [products, items] = [productsOf, pairsOf].map((ids) => ids.filter(isPairHere)) as [string[], string[]];
  const numbers = [...products, ...items].map((id): WantedRow => ({
    store: storeNames.pairItems,
    partition: partitionOfItem(id, partitions),
    key: storeSerdes[storeNames.pairItems].key.serialize(id).slice(),
  }));
  const first = await read([...named, ...numbers]);
  named.forEach((row, at) => {
    if (first[at] !== undefined) give(row, first[at]);
  });
  const numberAt = (at: number): number | undefined => {
    const found = first[named.length + at];
    return found === undefined ? undefined : storeSerdes[storeNames.pairItems].value.deserialize(found);
  };

  const marginals = products.flatMap((id, at): WantedRow[] => {
    const number = numberAt(at);
    if (number === undefined) return [];
    const { partition } = numbers[at]!;
    give(nameRow(partition, number), storeSerdes[storeNames.pairItemNames].value.serialize(id).slice());
    return eventRelations.map((relation) => {
      const key = storeSerdes[storeNames.marginals].key.serialize(pairRow(number, relationCode(relation))).slice();
      return { store: storeNames.marginals, partition, key };
    });
  });
  const heads: (WantedRow & { readonly row: number })[] = items.flatMap((_id, at) => {
    const number = numberAt(products.length + at);
    if (number === undefined) return [];
    const { partition } = numbers[products.length + at]!;
    return relations.map((relation) => {
      const row = pairRow(number, relationCode(relation));
      return { store: storeNames.pairs, partition, key: chunkKeyBytes(chunkKey(row, 0)), row };
    });
  });
  const second = await read([...marginals, ...heads]);
  marginals.forEach((row, at) => {
    if (second[at] !== undefined) give(row, second[at]);
  });
  const others: WantedRow[] = [];
  heads.forEach((head, at) => {
    const value = second[marginals.length + at];
    if (value === undefined) return;
    give(head, value);
    const { chunks } = chunkSerde.deserialize(value);
    for (let chunk = 1; chunk < chunks; chunk += 1) {
      others.push({ ...head, key: chunkKeyBytes(chunkKey(head.row, chunk)) });
    }
  });
  const third = await read(others);
  others.forEach((row, at) => {
    if (third[at] !== undefined) give(row, third[at]);
  });
  return slicer.take();
}

export interface FetchContext {
  /** All instances' together. */
  readonly partitions: number;
  /** Those of a store that are read. */
  readonly partitionsHere: (store: string) => readonly number[];
  readonly prefixOf: (store: string, partition: number) => Uint8Array;
}

/** Whose keys are ids; which partition has one is left to the reading. */
type NamedStore =
  | typeof storeNames.productStats
  | typeof storeNames.products
  | typeof storeNames.productTitles
  | typeof storeNames.productCategories
  | typeof storeNames.categoryTops
  | typeof storeNames.userProfiles;

interface WantedRow {
  readonly store: string;
  /** The place behind the published stores under which it is given (`titledProducts`). Default: its store's. */
  readonly answer?: number;
  readonly partition: number;
  readonly key: Uint8Array;
}

function nameRow(partition: number, number: number): WantedRow {
  const key = storeSerdes[storeNames.pairItemNames].key.serialize(number).slice();
  return { store: storeNames.pairItemNames, partition, key };
}

function chunkKeyBytes(key: ChunkKey): Uint8Array {
  return storeSerdes[storeNames.pairs].key.serialize(key).slice();
}
