import { MillraceError } from '../schemas/errors.ts';
import type { BatchWriter, KeyRange } from './engine.ts';
import { concatBytes, prefixEnd } from './byte-order.ts';
import { int64Key, windowedKey, type WindowedKeyCodec } from './key-codecs.ts';
import type { KeyCodec } from './key-codec.ts';
import { CachedKeyValueStore, type StoreOptions } from './key-value-store.ts';
import type { StoreChange, ValueAndTimestamp, Windowed, WindowStore } from './store.ts';
import { timestampedSerde } from './timestamped-serde.ts';

/**
 * A window store: rows `| prefix | window start i64 | key |` with values `| timestamp i64 | value |`.
 *
 * The start comes first, so that a window that expires is one range of the table, deleted by one operation whatever
 * is in it. The price is paid by `fetch` of one key: where `advanceMs` says which starts there can be, it reads those as
 * points; else it scans the windows in between and picks the key's rows out.
 *
 *     expired: start < observed − retention      hidden at once, deleted with the next commit
 *
 * A range tombstone makes later scans slower until it is compacted away, so one is written only when the bound has
 * passed a multiple of `advanceMs`, or of the window's size where starts are free: such rows stay, hidden, that bit
 * longer. Starts are safe integers.
 */
export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  readonly windowSizeMs: number;
  /** A window is kept until stream time is this far past its start. */
  readonly retentionMs: number;
  /** When given, every window starts at a multiple of it, and any other start is an error. */
  readonly advanceMs?: number;
}

/** @throws MillraceError `INVALID_ARGUMENT` when the retention is shorter than a window. */
export function createWindowStore<K, V>(options: WindowStoreOptions<K, V>): WindowStore<K, V> {
  if (!(options.retentionMs >= options.windowSizeMs)) {
    throw new MillraceError(
      'INVALID_ARGUMENT',
      `Retention ${options.retentionMs} ms is shorter than the windows of ${options.windowSizeMs} ms in '${options.name}'`,
      { store: options.name, retentionMs: options.retentionMs, windowSizeMs: options.windowSizeMs },
    );
  }
  return new CachedWindowStore(options);
}

/** Above it `fetch` scans: reading that many points costs more. */
const pointReadsMax = 4096;

class CachedWindowStore<K, V> implements WindowStore<K, V> {
  readonly name: string;
  readonly partition: number;
  readonly kind = 'window';
  readonly windowSizeMs: number;
  readonly retentionMs: number;
  readonly #advanceMs: number | undefined;
  readonly #prefix: Uint8Array;
  readonly #keyCodec: KeyCodec<K>;
  readonly #codec: WindowedKeyCodec<K>;
  readonly #rows: CachedKeyValueStore<Windowed<K>, ValueAndTimestamp<V>>;
  /** Rows are deleted in steps of this: where starts are multiples of it, that is exactly when one expires. */
  readonly #deleteStepMs: number;
  #lastStartMs = Number.NaN;
  #observedMs = -Infinity;
  #stagedObservedMs = -Infinity;
  #committedObservedMs = -Infinity;
  /** Below it, nothing is in the table any more. */
  #deletedBeforeMs = -Infinity;
  #stagedDeletedBeforeMs = -Infinity;

  constructor(options: WindowStoreOptions<K, V>) {
    this.name = options.name;
    this.partition = options.partition;
    this.windowSizeMs = options.windowSizeMs;
    this.retentionMs = options.retentionMs;
    this.#advanceMs = options.advanceMs;
    this.#deleteStepMs = options.advanceMs ?? options.windowSizeMs;
    this.#prefix = options.prefix;
    this.#keyCodec = options.keyCodec;
    this.#codec = windowedKey(options.keyCodec);
    this.#rows = new CachedKeyValueStore<Windowed<K>, ValueAndTimestamp<V>>(
      { ...options, keyCodec: this.#codec, valueSerde: timestampedSerde(options.valueSerde) },
      'window',
      (windowed) => windowed.windowStartMs < this.expiredBeforeMs,
    );
  }

  get dirtyBytes(): number {
    return this.#rows.dirtyBytes;
  }

  get cachedBytes(): number {
    return this.#rows.cachedBytes;
  }

  get expiredBeforeMs(): number {
    return this.#observedMs - this.retentionMs;
  }

