import { MillraceError } from '../../schemas/index.ts';
import { Chunk, stride } from './chunk.ts';
import { chunkKey, chunksPerRowMax, rowMax, type ChunkKey } from './chunk-key.ts';
import { chunkOf, chunkToSplit } from './linear-hashing.ts';
import type { LoadedStore } from './loaded-store.ts';

/**
 * Packed rows over a key-value store: row → sorted entries, in chunks of about 96.
 *
 * A batch goes through four steps, and only two of them wait:
 *
 *     open(row) for every row ─> await loadHeads() ─> row.want(hash) for every entry ─> await loadChunks() ─> row.find / row.add …
 *
 * Rows grow between the waits: `loadChunks` knows from the heads which rows have more than 96 entries a chunk, loads
 * the chunks that are to be split besides the wanted ones, and splits. What runs over a batch afterwards never splits,
 * so it stays synchronous; a chunk may grow past 96 until the next batch.
 *
 * So how entries lie in chunks depends on where batches were cut. The entries of a row do not: compare rows, not chunks.
 *
 * A chunk is put when a batch first changes it, and goes on being changed in place until the batch ends.
 */
export class PackedRows {
  readonly #store: LoadedStore<ChunkKey, Chunk>;
  readonly #hashOf: EntryHash;
  readonly #entriesPerChunk: number;
  /** Rows of this batch are the first `#opened`; the others wait to be used again. */
  readonly #rows: PackedRow[] = [];
  #opened = 0;

  constructor(
    store: LoadedStore<ChunkKey, Chunk>,
    options: { readonly hashOf: EntryHash; readonly entriesPerChunk?: number },
  ) {
    this.#store = store;
    this.#hashOf = options.hashOf;
    this.#entriesPerChunk = options.entriesPerChunk ?? 96;
  }

