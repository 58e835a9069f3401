import type { BatchWriter } from './engine.ts';

/**
 * What every state store of a task promises.
 *
 * A store is a write-back cache over a table: reads come from memory or are loaded in one batch, writes stay in
 * memory until the commit. Stores yield their changes, they never write: the committer puts the changes of all stores
 * into the one batch of the commit, next to the offsets they follow from.
 *
 *     load(keys) ──> getLoaded / put / delete ──> stageChanges(writer) ──> committed()
 *                                              └─> discard(): as if nothing had happened since the last commit
 *
 * Nothing dirty is ever evicted; `trim` drops clean entries down to the byte bound and is called between batches only,
 * so what a batch has loaded stays while the batch runs.
 */
export interface StateStore {
  readonly name: string;
  readonly partition: number;
  readonly kind: StoreKind;
  /** Bytes that wait for the commit, and bytes of everything cached: estimates. */
  readonly dirtyBytes: number;
  readonly cachedBytes: number;
  /**
   * Adds every change since the last commit to the writer, staged ones of an attempt that came to nothing included.
   * It may be followed by committed() or discard(). What is put between here and committed() waits for the next commit.
   */
  stageChanges(writer: BatchWriter): void;
  /** The staged changes, for subscribers that mirror the store: encoded key and value as stored, null for a delete. */
  changes(): Iterable<StoreChange>;
  /** The staged changes are durable: they are clean now. */
  committed(): void;
  /**
   * Forgets everything since the last commit. The cache is empty afterwards: a value that was only read may have been
   * changed in place by whoever failed. Not while a commit is on its way.
   */
  discard(): void;
  /** Between batches: evicts clean entries, least recently used first, roughly, when more than `maxBytes` are cached. */
  trim(maxBytes: number): void;
}

export type StoreKind = 'key-value' | 'timestamped-key-value' | 'window';

export interface StoreChange {
  /** As the store's key codec encodes it, without the store's prefix. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * Key-value store. Keys are ordered by their encoded bytes (key-codec.ts).
 *
 * `getLoaded` is the hot path: synchronous, for keys that this batch has loaded; a key that was not loaded is an error
 * (`KEY_NOT_LOADED`), never a wrong answer. `get` loads the key when it must. A value that was put belongs to the
 * store: whoever put it may go on changing it in place if it calls `put` again, nobody else may.
 */
export interface KeyValueStore<K, V> extends StateStore {
  load(keys: Iterable<K>): Promise<void>;
  isLoaded(key: K): boolean;
  getLoaded(key: K): V | undefined;
  get(key: K): Promise<V | undefined>;
  put(key: K, value: V): void;
  delete(key: K): void;
  /** Cache and table merged, in key order; `from` and `to` inclusive, as in Kafka Streams. */
  range(range?: StoreRange<K>): AsyncIterable<readonly [K, V]>;
  /** What the last commit left, past the cache: for queries from outside the task. The value is the caller's own. */
  committedGet(key: K): Promise<V | undefined>;
  committedRange(range?: StoreRange<K>): AsyncIterable<readonly [K, V]>;
}

export interface StoreRange<K> {
  readonly from?: K;
  readonly to?: K;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Value and the timestamp of the record it came from (KIP-258). */
export interface ValueAndTimestamp<V> {
  readonly value: V;
  readonly timestamp: number;
}

export type TimestampedKeyValueStore<K, V> = KeyValueStore<K, ValueAndTimestamp<V>>;

export interface Windowed<K> {
  readonly key: K;
  /** ms since epoch, inclusive. */
  readonly windowStartMs: number;
}

/**
 * Window store: one row a (window start, key). A window is expired, and deleted at the next commit, once its start is
 * older than `observed stream time − retentionMs`; putting into an expired window does nothing and returns false.
 */
export interface WindowStore<K, V> extends StateStore {
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  /** Windows that start before this are expired. Mirrors drop them themselves: expiry is not among the changes. */
  readonly expiredBeforeMs: number;
  load(keys: Iterable<Windowed<K>>): Promise<void>;
  isLoaded(key: K, windowStartMs: number): boolean;
  getLoaded(key: K, windowStartMs: number): ValueAndTimestamp<V> | undefined;
  get(key: K, windowStartMs: number): Promise<ValueAndTimestamp<V> | undefined>;
  put(key: K, windowStartMs: number, value: ValueAndTimestamp<V>): boolean;
  delete(key: K, windowStartMs: number): void;
  /** Tells the store how far stream time is; expired windows are deleted with the next commit. */
  observe(streamTimeMs: number): void;
  /** Windows of the key whose start lies in [fromMs, toMs], in order of start. */
  fetch(key: K, fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]>;
  /** All windows whose start lies in [fromMs, toMs], by start, then key. */
  fetchAll(fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]>;
  /** As get, fetch and fetchAll, from what the last commit left, past the cache. */
  committedGet(key: K, windowStartMs: number): Promise<ValueAndTimestamp<V> | undefined>;
  committedFetch(key: K, fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]>;
  committedFetchAll(fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]>;
}
