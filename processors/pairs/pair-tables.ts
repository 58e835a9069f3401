import { setImmediate as eventLoopTurns } from 'node:timers/promises';
import { MillraceError } from '../../schemas/index.ts';
import { mix32 } from '../hash/murmur3.ts';
import type { Chunk } from '../packed/chunk.ts';
import type { ChunkKey } from '../packed/chunk-key.ts';
import type { LoadedStore } from '../packed/loaded-store.ts';
import { PackedRows, type PackedRow } from '../packed/packed-rows.ts';
import type { PairStep } from './pair-step.ts';
import { pairRow } from './pair-row.ts';
import { PairUpdates, updateWords, type SortedUpdates } from './pair-updates.ts';
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
 * item's row. (A step of viewed-bought has nothing for its own item's row.) Numbers are the partition's own: the same item has another number in the next partition.
 *
 *     load(batch): item ids → numbers ─> apply(step): marginals now, pair rows gathered ─> flush(): row by row
 *
 * `load` does everything that depends on names once a batch: an item's string is looked up once, after that the batch
 * runs over integers. The steps are then applied one by one, in the order in which they were loaded. Updates of pair
 * rows wait for `flush` (pair-updates.ts says why), so `pairs` is behind the other stores until then. What waits is
 * bounded by `gatheredMax` updates and a batch: 16 MB, and as much again while they are sorted.
 */
export class PairTables {
  readonly #stores: PairStores;
  readonly #owns: (item: string) => boolean;
  readonly #rows: PackedRows;
  readonly #updates = new PairUpdates();
  #steps: readonly PairStep[] = [];
  #next = 0;
  /** Places in `#numbers` of the next step. */
  #cursor = 0;
  /** For every step: the number of its item, then those of its pairs. */
  #numbers = new Uint32Array(1024);
  /** By number: 1 for the items of this partition. */
  #owned = new Uint8Array(1024);

  constructor(stores: PairStores, owns: (item: string) => boolean) {
    this.#stores = stores;
    this.#owns = owns;
    this.#rows = new PackedRows(stores.pairs, { hashOf: pairHash });
  }

