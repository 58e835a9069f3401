import { relationCode, relations, type PairRow, type Relation } from '../../processors/index.ts';
import type { PairRows, Unnamed } from './pair-rows.ts';

/**
 * Pair rows as scoring reads them: three arrays, put together from a row's chunks when it is first read. Bounded by
 * the entries of all cached rows; the rows made longest ago go first.
 */
export class RowCache {
  readonly #pairs: PairRows;
  readonly #entriesMax: number;
  /** By item and relation. */
  readonly #rows = new Map<number, { readonly version: number; readonly row: PairRow | undefined }>();
  #entries = 0;

  constructor(pairs: PairRows, entriesMax: number) {
    this.#pairs = pairs;
    this.#entriesMax = entriesMax;
  }

  /** `unnamed` hears of neighbours that can't be named yet; a row with any is not kept. */
  read(item: number, relation: Relation, unnamed: Unnamed): PairRow | undefined {
    const place = item * relations.length + relationCode(relation);
    const version = this.#pairs.version(item);
    const cached = this.#rows.get(place);
    if (cached !== undefined && cached.version === version) return cached.row;
    if (cached !== undefined) this.#drop(place, cached.row);
    let named = true;
    const row = this.#pairs.read(item, relation, (partition, number) => {
      named = false;
      unnamed(partition, number);
    });
    if (!named) return undefined;
    this.#rows.set(place, { version, row });
    this.#entries += entriesOf(row);
    for (const [oldest, { row: dropped }] of this.#rows) {
      if (this.#entries <= this.#entriesMax || oldest === place) break;
      this.#drop(oldest, dropped);
    }
    return row;
  }

  #drop(place: number, row: PairRow | undefined): void {
    this.#rows.delete(place);
    this.#entries -= entriesOf(row);
  }
}

/** A row takes its place in the map, too. */
function entriesOf(row: PairRow | undefined): number {
  return placeEntries + (row?.length ?? 0);
}

const placeEntries = 16;
