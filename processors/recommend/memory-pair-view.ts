import { stride, type Chunk } from '../packed/chunk.ts';
import { chunkOfChunkKey, rowOfChunkKey, type ChunkKey } from '../packed/chunk-key.ts';
import { itemOfPairRow, pairRow, rowsPerItem } from '../pairs/pair-row.ts';
import { nextNumberKey } from '../pairs/pair-tables.ts';
import { eventRelations, relationCode, type EventRelation, type Relation } from '../pairs/relation.ts';
import type { PairTotals } from '../pairs/pair-totals.ts';
import type { PairRow, PairView, Reminders } from './pair-view.ts';

/**
 * A PairView over the stores of all partitions, kept up to date by their changes.
 *
 * Every partition numbers items for itself; here an item has one index, and each partition a table from its numbers to
 * indexes. A change of a chunk replaces the chunk; a row's arrays are put together when it is next read, so a row that
 * changes at every commit and is never asked for costs nothing but its chunks.
 *
 * Give the changes of one commit in this order: `pair-items` before `pairs` and `marginals`, whose numbers it explains.
 */
export class MemoryPairView implements PairView {
  readonly #ids: string[] = [];
  readonly #indexes = new Map<string, number>();
  readonly #partitions: Partition[] = [];
  /** By pair row, of indexes. */
  readonly #rows: (ViewRow | undefined)[] = [];
  /** By pair row, of indexes, too. */
  readonly #n = new Counts();
  readonly #totals = eventRelations.map(() => new Map<number, PairTotals>());
  readonly #sums: (RelationTotals | undefined)[] = eventRelations.map(() => undefined);

  get items(): number {
    return this.#ids.length;
  }

  id(item: number): string {
    return this.#ids[item]!;
  }

  /** The index of an item id; undefined when it never took part in a pair's session. */
  index(id: string): number | undefined {
    return this.#indexes.get(id);
  }

  row(relation: Relation, item: number): PairRow | undefined {
    return this.#rows[pairRow(item, relationCode(relation))]?.read(this.#partitions);
  }

  n(relation: EventRelation, item: number): number {
    return this.#n.get(pairRow(item, relationCode(relation)));
  }

  N(relation: EventRelation): number {
    return this.#totalsOf(relation).sessions;
  }

  reminders(relation: EventRelation): Reminders {
    return this.#totalsOf(relation);
  }

  /** A change of `pair-items`. */
  setItem(partition: number, id: string, number: number): void {
    if (id === nextNumberKey) return;
    this.#partition(partition).set(number, this.#indexOf(id));
  }

  /** A change of `marginals`. */
  setMarginal(partition: number, row: number, sessions: number): void {
    this.#n.set(this.#place(partition, row), sessions);
  }

  /** A change of `pairs`. The chunk is kept: give one that nobody changes. */
  setChunk(partition: number, key: ChunkKey, chunk: Chunk): void {
    const place = this.#place(partition, rowOfChunkKey(key));
    const viewRow = this.#rows[place] ?? new ViewRow(partition);
    this.#rows[place] = viewRow;
    viewRow.set(chunkOfChunkKey(key), chunk);
  }

  /** A change of `pair-totals`. */
  setTotals(partition: number, relation: EventRelation, totals: PairTotals): void {
    this.#totals[relationCode(relation)]!.set(partition, totals);
    this.#sums[relationCode(relation)] = undefined;
  }

  #totalsOf(relation: EventRelation): RelationTotals {
    const code = relationCode(relation);
    let sums = this.#sums[code];
    if (sums === undefined) {
      sums = { sessions: 0, rep: Array<number>(11).fill(0), repN: Array<number>(11).fill(0) };
      for (const { sessions, rep, repN } of this.#totals[code]!.values()) {
        sums.sessions += sessions;
        for (let k = 1; k <= 10; k += 1) {
          sums.rep[k]! += rep[k]!;
          sums.repN[k]! += repN[k]!;
        }
      }
      this.#sums[code] = sums;
    }
    return sums;
  }

  #indexOf(id: string): number {
    let index = this.#indexes.get(id);
    if (index === undefined) {
      index = this.#ids.length;
      this.#ids.push(id);
      this.#indexes.set(id, index);
      // Without holes, the array stays a plain one.
      for (let row = 0; row < rowsPerItem; row += 1) this.#rows.push(undefined);
    }
    return index;
  }

  /** The same row by the item's index. */
  #place(partition: number, row: number): number {
    const number = itemOfPairRow(row);
    return row + pairRow(this.#partition(partition).get(number) - number, 0);
  }

  #partition(partition: number): Partition {
    return (this.#partitions[partition] ??= new Counts());
  }
}

interface RelationTotals {
  sessions: number;
  readonly rep: number[];
  readonly repN: number[];
}

/** Numbers by a dense index; 0 where none was set. */
class Counts {
  #values = new Uint32Array(1024);

  get(at: number): number {
    return this.#values[at] ?? 0;
  }

  set(at: number, value: number): void {
    if (at >= this.#values.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[at] = value;
  }
}

/** From a partition's item numbers to indexes. */
type Partition = Counts;

/** A row's chunks as stored, and the arrays made of them. */
class ViewRow {
  readonly #partition: number;
  readonly #chunks: Chunk[] = [];
  #read: PairRow | undefined;

  constructor(partition: number) {
    this.#partition = partition;
  }

  set(number: number, chunk: Chunk): void {
    this.#chunks[number] = chunk;
    this.#read = undefined;
  }

  read(partitions: readonly Partition[]): PairRow {
    if (this.#read !== undefined) return this.#read;
    const indexes = partitions[this.#partition]!;
    const length = this.#chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    const neighbours = new Uint32Array(length);
    const weights = new Uint32Array(length);
    const counts = new Uint32Array(length);
    let at = 0;
    for (const chunk of this.#chunks) {
      if (chunk === undefined) continue;
      const { words, size } = chunk;
      for (let word = 0; word < size * stride; word += stride, at += 1) {
        neighbours[at] = indexes.get(words[word]!);
        weights[at] = words[word + 1]!;
        counts[at] = words[word + 2]!;
      }
    }
    this.#read = { length, neighbours, weights, counts };
    return this.#read;
  }
}
