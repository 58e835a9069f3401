import type { KeyValueStore } from '../../topology/index.ts';

/**
 * A key-value store that is a Map and nothing else: no table below, no commit. It lets the evaluation and the tests of
 * the pure parts run the very code that the processors run, without a runtime.
 */
export class HeapStore<K extends string | number, V> implements KeyValueStore<K, V> {
  readonly name: string;
  readonly partition = 0;
  readonly kind = 'key-value';
  readonly dirtyBytes = 0;
  readonly cachedBytes = 0;
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
    return this.#loaded.has(key) || this.#rows.has(key);
  }

  getLoaded(key: K): V | undefined {
    if (!this.isLoaded(key)) throw new Error(`Key ${key} of store '${this.name}' is not loaded`);
    return this.#rows.get(key);
  }

  get(key: K): Promise<V | undefined> {
    return Promise.resolve(this.#rows.get(key));
  }

  put(key: K, value: V): void {
    this.#rows.set(key, value);
  }

  delete(key: K): void {
    this.#rows.delete(key);
  }

  entries(): IterableIterator<[K, V]> {
    return this.#rows.entries();
  }

  // eslint-disable-next-line typescript/require-await
  async *range(): AsyncIterable<readonly [K, V]> {
    yield* this.#rows;
  }

  stageChanges(): void {}

  changes(): [] {
    return [];
  }

  committed(): void {}

  discard(): void {}

  trim(): void {
    this.#loaded.clear();
  }
}
