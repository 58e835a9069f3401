import { MillraceError } from '../../schemas/index.ts';
import { mix32 } from '../hash/murmur3.ts';
import type { Chunk } from '../packed/chunk.ts';
import type { ChunkKey } from '../packed/chunk-key.ts';
import type { LoadedStore } from '../packed/loaded-store.ts';
import { PackedRows, type PackedRow } from '../packed/packed-rows.ts';
import type { PairStep } from './pair-step.ts';
import { pairRow } from './pair-row.ts';
import { relationCode } from './relation.ts';

/**
 * The pair counts of one partition: applies session steps to the rows it owns.
 *
 *     pair-items        item id → number, in order of first appearance; '' → the next number
 *     pair-item-names   number → item id
 *     marginals         row → sessions the item occurred in, n
 *     pairs             packed row → neighbour number, weight, count
 *
 * A row is an item and a relation. A step goes to the partitions of its item and of all items paired with it; each of
 * them applies what it owns: the owner of the step's item its own row and marginal, the owner of a paired item that
 * item's row. Numbers are the partition's own: the same item has another number in the next partition.
 *
 * `load` does everything that depends on names once a batch: an item's string is looked up once, after that the batch
 * runs over integers. The steps are then applied one by one, in the order in which they were loaded.
 */
export class PairTables {
  readonly #stores: PairStores;
  readonly #owns: (item: string) => boolean;
  readonly #rows: PackedRows;
  #steps: readonly PairStep[] = [];
  #next = 0;
  /** Places in `#numbers` of the next step. */
  #cursor = 0;
  /** For every step: the number of its item, then those of its pairs. */
  #numbers = new Uint32Array(1024);
  /** Row number → 1 + place in #opened; 0 for rows that this batch does not touch or this partition does not own. */
  #places = new Uint32Array(1024);
  #opened: PackedRow[] = [];

  constructor(stores: PairStores, owns: (item: string) => boolean) {
    this.#stores = stores;
    this.#owns = owns;
    this.#rows = new PackedRows(stores.pairs, { hashOf: pairHash });
  }

  async load(steps: readonly PairStep[]): Promise<void> {
    for (const { row } of this.#opened) this.#places[row] = 0;
    this.#opened = [];
    this.#rows.begin();
    this.#steps = steps;
    this.#next = 0;
    this.#cursor = 0;

    const names = this.#nameSteps();
    await this.#stores.items.load([...names, nextNumberKey]);
    const { numbers, owned } = this.#numberNames(names);
    this.#resolve(numbers);
    this.#openRows(owned);
    await Promise.all([this.#rows.loadHeads(), this.#stores.marginals.load(this.#marginalRows())]);
    this.#wantEntries();
    await this.#rows.loadChunks();
  }

  /** Applies the next of the loaded steps. */
  apply(step: PairStep): void {
    if (this.#steps[this.#next] !== step) {
      throw new MillraceError('INTERNAL', `Pair steps want to be applied as loaded: step ${this.#next} is another`, {
        step: this.#next,
        loaded: this.#steps.length,
      });
    }
    this.#next += 1;
    const code = relationCode(step.relation);
    const own = this.#numbers[this.#cursor]!;
    const ownHash = mix32(own);
    const ownRow = this.#opened[this.#places[pairRow(own, code)]! - 1];
    const { pairs } = step;
    for (let i = 0; i < pairs.length; i += 1) {
      const { forward, back, count } = pairs[i]!;
      const other = this.#numbers[this.#cursor + 1 + i]!;
      const otherRow = this.#opened[this.#places[pairRow(other, code)]! - 1];
      if (otherRow !== undefined) otherRow.add(own, ownHash, forward, count);
      if (ownRow !== undefined) ownRow.add(other, mix32(other), back, count);
    }
    if (step.first && ownRow !== undefined) {
      const { marginals } = this.#stores;
      marginals.put(ownRow.row, (marginals.getLoaded(ownRow.row) ?? 0) + 1);
    }
    this.#cursor += 1 + pairs.length;
  }

  /** The distinct items of all steps; `#numbers` holds their places in that list for now. */
  #nameSteps(): string[] {
    const places = new Map<string, number>();
    let length = 0;
    for (const { pairs } of this.#steps) length += 1 + pairs.length;
    if (length > this.#numbers.length) this.#numbers = new Uint32Array(length * 2);
    const numbers = this.#numbers;
    let at = 0;
    for (const { item, pairs } of this.#steps) {
      numbers[at++] = placeOf(places, item);
      for (let i = 0; i < pairs.length; i += 1) numbers[at++] = placeOf(places, pairs[i]!.item);
    }
    return [...places.keys()];
  }

  #numberNames(names: readonly string[]): { readonly numbers: Uint32Array; readonly owned: Set<number> } {
    const { items, names: namesByNumber } = this.#stores;
    const numbers = new Uint32Array(names.length);
    const owned = new Set<number>();
    const start = items.getLoaded(nextNumberKey) ?? 0;
    let next = start;
    for (let place = 0; place < names.length; place += 1) {
      const name = names[place]!;
      let number = items.getLoaded(name);
      if (number === undefined) {
        number = next;
        next += 1;
        items.put(name, number);
        namesByNumber.put(number, name);
      }
      numbers[place] = number;
      if (this.#owns(name)) owned.add(number);
    }
    if (next !== start) items.put(nextNumberKey, next);
    if (next * 2 > this.#places.length) {
      const grown = new Uint32Array(next * 4);
      grown.set(this.#places);
      this.#places = grown;
    }
    return { numbers, owned };
  }

  #resolve(numbers: Uint32Array): void {
    let length = 0;
    for (const { pairs } of this.#steps) length += 1 + pairs.length;
    for (let at = 0; at < length; at += 1) this.#numbers[at] = numbers[this.#numbers[at]!]!;
  }

  #openRows(owned: ReadonlySet<number>): void {
    let at = 0;
    for (const { relation, pairs } of this.#steps) {
      const code = relationCode(relation);
      for (const end = at + 1 + pairs.length; at < end; at += 1) {
        const number = this.#numbers[at]!;
        const row = pairRow(number, code);
        if (this.#places[row] !== 0 || !owned.has(number)) continue;
        this.#opened.push(this.#rows.open(row));
        this.#places[row] = this.#opened.length;
      }
    }
  }

  #marginalRows(): number[] {
    return this.#opened.map(({ row }) => row);
  }

  #wantEntries(): void {
    let at = 0;
    for (const { relation, pairs } of this.#steps) {
      const code = relationCode(relation);
      const own = this.#numbers[at]!;
      const ownHash = mix32(own);
      const ownRow = this.#opened[this.#places[pairRow(own, code)]! - 1];
      for (let i = 1; i <= pairs.length; i += 1) {
        const other = this.#numbers[at + i]!;
        this.#opened[this.#places[pairRow(other, code)]! - 1]?.want(ownHash);
        ownRow?.want(mix32(other));
      }
      at += 1 + pairs.length;
    }
  }
}

export interface PairStores {
  readonly items: LoadedStore<string, number>;
  readonly names: LoadedStore<number, string>;
  readonly marginals: LoadedStore<number, number>;
  readonly pairs: LoadedStore<ChunkKey, Chunk>;
}

/** Items are never empty, so this key of `pair-items` is free for the counter. */
export const nextNumberKey = '';

function pairHash(neighbour: number): number {
  return mix32(neighbour);
}

function placeOf(places: Map<string, number>, item: string): number {
  const known = places.get(item);
  if (known !== undefined) return known;
  const place = places.size;
  places.set(item, place);
  return place;
}
