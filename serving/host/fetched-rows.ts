import {
  chunkKey,
  chunkSerde,
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
 *     titles, profiles, item ids ─> numbers ─> heads of pair rows (how many chunks) ─> the other chunks
 */
export async function fetchedRows(
  snapshot: EngineSnapshot,
  { pairsOf, titlesOf, categoriesOf, topsOf, users }: FetchRequest,
  { partitions, prefixOf }: FetchContext,
): Promise<ArrayBuffer> {
  const slicer = new RowSlicer(Infinity);
  const read = async (rows: readonly WantedRow[]): Promise<(Uint8Array | undefined)[]> =>
    await snapshot.getMany(
      'state',
      rows.map(({ store, partition, key }) => concatBytes(prefixOf(store, partition), key)),
    );
  const give = ({ store, partition, key }: WantedRow, value: Uint8Array): void => {
    slicer.add({ store: publishedStores.indexOf(store), partition, key, value });
  };

  const texts = (store: NamedStore, ids: readonly string[]) =>
    ids.flatMap((id) => {
      const key = storeSerdes[store].key.serialize(id).slice();
      return Array.from({ length: partitions }, (_, partition): WantedRow => ({ store, partition, key }));
    });
  const named = [
    ...texts(storeNames.productTitles, titlesOf),
    ...texts(storeNames.productCategories, categoriesOf),
    ...texts(storeNames.categoryTops, topsOf),
    ...texts(storeNames.userProfiles, users),
  ];
  const numbers = pairsOf.map((id): WantedRow => ({
    store: storeNames.pairItems,
    partition: partitionOfItem(id, partitions),
    key: storeSerdes[storeNames.pairItems].key.serialize(id).slice(),
  }));
  const first = await read([...named, ...numbers]);
  named.forEach((row, at) => {
    if (first[at] !== undefined) give(row, first[at]);
  });

  const heads: (WantedRow & { readonly row: number })[] = numbers.flatMap(({ partition }, at) => {
    const found = first[named.length + at];
    if (found === undefined) return [];
    const number = storeSerdes[storeNames.pairItems].value.deserialize(found);
    return relations.map((relation) => {
      const row = pairRow(number, relationCode(relation));
      return { store: storeNames.pairs, partition, key: chunkKeyBytes(chunkKey(row, 0)), row };
    });
  });
  const second = await read(heads);
  const others: WantedRow[] = [];
  heads.forEach((head, at) => {
    const value = second[at];
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
  readonly partitions: number;
  readonly prefixOf: (store: string, partition: number) => Uint8Array;
}

/** Whose keys are ids; which partition has one is left to the reading. */
type NamedStore =
  | typeof storeNames.productTitles
  | typeof storeNames.productCategories
  | typeof storeNames.categoryTops
  | typeof storeNames.userProfiles;

interface WantedRow {
  readonly store: string;
  readonly partition: number;
  readonly key: Uint8Array;
}

function chunkKeyBytes(key: ChunkKey): Uint8Array {
  return storeSerdes[storeNames.pairs].key.serialize(key).slice();
}
