import { relationCode, relations, stride, type PairRow, type Relation } from '../../processors/index.ts';
import { BlockArena, pageWords } from './block-arena.ts';
import type { ItemIndex } from './item-index.ts';
import { Overlay } from './overlay.ts';

/**
 * The pair rows that the HTTP thread holds: all four relations of an item, or none of them. Bounded; the items that nobody
 * has asked for longest go, and are fetched again when somebody does.
 *
 *     heads[item] ─> block ─> block ─> …       block: | next + 1 | relation, chunk | words | entries of 3 words … |
 *
 * | state   | meaning                                                                                              |
 * |---------|------------------------------------------------------------------------------------------------------|
 * | absent  | not here; what is published of it is passed over                                                     |
 * | loading | asked for; what is published meanwhile is kept, and wins over what the answer says                   |
 * | held    | all chunks are here                                                                                  |
 *
 * A chunk that was deleted leaves a block without entries while the item is here, so that an older answer can't bring it back.
 */
export class PairRows {
  readonly #items: ItemIndex;
  readonly #arena: BlockArena;
  /** 1 + handle of the first block; 0: none. */
  #heads = new Uint32Array(1024);
  #states = new Uint8Array(1024);
  /** Changes when the item's rows do, as readers see them. */
  #versions = new Uint32Array(1024);
  #partitions = new Uint16Array(1024);
  #hand = 0;
  /** Handles of an item's new chunks; null: there was no room for them, so the item goes. */
  readonly #overlay = new Overlay<number, number[] | null>((item, handles) => this.#write(item, handles));

  constructor(items: ItemIndex, bytesMax: number) {
    this.#items = items;
    this.#arena = new BlockArena(bytesMax);
  }

  get usedBytes(): number {
    return this.#arena.usedBytes;
  }

