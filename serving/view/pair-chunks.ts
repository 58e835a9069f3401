import { stride } from '../../processors/index.ts';
import type { Clock } from './clock.ts';

/** Head of a serialised chunk, before its words. */
const headerBytes = 8;

/** The chunks of one pair row, as the words of their entries, in two versions (clock.ts). */
export class PairChunks {
  readonly partition: number;
  readonly #clock: Clock;
  readonly #chunks: (Uint32Array | undefined)[] = [];
  readonly #staged: [chunk: number, words: Uint32Array | undefined][] = [];
  #stamp = 0;
  #settledStamp = 0;

  constructor(partition: number, clock: Clock) {
    this.partition = partition;
    this.#clock = clock;
  }

  /** Copies the words; null when the chunk was deleted. */
  stage(chunk: number, bytes: Uint8Array | null): void {
    this.#settle();
    this.#stamp = this.#clock.staging;
    this.#staged.push([chunk, bytes === null ? undefined : wordsOf(bytes)]);
  }

  /** The publication that changed the row last, of those that readers see. */
  get version(): number {
    this.#settle();
    return this.#settledStamp;
  }

  /** The chunks that readers see. */
  read(): readonly (Uint32Array | undefined)[] {
    this.#settle();
    return this.#chunks;
  }

  #settle(): void {
    if (this.#staged.length === 0 || this.#stamp > this.#clock.applied) return;
    for (const [chunk, words] of this.#staged) this.#chunks[chunk] = words;
    this.#staged.length = 0;
    this.#settledStamp = this.#stamp;
  }
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array((bytes.length - headerBytes) / 4);
  new Uint8Array(words.buffer).set(bytes.subarray(headerBytes));
  return words;
}

export function entriesOf(chunks: readonly (Uint32Array | undefined)[]): number {
  let words = 0;
  for (const chunk of chunks) words += chunk?.length ?? 0;
  return words / stride;
}