  /** Starts a batch: rows of the last one are of no use any more. */
  begin(): void {
    for (let i = 0; i < this.#opened; i += 1) this.#rows[i]!.forget();
    if (this.#rows.length > rowsKeptMax) this.#rows.length = rowsKeptMax;
    this.#opened = 0;
  }

  /** A row of this batch; open each once. */
  open(row: number): PackedRow {
    if (row < 0 || row > rowMax) {
      throw new MillraceError('INVALID_ARGUMENT', `Store '${this.#store.name}' wants rows 0..${rowMax}, found ${row}`, {
        store: this.#store.name,
        row,
      });
    }
    const opened = (this.#rows[this.#opened] ??= new PackedRow(this.#store));
    this.#opened += 1;
    opened.begin(row);
    return opened;
  }

  async loadHeads(): Promise<void> {
    const missing: ChunkKey[] = [];
    for (let i = 0; i < this.#opened; i += 1) {
      const { headKey } = this.#rows[i]!;
      if (!this.#store.isLoaded(headKey)) missing.push(headKey);
    }
    if (missing.length > 0) await this.#store.load(missing);
    for (let i = 0; i < this.#opened; i += 1) this.#rows[i]!.takeHead(this.#entriesPerChunk);
  }

  async loadChunks(): Promise<void> {
    const missing: ChunkKey[] = [];
    for (let i = 0; i < this.#opened; i += 1) this.#rows[i]!.collectMissing(missing);
    if (missing.length > 0) await this.#store.load(missing);
    for (let i = 0; i < this.#opened; i += 1) this.#rows[i]!.takeChunks(this.#hashOf);
  }
}

/** The hash that places an entry, from its two first words. */
export type EntryHash = (first: number, second: number) => number;

/** A row during one batch; the object is used again for another row of the next. */
export class PackedRow {
  row = 0;
  headKey: ChunkKey = 0;
  readonly #store: LoadedStore<ChunkKey, Chunk>;
  #head: Chunk | undefined;
  /** Chunks after the splits that are due, and before. */
  #chunkCount = 1;
  #chunksBefore = 1;
  readonly #chunks: (Chunk | undefined)[] = [];
  /** Chunks whose state is not `untouched`. */
  readonly #touched: number[] = [];
  readonly #states: ChunkState[] = [];

  constructor(store: LoadedStore<ChunkKey, Chunk>) {
    this.#store = store;
  }

  begin(row: number): void {
    this.row = row;
    this.headKey = chunkKey(row, 0);
    this.#chunkCount = 1;
    this.#chunksBefore = 1;
  }

  /** Lets go of the batch's chunks: the store may evict them now. */
  forget(): void {
    for (const number of this.#touched) {
      this.#states[number] = untouched;
      this.#chunks[number] = undefined;
    }
    this.#touched.length = 0;
    this.#head = undefined;
    if (this.#states.length > 256) {
      this.#states.length = 0;
      this.#chunks.length = 0;
    }
  }

  /** Entries of the whole row. */
  get entries(): number {
    return this.#head?.entries ?? 0;
  }

  /** Announces that an entry with this hash will be looked for. After loadHeads, before loadChunks. */
  want(hash: number): void {
    if (this.#chunkCount === 1) return;
    this.#want(chunkOf(hash, this.#chunkCount));
  }

  /** The chunk that holds, or would hold, an entry with this hash. */
  chunk(hash: number): Chunk | undefined {
    return this.#chunkCount === 1 ? this.#head : this.#chunks[chunkOf(hash, this.#chunkCount)];
  }

  /** Adds to the weight and the count of a neighbour (rows with one key word). */
  add(neighbour: number, hash: number, weight: number, count: number): void {
    const chunks = this.#chunkCount;
    const number = chunks === 1 ? 0 : chunkOf(hash, chunks);
    const chunk = this.#states[number] === written ? this.#chunks[number]! : this.#writable(number);
    const { words, size } = chunk;
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (words[middle * stride]! < neighbour) low = middle + 1;
      else high = middle;
    }
    const word = low * stride;
    if (low < size && words[word] === neighbour) {
      const sum = words[word + 1]! + weight;
      if (sum > 0xffffffff) throw this.#overflow(neighbour, sum);
      words[word + 1] = sum;
      words[word + 2]! += count;
      return;
    }
    chunk.insert(low, neighbour, weight, count);
    this.#countEntry(number);
  }

  /** Takes off what `add` has added before; an entry of which nothing is left goes. The row itself stays, if empty. */
  subtract(neighbour: number, hash: number, weight: number, count: number): void {
    const number = this.#chunkCount === 1 ? 0 : chunkOf(hash, this.#chunkCount);
    const chunk = this.#writable(number);
    const at = chunk.lowerBound(neighbour);
    const word = at * stride;
    const { words, size } = chunk;
    const found = at < size && words[word] === neighbour;
    if (!found || words[word + 1]! < weight || words[word + 2]! < count) {
      throw new MillraceError(
        'INTERNAL',
        `Entry ${neighbour} of row ${this.row} of store '${this.#store.name}' wants ${weight} and ${count} to be taken off, ` +
          `found ${found ? `${words[word + 1]} and ${words[word + 2]}` : 'no entry'}`,
        { store: this.#store.name, row: this.row, neighbour },
      );
    }
    words[word + 1]! -= weight;
    words[word + 2]! -= count;
    if (words[word + 1] !== 0 || words[word + 2] !== 0) return;
    chunk.remove(at);
    this.#dropEntry(number);
  }

  /** Inserts an entry that is not there (rows with two key words). */
  insert(first: number, second: number, third: number, hash: number): void {
    const number = this.#chunkCount === 1 ? 0 : chunkOf(hash, this.#chunkCount);
    const chunk = this.#writable(number);
    chunk.insert(chunk.lowerBound2(first, second), first, second, third);
    this.#countEntry(number);
  }

  /** Takes out an entry with these two key words, if it is there: whether it was. */
  remove(first: number, second: number, hash: number): boolean {
    const number = this.#chunkCount === 1 ? 0 : chunkOf(hash, this.#chunkCount);
    const chunk = this.chunk(hash);
    if (chunk === undefined) return false;
    const at = chunk.lowerBound2(first, second);
    const { words, size } = chunk;
    if (at >= size || words[at * stride] !== first || words[at * stride + 1] !== second) return false;
    this.#writable(number).remove(at);
    this.#dropEntry(number);
    return true;
  }

  takeHead(entriesPerChunk: number): void {
    const head = this.#store.getLoaded(this.headKey);
    this.#head = head;
    if (head === undefined) return;
    this.#chunksBefore = head.chunks;
    this.#chunkCount = Math.max(head.chunks, Math.ceil(head.entries / entriesPerChunk));
    if (this.#chunkCount > chunksPerRowMax) {
      throw new MillraceError(
        'INTERNAL',
        `Row ${this.row} of store '${this.#store.name}' wants at most ${chunksPerRowMax} chunks, found ${this.#chunkCount}`,
        { store: this.#store.name, row: this.row },
      );
    }
  }

  collectMissing(missing: ChunkKey[]): void {
    for (let chunks = this.#chunksBefore; chunks < this.#chunkCount; chunks += 1) {
      this.#want(chunkToSplit(chunks));
    }
    for (const number of this.#touched) {
      if (number >= this.#chunksBefore || number === 0) continue;
      const key = chunkKey(this.row, number);
      if (!this.#store.isLoaded(key)) missing.push(key);
    }
  }

  takeChunks(hashOf: EntryHash): void {
    if (this.#chunkCount === 1) return;
    this.#want(0);
    this.#chunks[0] = this.#head;
    for (const number of this.#touched) {
      if (number >= this.#chunksBefore || number === 0) continue;
      this.#chunks[number] = this.#store.getLoaded(chunkKey(this.row, number));
    }
    for (let chunks = this.#chunksBefore; chunks < this.#chunkCount; chunks += 1) this.#split(chunks, hashOf);
  }

  /** From `chunks` chunks to one more. */
  #split(chunks: number, hashOf: EntryHash): void {
    const source = this.#writable(chunkToSplit(chunks));
    const { words } = source;
    // As large as its source: both halves grow back to that before they are split again.
    const grown = new Chunk(new Uint32Array(words.length));
    let kept = 0;
    for (let i = 0; i < source.size; i += 1) {
      const word = i * stride;
      if (chunkOf(hashOf(words[word]!, words[word + 1]!), chunks + 1) === chunks) {
        grown.append(words[word]!, words[word + 1]!, words[word + 2]!);
      } else {
        words.copyWithin(kept * stride, word, word + stride);
        kept += 1;
      }
    }
    source.size = kept;
    this.#chunks[chunks] = grown;
    this.#want(chunks);
    this.#states[chunks] = written;
    this.#store.put(chunkKey(this.row, chunks), grown);
    this.#head!.chunks = chunks + 1;
    this.#writable(0);
  }

  #countEntry(number: number): void {
    if (number !== 0) this.#writable(0);
    this.#head!.entries += 1;
  }

  #dropEntry(number: number): void {
    if (number !== 0) this.#writable(0);
    this.#head!.entries -= 1;
  }

  #writable(number: number): Chunk {
    if (this.#states[number] === written) return this.#chunks[number]!;
    let chunk = number === 0 ? this.#head : this.#chunks[number];
    if (chunk === undefined) {
      chunk = number === 0 ? Chunk.head() : new Chunk();
      if (number === 0) this.#head = chunk;
    }
    this.#want(number);
    this.#chunks[number] = chunk;
    this.#states[number] = written;
    this.#store.put(chunkKey(this.row, number), chunk);
    return chunk;
  }

  #want(number: number): void {
    const states = this.#states;
    while (states.length <= number) {
      states.push(untouched);
      this.#chunks.push(undefined);
    }
    if (states[number] !== untouched) return;
    states[number] = wanted;
    this.#touched.push(number);
  }

  #overflow(neighbour: number, sum: number): MillraceError {
    return new MillraceError(
      'PROCESSING_FAILED',
      `A weight in store '${this.#store.name}' wants at most ${0xffffffff}, found ${sum} for entry ${neighbour} of row ${this.row}`,
      { store: this.#store.name, row: this.row, neighbour },
    );
  }
}

type ChunkState = typeof untouched | typeof wanted | typeof written;
const untouched = 0;
const wanted = 1;
/** Put in this batch already. */
const written = 2;
/** Row objects beyond this many are left to the garbage collector when a batch of more rows has passed. */
const rowsKeptMax = 16_384;
