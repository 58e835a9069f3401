import { stride, type PairRow } from '../../processors/index.ts';
import type { ItemIndex } from './item-index.ts';
import { entriesOf, type PairChunks } from './pair-chunks.ts';

/**
 * Pair rows as scoring reads them: three arrays, put together from a row's chunks when it is first read. Bounded by
 * the entries of all cached rows; the rows made longest ago go first.
 */
export class RowCache {
  readonly #items: ItemIndex;
  readonly #entriesMax: number;
  readonly #rows = new Map<PairChunks, { readonly version: number; readonly row: PairRow }>();
  #entries = 0;

  constructor(items: ItemIndex, entriesMax: number) {
    this.#items = items;
    this.#entriesMax = entriesMax;
  }

  read(chunks: PairChunks): PairRow {
    const cached = this.#rows.get(chunks);
    if (cached !== undefined && cached.version === chunks.version) return cached.row;
    if (cached !== undefined) this.#drop(chunks, cached.row);
    const row = this.#build(chunks);
    this.#rows.set(chunks, { version: chunks.version, row });
    this.#entries += row.length;
    for (const [oldest, { row: dropped }] of this.#rows) {
      if (this.#entries <= this.#entriesMax || oldest === chunks) break;
      this.#drop(oldest, dropped);
    }
    return row;
  }

  #drop(chunks: PairChunks, row: PairRow): void {
    this.#rows.delete(chunks);
    this.#entries -= row.length;
  }

  #build(chunks: PairChunks): PairRow {
    const parts = chunks.read();
    const length = entriesOf(parts);
    const neighbours = new Uint32Array(length);
    const weights = new Uint32Array(length);
    const counts = new Uint32Array(length);
    let at = 0;
    for (const words of parts) {
      if (words === undefined) continue;
      for (let word = 0; word < words.length; word += stride, at += 1) {
        neighbours[at] = this.#items.ofNumber(chunks.partition, words[word]!)!;
        weights[at] = words[word + 1]!;
        counts[at] = words[word + 2]!;
      }
    }
    return { length, neighbours, weights, counts };
  }
}