  isHeld(item: number): boolean {
    this.#overlay.settleKey(item);
    return (this.#state(item) & stateMask) === held;
  }

  /** The item is new, and has no rows: from now on its rows are held. */
  begin(item: number): void {
    this.#fit(item);
    if ((this.#state(item) & stateMask) === absent) this.#states[item] = held | used;
  }

  /** An answer with the item's rows is on its way. */
  want(item: number): void {
    this.#fit(item);
    this.#overlay.settleKey(item);
    if ((this.#state(item) & stateMask) === absent) this.#states[item] = loading | used;
  }

  /** A chunk of an answer. */
  fill(item: number, chunk: ChunkPlace, bytes: Uint8Array): void {
    this.#overlay.settleKey(item);
    if ((this.#state(item) & stateMask) !== loading || this.#find(item, tagOf(chunk)) !== undefined) return;
    const handle = this.#allocate(chunk, bytes);
    if (handle === undefined) this.#drop(item);
    else this.#link(item, handle, chunk.partition);
  }

  /** The answer has come. */
  filled(item: number): void {
    this.#overlay.settleKey(item);
    if ((this.#state(item) & stateMask) === loading) this.#states[item] = held | used;
  }

  /** No answer will come. */
  giveUp(item: number): void {
    this.#overlay.settleKey(item);
    if ((this.#state(item) & stateMask) === loading) this.#drop(item);
  }

  /** A published chunk; null when it was deleted. */
  stage(item: number, chunk: ChunkPlace, bytes: Uint8Array | null): void {
    if ((this.#state(item) & stateMask) === absent) return;
    const staged = this.#overlay.staged(item);
    if (staged === null) return;
    const handle = this.#allocate(chunk, bytes);
    if (handle === undefined) {
      for (const of of staged ?? []) this.#release(of);
      this.#overlay.stage(item, null);
      return;
    }
    this.#partitions[item] = chunk.partition;
    if (staged === undefined) this.#overlay.stage(item, [handle]);
    else staged.push(handle);
  }

  apply(): void {
    this.#overlay.apply();
  }

  settle(max: number): boolean {
    return this.#overlay.settle(max);
  }

  /** Lets everything go but what is on its way. */
  forget(): void {
    this.#overlay.settle(Infinity);
    for (const [item, state] of this.#states.entries()) {
      if ((state & stateMask) === absent) continue;
      this.#drop(item);
      if ((state & stateMask) === loading) this.#states[item] = state;
    }
  }

  /** Lets everything go; an answer that is on its way will not be asked. */
  forgetAll(): void {
    this.#overlay.settle(Infinity);
    for (const [item, state] of this.#states.entries()) if ((state & stateMask) !== absent) this.#drop(item);
  }

  version(item: number): number {
    this.#overlay.settleKey(item);
    return this.#versions[item] ?? 0;
  }

  /**
   * As scoring reads it; undefined when the item has no neighbours by this relation. `unnamed` hears of neighbours whose
   * numbers the index does not know; then the row is of no use yet.
   */
  read(item: number, relation: Relation, unnamed: Unnamed): PairRow | undefined {
    this.#overlay.settleKey(item);
    this.#states[item]! |= used;
    const code = relationCode(relation);
    let length = 0;
    for (let at = this.#heads[item]!; at !== 0; at = this.#word(at - 1, next)) {
      if (relationOfTag(this.#word(at - 1, tag)) === code) length += this.#word(at - 1, words) / stride;
    }
    if (length === 0) return undefined;
    const row = {
      length,
      neighbours: new Uint32Array(length),
      weights: new Uint32Array(length),
      counts: new Uint32Array(length),
    };
    let to = 0;
    for (let at = this.#heads[item]!; at !== 0; at = this.#word(at - 1, next)) {
      if (relationOfTag(this.#word(at - 1, tag)) === code)
        to = this.#copy(at - 1, row, to, this.#partitions[item]!, unnamed);
    }
    return row;
  }

  #copy(handle: number, row: PairRow, to: number, partition: number, unnamed: Unnamed): number {
    const page = this.#arena.page(handle);
    const start = (handle % pageWords) + headWords;
    const end = start + this.#word(handle, words);
    let place = to;
    for (let at = start; at < end; at += stride, place += 1) {
      const neighbour = this.#items.ofNumber(partition, page[at]!);
      if (neighbour === undefined) unnamed(partition, page[at]!);
      else row.neighbours[place] = neighbour;
      row.weights[place] = page[at + 1]!;
      row.counts[place] = page[at + 2]!;
    }
    return place;
  }

  /** Puts the entries into a block; makes room when there is none. */
  #allocate(chunk: ChunkPlace, bytes: Uint8Array | null): number | undefined {
    const length = bytes === null ? 0 : (bytes.length - headerBytes) / 4;
    let handle = this.#arena.allocate(headWords + length);
    while (handle === undefined && this.#evictOne()) handle = this.#arena.allocate(headWords + length);
    if (handle === undefined) return undefined;
    const page = this.#arena.page(handle);
    const at = handle % pageWords;
    page[at + next] = 0;
    page[at + tag] = tagOf(chunk);
    page[at + words] = length;
    if (bytes !== null) {
      const to = new Uint8Array(page.buffer, page.byteOffset + (at + headWords) * 4, length * 4);
      to.set(bytes.subarray(headerBytes));
    }
    return handle;
  }

  /** The clock: the hand clears the mark of what was used, and takes the first held item without one. */
  #evictOne(): boolean {
    const items = this.#heads.length;
    for (let visits = 2 * items; visits > 0; visits -= 1) {
      const item = this.#hand;
      this.#hand = (item + 1) % items;
      const state = this.#states[item]!;
      if ((state & stateMask) !== held || this.#heads[item] === 0) continue;
      if ((state & used) !== 0) this.#states[item] = state & ~used;
      else if (!this.#overlay.has(item)) {
        this.#drop(item);
        return true;
      }
    }
    return false;
  }

  #drop(item: number): void {
    for (let at = this.#heads[item]!; at !== 0;) {
      const following = this.#word(at - 1, next);
      this.#release(at - 1);
      at = following;
    }
    this.#heads[item] = 0;
    this.#states[item] = absent;
    this.#versions[item]! += 1;
  }

  #write(item: number, handles: readonly number[] | null): void {
    if (handles === null) return this.#drop(item);
    for (const handle of handles) {
      if ((this.#state(item) & stateMask) === absent) this.#release(handle);
      else this.#link(item, handle, this.#partitions[item]!);
    }
  }

  /** Puts a block in the place of that of the same chunk, or before all others. */
  #link(item: number, handle: number, partition: number): void {
    this.#partitions[item] = partition;
    this.#versions[item]! += 1;
    const found = this.#find(item, this.#word(handle, tag));
    if (found === undefined) {
      this.#set(handle, next, this.#heads[item]!);
      this.#heads[item] = handle + 1;
      return;
    }
    this.#set(handle, next, this.#word(found.handle, next));
    if (found.before === undefined) this.#heads[item] = handle + 1;
    else this.#set(found.before, next, handle + 1);
    this.#release(found.handle);
  }

  #find(item: number, wanted: number): { readonly handle: number; readonly before: number | undefined } | undefined {
    let before: number | undefined;
    for (let at = this.#heads[item]!; at !== 0; at = this.#word(at - 1, next)) {
      if (this.#word(at - 1, tag) === wanted) return { handle: at - 1, before };
      before = at - 1;
    }
    return undefined;
  }

  #release(handle: number): void {
    this.#arena.release(handle, headWords + this.#word(handle, words));
  }

  #word(handle: number, field: number): number {
    return this.#arena.page(handle)[(handle % pageWords) + field]!;
  }

  #set(handle: number, field: number, value: number): void {
    this.#arena.page(handle)[(handle % pageWords) + field] = value;
  }

  #state(item: number): number {
    return this.#states[item] ?? absent;
  }

  #fit(item: number): void {
    if (item < this.#heads.length) return;
    const length = Math.ceil(item * growth);
    this.#heads = copied(this.#heads, new Uint32Array(length));
    this.#states = copied(this.#states, new Uint8Array(length));
    this.#versions = copied(this.#versions, new Uint32Array(length));
    this.#partitions = copied(this.#partitions, new Uint16Array(length));
  }
}

export type Unnamed = (partition: number, number: number) => void;

export interface ChunkPlace {
  readonly partition: number;
  readonly relation: Relation;
  readonly chunk: number;
}

function tagOf({ relation, chunk }: ChunkPlace): number {
  return chunk * relations.length + relationCode(relation);
}

function relationOfTag(of: number): number {
  return of % relations.length;
}

function copied<A extends Uint32Array | Uint16Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

const growth = 1.25;
/** Head of a serialised chunk, before its words. */
const headerBytes = 8;

/** Words of a block's head. */
const next = 0;
const tag = 1;
const words = 2;
const headWords = 3;

const absent = 0;
const loading = 1;
const held = 2;
const stateMask = 3;
const used = 4;