  async load(steps: readonly PairStep[]): Promise<void> {
    if (this.#updates.length >= gatheredMax) await this.flush();
    this.#steps = steps;
    this.#next = 0;
    this.#cursor = 0;

    const names = this.#nameSteps();
    await this.#stores.items.load([...names, nextNumberKey]);
    this.#resolve(this.#numberNames(names));
    await this.#stores.marginals.load(this.#marginalRows());
  }

  /** Applies the next of the loaded steps: its marginal at once, its pairs with the next `flush`. */
  apply(step: PairStep): void {
    if (this.#steps[this.#next] !== step) {
      throw new MillraceError('INTERNAL', `Pair steps want to be applied as loaded: step ${this.#next} is another`, {
        step: this.#next,
        loaded: this.#steps.length,
      });
    }
    this.#next += 1;
    const { first, pairs } = step;
    const code = relationCode(step.relation);
    const own = this.#numbers[this.#cursor]!;
    const ownRow = pairRow(own, code);
    const ownsItem = this.#owned[own] === 1;
    const bothWays = ownsItem && step.relation !== 'viewed-bought';
    for (let i = 0; i < pairs.length; i += 1) {
      const { forward, back, count } = pairs[i]!;
      const other = this.#numbers[this.#cursor + 1 + i]!;
      if (this.#owned[other] === 1) this.#updates.push(pairRow(other, code), own, forward, count);
      if (bothWays) this.#updates.push(ownRow, other, back, count);
    }
    if (first && ownsItem) {
      const { marginals } = this.#stores;
      marginals.put(ownRow, (marginals.getLoaded(ownRow) ?? 0) + 1);
    }
    this.#cursor += 1 + pairs.length;
  }

  /** Brings the pair rows up to what was applied. */
  async flush(): Promise<void> {
    if (this.#updates.length === 0) return;
    const updates = this.#updates.takeSorted();
    const { rows, starts } = updates;
    for (let from = 0, to = 0; from < rows.length; from = to) {
      while (to < rows.length && starts[to]! - starts[from]! < updatesPerGroup) to += 1;
      await this.#addGroup(updates, from, to);
      if (to < rows.length) await eventLoopTurns();
    }
  }

  /**
   * Adds the updates of the rows from..to. Rows grow chunks between batches only, so a row takes at most as many updates
   * at once as it has entries, and comes again for the rest: its chunks at most double before they are split.
   */
  async #addGroup({ rows, starts, words }: SortedUpdates, from: number, to: number): Promise<void> {
    let waiting: { row: number; at: number; readonly end: number }[] = [];
    for (let i = from; i < to; i += 1) waiting.push({ row: rows[i]!, at: starts[i]!, end: starts[i + 1]! });
    while (waiting.length > 0) {
      this.#rows.begin();
      const opened = waiting.map(({ row }) => this.#rows.open(row));
      await this.#rows.loadHeads();
      const ends = waiting.map(({ at, end }, i) => Math.min(end, at + Math.max(entriesMin, opened[i]!.entries)));
      for (const [i, { at }] of waiting.entries()) wantUpdates(opened[i]!, words, at, ends[i]!);
      await this.#rows.loadChunks();
      for (const [i, { at }] of waiting.entries()) addUpdates(opened[i]!, words, at, ends[i]!);
      waiting = waiting.map((stretch, i) => ({ ...stretch, at: ends[i]! })).filter(({ at, end }) => at < end);
    }
    this.#rows.begin();
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

  #numberNames(names: readonly string[]): Uint32Array {
    const { items, names: namesByNumber } = this.#stores;
    const numbers = new Uint32Array(names.length);
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
    }
    if (next !== start) items.put(nextNumberKey, next);
    this.#noteOwned(names, numbers, next);
    return numbers;
  }

  #noteOwned(names: readonly string[], numbers: Uint32Array, next: number): void {
    if (next > this.#owned.length) {
      const grown = new Uint8Array(next * 2);
      grown.set(this.#owned);
      this.#owned = grown;
    }
    for (let place = 0; place < names.length; place += 1) {
      this.#owned[numbers[place]!] = this.#owns(names[place]!) ? 1 : 0;
    }
  }

  #resolve(numbers: Uint32Array): void {
    let length = 0;
    for (const { pairs } of this.#steps) length += 1 + pairs.length;
    for (let at = 0; at < length; at += 1) this.#numbers[at] = numbers[this.#numbers[at]!]!;
  }

  *#marginalRows(): Iterable<number> {
    let at = 0;
    for (const { relation, first, pairs } of this.#steps) {
      const own = this.#numbers[at]!;
      if (first && this.#owned[own] === 1) yield pairRow(own, relationCode(relation));
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

/** Updates that are gathered before they are flushed between two commits. */
const gatheredMax = 1_000_000;
/** About this many are done, in some 5 ms, before look-ups get their turn; it bounds the rows that are loaded together. */
const updatesPerGroup = 16_384;
/** A row takes at least this many updates at once: a chunk's worth. */
const entriesMin = 96;

function wantUpdates(row: PackedRow, words: Uint32Array, from: number, to: number): void {
  for (let at = from * updateWords; at < to * updateWords; at += updateWords) row.want(pairHash(words[at + 1]!));
}

function addUpdates(row: PackedRow, words: Uint32Array, from: number, to: number): void {
  for (let at = from * updateWords; at < to * updateWords; at += updateWords) {
    const neighbour = words[at + 1]!;
    row.add(neighbour, pairHash(neighbour), words[at + 2]!, words[at + 3]!);
  }
}

/** Places an entry of a pair row in its chunk. */
export function pairHash(neighbour: number): number {
  return mix32(neighbour);
}

function placeOf(places: Map<string, number>, item: string): number {
  const known = places.get(item);
  if (known !== undefined) return known;
  const place = places.size;
  places.set(item, place);
  return place;
}