  observe(streamTimeMs: number): void {
    if (streamTimeMs > this.#observedMs) this.#observedMs = streamTimeMs;
  }

  async load(keys: Iterable<Windowed<K>>): Promise<void> {
    await this.#rows.load(this.#alive(keys));
  }

  isLoaded(key: K, windowStartMs: number): boolean {
    return windowStartMs < this.expiredBeforeMs || this.#rows.isTokenLoaded(this.#codec.tokenOf(key, windowStartMs));
  }

  getLoaded(key: K, windowStartMs: number): ValueAndTimestamp<V> | undefined {
    if (windowStartMs < this.expiredBeforeMs) return undefined;
    return this.#rows.getLoadedByToken(this.#codec.tokenOf(key, windowStartMs));
  }

  async get(key: K, windowStartMs: number): Promise<ValueAndTimestamp<V> | undefined> {
    if (windowStartMs < this.expiredBeforeMs) return undefined;
    return this.#rows.get({ key, windowStartMs });
  }

  put(key: K, windowStartMs: number, value: ValueAndTimestamp<V>): boolean {
    if (windowStartMs < this.expiredBeforeMs) return false;
    if (windowStartMs !== this.#lastStartMs) this.#checkStart(windowStartMs);
    const token = this.#codec.tokenOf(key, windowStartMs);
    if (!this.#rows.putByToken(token, value)) this.#rows.put({ key, windowStartMs }, value);
    return true;
  }

  delete(key: K, windowStartMs: number): void {
    if (windowStartMs >= this.expiredBeforeMs) this.#rows.delete({ key, windowStartMs });
  }

  fetch(key: K, fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]> {
    return this.#fetch(key, Math.max(fromMs, this.expiredBeforeMs), toMs, false);
  }

  fetchAll(fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]> {
    return this.#scan(Math.max(fromMs, this.expiredBeforeMs), toMs, false);
  }

  async committedGet(key: K, windowStartMs: number): Promise<ValueAndTimestamp<V> | undefined> {
    if (windowStartMs < this.#committedObservedMs - this.retentionMs) return undefined;
    return this.#rows.committedGet({ key, windowStartMs });
  }

  committedFetch(key: K, fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]> {
    return this.#fetch(key, Math.max(fromMs, this.#committedObservedMs - this.retentionMs), toMs, true);
  }

  committedFetchAll(fromMs: number, toMs: number): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]> {
    return this.#scan(Math.max(fromMs, this.#committedObservedMs - this.retentionMs), toMs, true);
  }

  stageChanges(writer: BatchWriter): void {
    this.#stageExpiry(writer);
    this.#rows.stageChanges(writer);
  }

  changes(): Iterable<StoreChange> {
    return this.#rows.changes();
  }

  committed(): void {
    this.#rows.committed();
    this.#committedObservedMs = this.#stagedObservedMs;
    this.#deletedBeforeMs = this.#stagedDeletedBeforeMs;
  }

  discard(): void {
    this.#rows.discard();
    this.#observedMs = this.#committedObservedMs;
    this.#stagedObservedMs = this.#committedObservedMs;
    this.#stagedDeletedBeforeMs = this.#deletedBeforeMs;
  }

  trim(maxBytes: number): void {
    this.#rows.trim(maxBytes);
  }

  #stageExpiry(writer: BatchWriter): void {
    this.#stagedObservedMs = this.#observedMs;
    this.#stagedDeletedBeforeMs = this.#deletedBeforeMs;
    const boundMs = this.expiredBeforeMs;
    const step = this.#deleteStepMs;
    if (!Number.isFinite(boundMs) || Math.ceil(boundMs / step) <= Math.ceil(this.#deletedBeforeMs / step)) return;
    const rows = this.#rowsOf(this.#deletedBeforeMs, Math.ceil(boundMs) - 1);
    writer.deleteRange('state', rows.gte, rows.lt);
    this.#stagedDeletedBeforeMs = boundMs;
  }

  async *#fetch(
    key: K,
    fromMs: number,
    toMs: number,
    committed: boolean,
  ): AsyncGenerator<readonly [Windowed<K>, ValueAndTimestamp<V>]> {
    const windows = this.#windowsOf(key, fromMs, toMs);
    if (windows) {
      const values = committed ? await this.#rows.committedGetMany(windows) : await this.#getMany(windows);
      for (const [i, window] of windows.entries()) {
        const value = values[i];
        if (value !== undefined) yield [window, value];
      }
      return;
    }
    const token = this.#keyCodec.token(key);
    for await (const row of this.#scan(fromMs, toMs, committed)) {
      if (this.#keyCodec.token(row[0].key) === token) yield row;
    }
  }

  /** The windows that the key can have there; undefined when they are too many, or can start anywhere. */
  #windowsOf(key: K, fromMs: number, toMs: number): readonly Windowed<K>[] | undefined {
    const advance = this.#advanceMs;
    if (advance === undefined) return undefined;
    const first = Math.ceil(fromMs / advance);
    const count = Math.floor(toMs / advance) - first + 1;
    if (!(count <= pointReadsMax)) return undefined;
    return Array.from({ length: Math.max(0, count) }, (_, i) => ({ key, windowStartMs: (first + i) * advance }));
  }

  async #getMany(windows: readonly Windowed<K>[]): Promise<(ValueAndTimestamp<V> | undefined)[]> {
    await this.#rows.load(windows);
    return windows.map((window) => this.#rows.getLoaded(window));
  }

  #scan(fromMs: number, toMs: number, committed: boolean): AsyncIterable<readonly [Windowed<K>, ValueAndTimestamp<V>]> {
    const rows = this.#rowsOf(fromMs, toMs);
    return committed ? this.#rows.committedWithin(rows) : this.#rows.rangeWithin(rows);
  }

  /** Rows of windows whose start lies in [fromMs, toMs]. */
  #rowsOf(fromMs: number, toMs: number): KeyRange {
    const from = Math.max(Math.ceil(fromMs), Number.MIN_SAFE_INTEGER);
    const to = Math.min(Math.floor(toMs), Number.MAX_SAFE_INTEGER);
    if (!(from <= to)) return { gte: this.#prefix, lt: this.#prefix };
    const row = (startMs: number) => concatBytes(this.#prefix, int64Key.encode(startMs));
    return { gte: row(from), lt: prefixEnd(row(to)) };
  }

  #checkStart(windowStartMs: number): void {
    if (this.#advanceMs !== undefined && windowStartMs % this.#advanceMs !== 0) {
      throw new MillraceError(
        'INVALID_ARGUMENT',
        `Window start ${windowStartMs} in '${this.name}' is no multiple of its advance of ${this.#advanceMs} ms`,
        { store: this.name, windowStartMs, advanceMs: this.#advanceMs },
      );
    }
    this.#lastStartMs = windowStartMs;
  }

  *#alive(keys: Iterable<Windowed<K>>): Generator<Windowed<K>> {
    for (const key of keys) if (key.windowStartMs >= this.expiredBeforeMs) yield key;
  }
}
