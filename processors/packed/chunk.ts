import { MillraceError, type Serde } from '../../schemas/index.ts';

/**
 * A chunk of a packed row: entries of three words, sorted by their key words.
 *
 *     one key word    | neighbour | weight   | count   |      pairs
 *     two key words   | hash high | hash low | ms      |      events seen
 *
 *     bytes: | entries u32 | chunks u32 | 3 × u32 an entry |  little-endian
 *
 * Chunk 0 is the row's head: `entries` and `chunks` say how many the whole row has. In other chunks both are 0.
 */
export class Chunk {
  words: Uint32Array;
  /** Entries in this chunk. */
  size: number;
  /** Head only: entries and chunks of the row. */
  entries = 0;
  chunks = 0;

  constructor(words: Uint32Array = new Uint32Array(initialCapacity * stride), size = 0) {
    this.words = words;
    this.size = size;
  }

  static head(): Chunk {
    const chunk = new Chunk();
    chunk.chunks = 1;
    return chunk;
  }

  /** Where the entry with this first key word stands, or would stand: the first that is not less. */
  lowerBound(key: number): number {
    const words = this.words;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle * stride]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The same for both key words. */
  lowerBound2(key: number, second: number): number {
    const words = this.words;
    let at = this.lowerBound(key);
    while (at < this.size && words[at * stride] === key && words[at * stride + 1]! < second) at += 1;
    return at;
  }

  insert(at: number, first: number, second: number, third: number): void {
    const end = this.size * stride;
    if (end === this.words.length) {
      const grown = new Uint32Array(Math.max(this.size + spareEntries, Math.ceil(this.size * 1.5)) * stride);
      grown.set(this.words);
      this.words = grown;
    }
    const words = this.words;
    const start = at * stride;
    if (end - start > 48) words.copyWithin(start + stride, start, end);
    else for (let i = end - 1; i >= start; i -= 1) words[i + stride] = words[i]!;
    words[start] = first;
    words[start + 1] = second;
    words[start + 2] = third;
    this.size += 1;
  }

  remove(at: number): void {
    this.words.copyWithin(at * stride, (at + 1) * stride, this.size * stride);
    this.size -= 1;
  }

  append(first: number, second: number, third: number): void {
    this.insert(this.size, first, second, third);
  }

  get byteSize(): number {
    return this.words.byteLength + 250;
  }

  toJSON(): { readonly entries?: number; readonly chunks?: number; readonly words: readonly number[][] } {
    const words: number[][] = [];
    for (let i = 0; i < this.size; i += 1) words.push([...this.words.subarray(i * stride, (i + 1) * stride)]);
    return this.chunks > 0 ? { entries: this.entries, chunks: this.chunks, words } : { words };
  }
}

export const stride = 3;
const initialCapacity = 4;
const headerBytes = 8;
const spareEntries = 8;

/** Serializing copies the words as they lie in memory: every platform that Node has is little-endian. */
export const chunkSerde: Serde<Chunk> = {
  name: 'packed-chunk',
  serialize(chunk) {
    const wordBytes = chunk.size * stride * 4;
    const bytes = new Uint8Array(headerBytes + wordBytes);
    const header = new Uint32Array(bytes.buffer, 0, 2);
    header[0] = chunk.entries;
    header[1] = chunk.chunks;
    bytes.set(new Uint8Array(chunk.words.buffer, chunk.words.byteOffset, wordBytes), headerBytes);
    return bytes;
  },
  deserialize(bytes) {
    const size = (bytes.length - headerBytes) / (stride * 4);
    if (!Number.isInteger(size) || size < 0) {
      throw new MillraceError(
        'DESERIALIZATION_FAILED',
        `A packed chunk wants ${headerBytes} bytes and 12 an entry, found ${bytes.length}`,
        { found: bytes.length },
      );
    }
    const words = new Uint32Array((size + spareEntries) * stride);
    new Uint8Array(words.buffer).set(bytes.subarray(headerBytes));
    const chunk = new Chunk(words, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
    chunk.entries = view.getUint32(0, true);
    chunk.chunks = view.getUint32(4, true);
    return chunk;
  },
  sizeOf: (chunk) => chunk.byteSize,
};
