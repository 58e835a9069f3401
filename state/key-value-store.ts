import { MillraceError } from '../schemas/errors.ts';
import type { Serde } from '../schemas/serde.ts';
import { compareBytes, concatBytes, keyAfter, prefixEnd } from './byte-order.ts';
import type { BatchWriter, Engine, Entry, KeyRange } from './engine.ts';
import type { KeyCodec } from './key-codec.ts';
import { mergeRange, type RangeChange } from './merged-range.ts';
import type {
  KeyValueStore,
  StoreChange,
  StoreKind,
  StoreRange,
  TimestampedKeyValueStore,
  ValueAndTimestamp,
} from './store.ts';
import { timestampedSerde } from './timestamped-serde.ts';
import { WriteBackCache, type CacheEntry } from './write-back-cache.ts';

/**
 * A key-value store: a write-back cache over the rows `| prefix | key |` of the engine's state family.
 *
 * A fresh store knows that it is complete: as long as its table was empty when the store was opened (one probe, at the
 * first load) and nothing that the table has was evicted, what the cache doesn't have doesn't exist, and a replay from
 * the beginning reads nothing at all.
 */
export interface StoreOptions<K, V> {
  readonly name: string;
  readonly partition: number;
  /** Store and partition, as the caller numbers them. No other store's prefix may begin with it. */
  readonly prefix: Uint8Array;
  readonly keyCodec: KeyCodec<K>;
  readonly valueSerde: Serde<V>;
  readonly engine: Engine;
}

export function createKeyValueStore<K, V>(options: StoreOptions<K, V>): KeyValueStore<K, V> {
  return new CachedKeyValueStore(options, 'key-value');
}

export function createTimestampedKeyValueStore<K, V>(options: StoreOptions<K, V>): TimestampedKeyValueStore<K, V> {
  return new CachedKeyValueStore<K, ValueAndTimestamp<V>>(
    { ...options, valueSerde: timestampedSerde(options.valueSerde) },
    'timestamped-key-value',
  );
}

export class CachedKeyValueStore<K, V> implements KeyValueStore<K, V> {
  readonly name: string;
  readonly partition: number;
  readonly kind: StoreKind;
  readonly #prefix: Uint8Array;
  readonly #codec: KeyCodec<K>;
  readonly #serde: Serde<V>;
  readonly #engine: Engine;
  readonly #cache: WriteBackCache<K, V>;
  /** Of rows the owner deletes by range: they are not written, and may be evicted at any time. */
  readonly #expired: ((key: K) => boolean) | undefined;
  /** Whether the cache has every row of the table; undefined until the table was probed. */
  #complete: boolean | undefined;
  /** Counts commits, so that a read that was on its way during one can tell. */
  #epoch = 0;

  constructor(options: StoreOptions<K, V>, kind: StoreKind, expired?: (key: K) => boolean) {
    this.name = options.name;
    this.partition = options.partition;
    this.kind = kind;
    this.#prefix = options.prefix;
    this.#codec = options.keyCodec;
    this.#serde = options.valueSerde;
    this.#engine = options.engine;
    const { valueSerde } = options;
    this.#cache = new WriteBackCache(valueSerde.sizeOf && ((value) => valueSerde.sizeOf?.(value) ?? 0));
    this.#expired = expired;
  }

  get dirtyBytes(): number {
    return this.#cache.dirtyBytes;
  }

  get cachedBytes(): number {
    return this.#cache.cachedBytes;
  }

