import type { LoadedStore } from './loaded-store.ts';

/**
 * A store that is a Map and nothing else: no table below, no commit. It lets the evaluation and the tests of the pure
 * parts run the very code that the processors run, without a runtime.
 */
export class HeapStore<K extends string | number, V> implements LoadedStore<K, V> {
  readonly name: string;
  readonly #rows = new Map<K, V>();
  readonly #loaded = new Set<K>();

  constructor(name: string) {
    this.name = name;
  }

  load(keys: Iterable<K>): Promise<void> {
    for (const key of keys) this.#loaded.add(key);
    return Promise.resolve();
  }

  isLoaded(key: K): boolean {
    return this.#loaded.has(key);
  }

  /** As strict as a real store, so that a processor which forgets to load fails here too. */
  getLoaded(key: K): V | undefined {
    if (!this.#loaded.has(key)) throw new Error(`Key '${key}' of store '${this.name}' is not loaded`);
    return this.#rows.get(key);
  }

  put(key: K, value: V): void {
    this.#loaded.add(key);
    this.#rows.set(key, value);
  }

  /** Forgets what was loaded, as a store does that evicts everything between batches. */
  evict(): void {
    this.#loaded.clear();
  }

  entries(): IterableIterator<[K, V]> {
    return this.#rows.entries();
  }
}
