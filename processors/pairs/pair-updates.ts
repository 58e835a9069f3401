/**
 * What waits to be added to pair rows: (row, neighbour, weight, count), four words an update, in one buffer.
 *
 * Updates of a stretch of events touch nearly every chunk of the pair rows, each only a few times, and the rows are far
 * more than a CPU caches: done one by one, in order of arrival, every update waits for memory several times. Sums don't
 * depend on order, so the updates are gathered, sorted by row (a counting sort: two passes), and done row by row, when
 * everything a row has fits the CPU's cache.
 */
export class PairUpdates {
  /** Updates in the buffer. */
  length = 0;
  #words: Uint32Array = new Uint32Array(1024 * updateWords);
  /** Row → 1 + its place in a batch's list of rows; 0 for the others. */
  #places: Uint32Array = new Uint32Array(1024);

  push(row: number, neighbour: number, weight: number, count: number): void {
    const at = this.length * updateWords;
    if (at === this.#words.length) this.#words = grown(this.#words, at * 2);
    const words = this.#words;
    words[at] = row;
    words[at + 1] = neighbour;
    words[at + 2] = weight;
    words[at + 3] = count;
    this.length += 1;
  }

  /** Takes out everything, sorted by row. */
  takeSorted(): SortedUpdates {
    const words = this.#words;
    const end = this.length * updateWords;
    const rows = this.#distinctRows(end);
    const starts = new Uint32Array(rows.length + 1);
    for (let at = 0; at < end; at += updateWords) starts[this.#places[words[at]!]!]! += 1;
    for (let place = 0; place < rows.length; place += 1) starts[place + 1]! += starts[place]!;

    const next = starts.slice();
    const sorted = new Uint32Array(end);
    for (let at = 0; at < end; at += updateWords) {
      const place = this.#places[words[at]!]! - 1;
      const to = next[place]! * updateWords;
      next[place]! += 1;
      sorted[to] = words[at]!;
      sorted[to + 1] = words[at + 1]!;
      sorted[to + 2] = words[at + 2]!;
      sorted[to + 3] = words[at + 3]!;
    }
    for (const row of rows) this.#places[row] = 0;
    this.length = 0;
    return { rows, starts, words: sorted };
  }

  /** Ascending; `#places` then says where each stands. */
  #distinctRows(end: number): Uint32Array {
    const words = this.#words;
    const rows: number[] = [];
    for (let at = 0; at < end; at += updateWords) {
      const row = words[at]!;
      if (row >= this.#places.length) this.#places = grown(this.#places, row * 2);
      if (this.#places[row] !== 0) continue;
      this.#places[row] = 1;
      rows.push(row);
    }
    const sorted = Uint32Array.from(rows).sort();
    for (let place = 0; place < sorted.length; place += 1) this.#places[sorted[place]!] = place + 1;
    return sorted;
  }
}

/** The updates of `rows[i]` are those from `starts[i]` up to `starts[i + 1]`. */
export interface SortedUpdates {
  readonly rows: Uint32Array;
  readonly starts: Uint32Array;
  readonly words: Uint32Array;
}

/** Row, neighbour, weight, count. */
export const updateWords = 4;

function grown(from: Uint32Array, length: number): Uint32Array {
  const to = new Uint32Array(length);
  to.set(from);
  return to;
}