  isLoaded(key: K): boolean {
    return this.isTokenLoaded(this.#codec.token(key));
  }

  getLoaded(key: K): V | undefined {
    const entry = this.#cache.use(this.#codec.token(key));
    if (entry) return entry.value;
    if (this.#complete) return undefined;
    throw this.#notLoaded(key);
  }

  isTokenLoaded(token: string | number): boolean {
    return this.#complete === true || this.#cache.has(token);
  }

  /** `getLoaded` for a caller that has the key's token and would have to make the key. */
  getLoadedByToken(token: string | number): V | undefined {
    const entry = this.#cache.use(token);
    if (entry) return entry.value;
    if (this.#complete) return undefined;
    throw this.#notLoaded(token);
  }

  async get(key: K): Promise<V | undefined> {
    const token = this.#codec.token(key);
    if (!this.isTokenLoaded(token)) await this.load([key]);
    return this.getLoadedByToken(token);
  }

  async load(keys: Iterable<K>): Promise<void> {
    this.#complete ??= await this.#probe();
    if (this.#complete) return;
    let missing = this.#missing(keys);
    while (missing.size > 0) {
      const epoch = this.#epoch;
      const rows = await this.#read([...missing.values()]);
      if (epoch === this.#epoch) {
        this.#takeIn(missing, rows);
        return;
      }
      missing = this.#missing(missing.values()); // A commit passed by: what was read may be older than it.
    }
  }

  put(key: K, value: V): void {
    this.#cache.set(this.#codec.token(key), key, value ?? undefined);
  }

  /** `put` for a caller that has the token and would have to make the key: false when the key is not cached. */
  putByToken(token: string | number, value: V): boolean {
    return this.#cache.update(token, value ?? undefined);
  }

  delete(key: K): void {
    const token = this.#codec.token(key);
    if (this.#complete && !this.#cache.has(token)) return; // It doesn't exist.
    this.#cache.set(token, key, undefined);
  }

  stageChanges(writer: BatchWriter): void {
    const staged = this.#cache.stage(this.#encodeKey, this.#encodeValue, this.#expired);
    for (const { key, value } of staged) {
      if (value === null) writer.delete('state', key);
      else writer.put('state', key, value);
    }
  }

  *changes(): Generator<StoreChange> {
    for (const { key, value } of this.#cache.staged) yield { key: key.subarray(this.#prefix.length), value };
  }

  committed(): void {
    this.#epoch++;
    this.#cache.committed();
  }

  discard(): void {
    this.#cache.clear();
    this.#complete = undefined;
  }

  trim(maxBytes: number): void {
    if (this.#cache.trim(maxBytes, this.#expired)) this.#complete = false;
  }

  range(range: StoreRange<K> = {}): AsyncGenerator<readonly [K, V]> {
    return this.rangeWithin(this.#keyRange(range));
  }

  /** `range`, between bytes that carry the prefix. */
  async *rangeWithin(range: KeyRange): AsyncGenerator<readonly [K, V]> {
    const reverse = range.reverse ?? false;
    const limit = range.limit ?? Infinity;
    const changes = this.#changesWithin(range, reverse);
    // Each change may take one row of the table away, so no more rows than this are needed.
    const table = this.#engine.range('state', { ...range, limit: limit + changes.length });
    let left = limit;
    for await (const rows of mergeRange(table, changes, reverse)) {
      await this.#prepare(rows.flatMap((row) => (row.kind === 'stored' ? [row.row.value] : [])));
      for (const row of rows) {
        if (left-- <= 0) return;
        if (row.kind === 'stored') yield this.#decode(row.row);
        else if (row.entry.value !== undefined) yield [row.entry.key, row.entry.value];
      }
    }
  }

  async committedGet(key: K): Promise<V | undefined> {
    return (await this.committedGetMany([key]))[0];
  }

  async committedGetMany(keys: readonly K[]): Promise<(V | undefined)[]> {
    const rows = await this.#read(keys);
    return rows.map((row) => row && this.#serde.deserialize(row));
  }

  committedRange(range: StoreRange<K> = {}): AsyncGenerator<readonly [K, V]> {
    return this.committedWithin(this.#keyRange(range));
  }

  /** `committedRange`, between bytes that carry the prefix. */
  async *committedWithin(range: KeyRange): AsyncGenerator<readonly [K, V]> {
    for await (const chunk of this.#engine.range('state', range)) {
      await this.#prepare(chunk.map((entry) => entry.value));
      for (const entry of chunk) yield this.#decode(entry);
    }
  }

  readonly #encodeKey = (key: K): Uint8Array => concatBytes(this.#prefix, this.#codec.encode(key));
  readonly #encodeValue = (value: V): Uint8Array => this.#serde.serialize(value);

  #decode(row: Entry): readonly [K, V] {
    return [this.#codec.decode(row.key.subarray(this.#prefix.length)), this.#serde.deserialize(row.value)];
  }

  /** The keys that are not cached, each once. */
  #missing(keys: Iterable<K>): Map<string | number, K> {
    const missing = new Map<string | number, K>();
    for (const key of keys) {
      const token = this.#codec.token(key);
      if (!this.#cache.use(token)) missing.set(token, key);
    }
    return missing;
  }

  async #read(keys: readonly K[]): Promise<(Uint8Array | undefined)[]> {
    const rows = await this.#engine.getMany('state', keys.map(this.#encodeKey));
    if (this.#serde.prepare) await this.#prepare(rows.filter((row) => row !== undefined));
    return rows;
  }

  #takeIn(missing: ReadonlyMap<string | number, K>, rows: readonly (Uint8Array | undefined)[]): void {
    let at = 0;
    for (const [token, key] of missing) {
      const row = rows[at++];
      if (this.#cache.has(token)) continue; // Put while it was read.
      this.#cache.addClean(token, key, row && this.#serde.deserialize(row), row?.length ?? 0);
    }
  }

  async #prepare(payloads: readonly Uint8Array[]): Promise<void> {
    if (payloads.length > 0) await this.#serde.prepare?.(payloads);
  }

  async #probe(): Promise<boolean> {
    const epoch = this.#epoch;
    for await (const rows of this.#engine.range('state', { ...this.#keyRange({}), limit: 1 })) {
      if (rows.length > 0) return false;
    }
    return epoch === this.#epoch; // What a commit left meanwhile may have been evicted already.
  }

  #keyRange(range: StoreRange<K>): KeyRange {
    return {
      gte: range.from === undefined ? this.#prefix : this.#encodeKey(range.from),
      lt: range.to === undefined ? prefixEnd(this.#prefix) : keyAfter(this.#encodeKey(range.to)),
      reverse: range.reverse ?? false,
      limit: range.limit ?? Infinity,
    };
  }

  #changesWithin(range: KeyRange, reverse: boolean): readonly RangeChange<CacheEntry<K, V>>[] {
    const changes: RangeChange<CacheEntry<K, V>>[] = [];
    for (const entry of this.#cache.uncommitted()) {
      const key = entry.staged?.key ?? this.#encodeKey(entry.key);
      if (compareBytes(key, range.gte) < 0 || compareBytes(key, range.lt) >= 0) continue;
      changes.push({ key, entry: entry.value === undefined ? undefined : entry });
    }
    return changes.sort((a, b) => (reverse ? compareBytes(b.key, a.key) : compareBytes(a.key, b.key)));
  }

  #notLoaded(key: unknown): MillraceError {
    const shown = typeof key === 'string' || typeof key === 'number' ? key : JSON.stringify(key);
    return new MillraceError(
      'KEY_NOT_LOADED',
      `Key '${shown}' of store '${this.name}' partition ${this.partition} is not loaded: name it in load() or keys()`,
      { store: this.name, partition: this.partition, key: shown },
    );
  }
}
