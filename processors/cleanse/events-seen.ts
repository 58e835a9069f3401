import { MillraceError } from '../../schemas/index.ts';
import { firstSeed, murmur3, secondSeed } from '../hash/murmur3.ts';
import { stride, type Chunk } from '../packed/chunk.ts';
import { rowMax, type ChunkKey } from '../packed/chunk-key.ts';
import type { LoadedStore } from '../packed/loaded-store.ts';
import { PackedRows, type PackedRow } from '../packed/packed-rows.ts';

/**
 * Which events a partition has accepted, for ever (docs/architecture/shop.md, "Cleanse").
 *
 *     row    floor(timestamp / horizon)
 *     entry  | hash high u32 | hash low u32 | ms since the row's start u32 |
 *
 * The hash is of the event's identity: murmur3 with two seeds. An event within the horizon of another lies in its row or next to
 * it, so three rows answer; a row never holds an id twice, for two events of one row are less than a horizon apart.
 */
export class EventsSeen {
  readonly #rows: PackedRows;
  readonly #horizonMs: number;
  #opened = new Map<number, PackedRow>();
  #hashes = new Uint32Array(1024);
  #next = 0;

  constructor(store: LoadedStore<ChunkKey, Chunk>, horizonMs: number) {
    if (!Number.isInteger(horizonMs) || horizonMs < horizonMsMin || horizonMs > horizonMsMax) {
      throw new MillraceError(
        'INVALID_ARGUMENT',
        `dedupeHorizonMs wants an integer ${horizonMsMin}..${horizonMsMax} ms, found ${horizonMs}`,
        { horizonMs },
      );
    }
    this.#rows = new PackedRows(store, { hashOf: (first) => first });
    this.#horizonMs = horizonMs;
  }

  /** Loads what the batch's events will ask for. `accept` is then called for each of them, in this order. */
  async load(events: readonly SeenEvent[]): Promise<void> {
    this.#rows.begin();
    this.#opened = new Map();
    this.#next = 0;
    for (const { timestamp } of events) {
      const row = this.#rowOf(timestamp);
      for (let near = Math.max(0, row - 1); near <= Math.min(rowMax, row + 1); near += 1) {
        if (!this.#opened.has(near)) this.#opened.set(near, this.#rows.open(near));
      }
    }
    await this.#rows.loadHeads();
    if (this.#hashes.length < events.length * 2) this.#hashes = new Uint32Array(events.length * 4);
    for (let i = 0; i < events.length; i += 1) {
      const { identity, timestamp } = events[i]!;
      const hash = murmur3(identity, firstSeed);
      this.#hashes[2 * i] = hash;
      this.#hashes[2 * i + 1] = murmur3(identity, secondSeed);
      const row = this.#rowOf(timestamp);
      for (let near = row - 1; near <= row + 1; near += 1) this.#opened.get(near)?.want(hash);
    }
    await this.#rows.loadChunks();
  }

  /** True for an event that is new, which is remembered; false for a duplicate. */
  accept(timestamp: number): boolean {
    const high = this.#hashes[2 * this.#next]!;
    const low = this.#hashes[2 * this.#next + 1]!;
    this.#next += 1;
    const row = this.#rowOf(timestamp);
    for (let near = row - 1; near <= row + 1; near += 1) {
      const since = this.#find(near, high, low);
      if (since >= 0 && Math.abs(near * this.#horizonMs + since - timestamp) <= this.#horizonMs) return false;
    }
    this.#opened.get(row)!.insert(high, low, timestamp - row * this.#horizonMs, high);
    return true;
  }

  /** Forgets that the next of the loaded events was accepted; false when it is not remembered. */
  forget(timestamp: number): boolean {
    const high = this.#hashes[2 * this.#next]!;
    const low = this.#hashes[2 * this.#next + 1]!;
    this.#next += 1;
    return this.#opened.get(this.#rowOf(timestamp))!.remove(high, low, high);
  }

  #find(row: number, high: number, low: number): number {
    const chunk = this.#opened.get(row)?.chunk(high);
    if (chunk === undefined) return -1;
    const at = chunk.lowerBound2(high, low) * stride;
    if (at >= chunk.size * stride || chunk.words[at] !== high || chunk.words[at + 1] !== low) return -1;
    return chunk.words[at + 2]!;
  }

  #rowOf(timestamp: number): number {
    return Math.floor(timestamp / this.#horizonMs);
  }
}

export interface SeenEvent {
  /** event-identity.ts */
  readonly identity: string;
  readonly timestamp: number;
}

/** Below, a row's number of the greatest timestamp would not fit its key; above, ms since the row's start not its word. */
const horizonMsMin = 2 ** 20;
const horizonMsMax = 2 ** 32 - 1;
