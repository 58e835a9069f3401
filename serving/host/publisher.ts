import { prefixEnd, type Engine } from '../../state/index.ts';
import type { CommittedOffset, EmbeddedRuntime, PublishedCommit } from '../../topology/index.ts';
import type { Publication } from './messages.ts';
import { RowSlicer } from './published-rows.ts';
import { wholeStores } from './published-stores.ts';
import { sourceOffsets } from './store-reader.ts';

/** A slice is small enough to be received between two requests. */
const sliceBytesMax = 256 * 1024;

/**
 * Sends the HTTP thread what it needs of the stores: what all look-ups need once at start, which takes the same time
 * whatever the stores hold, then what every commit changed.
 */
export class Publisher {
  readonly #stores: readonly string[];
  readonly #send: (publication: Publication) => void;

  constructor(stores: readonly string[], send: (publication: Publication) => void) {
    this.#stores = stores;
    this.#send = send;
  }

  async publishAll(engine: Engine, runtime: EmbeddedRuntime, generation: number): Promise<void> {
    const { committedOffsets: offsets } = runtime;
    const slicer = new RowSlicer(sliceBytesMax);
    for (const [place, name] of this.#stores.entries()) {
      if (!wholeStores.includes(name)) continue;
      for (const { partition } of runtime.stores(name)) {
        const gte = runtime.storePrefix(name, partition);
        for await (const entries of engine.range('state', { gte, lt: prefixEnd(gte) })) {
          for (const { key, value } of entries) {
            const full = slicer.add({ store: place, partition, key: key.subarray(gte.length), value });
            if (full !== undefined) this.#sendSlice(full, { last: false, whole: true, generation }, offsets);
          }
        }
      }
    }
    this.#sendSlice(slicer.take(), { last: true, whole: true, generation }, offsets);
  }

  /** All rows of the stores that all look-ups need. */
  publishWhole(rows: readonly WholeRow[], offsets: readonly CommittedOffset[], generation: number): void {
    const slicer = new RowSlicer(sliceBytesMax);
    for (const { store, ...row } of rows) {
      const full = slicer.add({ ...row, store: this.#stores.indexOf(store) });
      if (full !== undefined) this.#sendSlice(full, { last: false, whole: true, generation }, offsets);
    }
    this.#sendSlice(slicer.take(), { last: true, whole: true, generation }, offsets);
  }

  publish({ stores, offsets }: PublishedCommit, generation: number): void {
    const slicer = new RowSlicer(sliceBytesMax);
    const placed = stores.map((store) => ({ ...store, place: this.#stores.indexOf(store.name) }));
    for (const { place, partition, changes } of placed.toSorted((a, b) => a.place - b.place)) {
      for (const { key, value } of changes) {
        const full = slicer.add({ store: place, partition, key, value });
        if (full !== undefined) this.#sendSlice(full, { last: false, whole: false, generation }, offsets);
      }
    }
    this.#sendSlice(slicer.take(), { last: true, whole: false, generation }, offsets);
  }

  #sendSlice(
    slice: ArrayBuffer,
    of: Pick<Publication, 'last' | 'whole' | 'generation'>,
    offsets: readonly CommittedOffset[],
  ): void {
    this.#send({ slice, ...of, asOf: sourceOffsets(offsets), committedAtMs: Date.now() });
  }
}

export interface WholeRow {
  readonly store: string;
  readonly partition: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}
