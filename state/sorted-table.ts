import type { Entry } from './engine.ts';

/**
 * A sorted map of byte strings: a list of sorted chunks of at most 512 entries, found by two binary searches.
 *
 * Keys are compared as one-byte strings (latin1), whose order is that of the bytes and which V8 compares in a few
 * nanoseconds. A clone shares all chunks and costs one reference a chunk: a chunk carries the table that may change it,
 * and every other table copies it first. So scans and snapshots are frozen views for next to nothing.
 *
 *     chunks: [ aab … cff ] [ cfg … kzz ] [ l … ]      each: keys: string[], entries: Entry[], owner
 */
export class SortedTable {
  #chunks: Chunk[] = [];
  #owner: object = {};

  get(key: Uint8Array): Uint8Array | undefined {
    const token = tokenOf(key);
    const chunk = this.#chunks[this.#chunkOf(token)];
    if (!chunk) return undefined;
    const at = lowerBound(chunk.keys, token);
    return chunk.keys[at] === token ? chunk.entries[at]?.value : undefined;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const token = tokenOf(key);
    if (this.#chunks.length === 0) this.#chunks.push({ keys: [], entries: [], owner: this.#owner });
    const index = this.#chunkOf(token);
    const chunk = this.#own(index);
    const at = lowerBound(chunk.keys, token);
    if (chunk.keys[at] === token) {
      chunk.entries[at] = { key, value };
      return;
    }
    chunk.keys.splice(at, 0, token);
    chunk.entries.splice(at, 0, { key, value });
    if (chunk.keys.length > chunkEntriesMax) this.#split(index, chunk);
  }

  delete(key: Uint8Array): void {
    const token = tokenOf(key);
    const index = this.#chunkOf(token);
    const found = this.#chunks[index];
    if (!found) return;
    const at = lowerBound(found.keys, token);
    if (found.keys[at] === token) this.#remove(index, at, at + 1);
  }

  deleteRange(gte: Uint8Array, lt: Uint8Array): void {
    const from = tokenOf(gte);
    const to = tokenOf(lt);
    for (let index = this.#chunkOf(to); index >= 0; index--) {
      const chunk = this.#chunks[index];
      if (!chunk || (chunk.keys.at(-1) ?? '') < from) break;
      const start = lowerBound(chunk.keys, from);
      const end = lowerBound(chunk.keys, to);
      if (start < end) this.#remove(index, start, end);
    }
  }

  /** A frozen copy; both go on sharing what neither has changed. */
  clone(): SortedTable {
    const copy = new SortedTable();
    copy.#chunks = [...this.#chunks];
    this.#owner = {}; // Now nobody owns the shared chunks.
    return copy;
  }

  *entries(gte: Uint8Array, lt: Uint8Array, reverse: boolean): Generator<Entry> {
    const from = tokenOf(gte);
    const to = tokenOf(lt);
    const step = reverse ? -1 : 1;
    for (let index = this.#chunkOf(reverse ? to : from); ; index += step) {
      const chunk = this.#chunks[index];
      if (!chunk) return;
      const start = lowerBound(chunk.keys, from);
      const end = lowerBound(chunk.keys, to);
      for (let at = reverse ? end - 1 : start; at >= start && at < end; at += step) {
        const entry = chunk.entries[at];
        if (entry) yield entry;
      }
      if (reverse ? start > 0 : end < chunk.keys.length) return;
    }
  }

  /** The last chunk that starts at or below the key, the first one when there is none. */
  #chunkOf(token: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#chunks[middle]?.keys[0] ?? '') <= token) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #own(index: number): Chunk {
    const chunk = this.#chunks[index] ?? { keys: [], entries: [], owner: this.#owner };
    if (chunk.owner === this.#owner) return chunk;
    const copy = { keys: [...chunk.keys], entries: [...chunk.entries], owner: this.#owner };
    this.#chunks[index] = copy;
    return copy;
  }

  #split(index: number, chunk: Chunk): void {
    const half = chunk.keys.length >>> 1;
    const right = { keys: chunk.keys.splice(half), entries: chunk.entries.splice(half), owner: this.#owner };
    this.#chunks.splice(index + 1, 0, right);
  }

  #remove(index: number, start: number, end: number): void {
    const chunk = this.#own(index);
    chunk.keys.splice(start, end - start);
    chunk.entries.splice(start, end - start);
    if (chunk.keys.length === 0) this.#chunks.splice(index, 1);
  }
}

interface Chunk {
  readonly keys: string[];
  readonly entries: Entry[];
  readonly owner: object;
}

const chunkEntriesMax = 512;

function tokenOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

/** Index of the first key that is not below `token`. */
function lowerBound(keys: readonly string[], token: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < token) low = middle + 1;
    else high = middle;
  }
  return low;
}
