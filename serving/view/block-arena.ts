import { MillraceError } from '../../schemas/index.ts';

/**
 * Blocks of 32-bit words in pages of 256 KiB, at most `bytesMax` of them: a buddy allocator (Knuth 1965).
 *
 *     page: 2^16 words (fewer under a small bound), split in halves down to 2^4 words; a freed block joins its other half when that is free too
 *     handle = page · 2^16 + first word
 *
 * A JavaScript typed array of its own for each of millions of small rows would take more than the rows. Blocks are powers of
 * two, so about a quarter of the words is waste.
 */
export class BlockArena {
  readonly #pagesMax: number;
  readonly #rootOrder: number;
  readonly #pages: Uint32Array[] = [];
  /** Free blocks by order. */
  readonly #free = Array.from({ length: pageOrder + 1 }, () => new Set<number>());
  #usedBytes = 0;

  constructor(bytesMax: number) {
    this.#rootOrder = Math.max(leastOrder, Math.min(pageOrder, Math.floor(Math.log2(bytesMax / 4))));
    this.#pagesMax = Math.max(1, Math.floor(bytesMax / (4 * 2 ** this.#rootOrder)));
  }

  /** Of the blocks that are taken. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Of the pages: they are kept. */
  get byteLength(): number {
    return this.#pages.length * 4 * 2 ** this.#rootOrder;
  }

  /** A block of at least so many words; undefined when there is no room. */
  allocate(words: number): number | undefined {
    const order = orderOf(words);
    let from = order;
    while (from <= this.#rootOrder && this.#free[from]!.size === 0) from += 1;
    if (from > this.#rootOrder) {
      if (order > this.#rootOrder) return undefined;
      if (this.#pages.length === this.#pagesMax) return undefined;
      this.#free[this.#rootOrder]!.add(this.#pages.length * pageWords);
      this.#pages.push(new Uint32Array(2 ** this.#rootOrder));
      from = this.#rootOrder;
    }
    const [handle] = this.#free[from]!;
    this.#free[from]!.delete(handle!);
    for (; from > order; from -= 1) this.#free[from - 1]!.add(handle! + 2 ** (from - 1));
    this.#usedBytes += 4 * 2 ** order;
    return handle!;
  }

  /** Gives a block back, with as many words as it was asked for. */
  release(handle: number, words: number): void {
    let order = orderOf(words);
    let block = handle;
    this.#usedBytes -= 4 * 2 ** order;
    for (; order < this.#rootOrder; order += 1) {
      const size = 2 ** order;
      const start = block % pageWords;
      const buddy = Math.floor(start / size) % 2 === 0 ? block + size : block - size;
      if (!this.#free[order]!.delete(buddy)) break;
      block = Math.min(block, buddy);
    }
    this.#free[order]!.add(block);
  }

  page(handle: number): Uint32Array {
    return this.#pages[Math.floor(handle / pageWords)]!;
  }
}

/** @throws MillraceError `INTERNAL` when a block would not fit a page */
function orderOf(words: number): number {
  const order = Math.max(leastOrder, 32 - Math.clz32(words - 1));
  if (order <= pageOrder) return order;
  throw new MillraceError('INTERNAL', `A block wants at most ${pageWords} words, found ${words}`, { words });
}

const leastOrder = 4;
const pageOrder = 16;
export const pageWords = 2 ** pageOrder;
