/**
 * The record cache of one store: what was read and what was written since, by the key's token.
 *
 *     clean ──put──> dirty ──stage──> staged ──committed──> clean ──trim──> gone
 *                      ^                 │
 *                      └───── put ───────┘   (staged and dirty: stays dirty when the stage is committed)
 *
 * An entry without a value says that the key is known to be absent, so asking again costs no read.
 *
 * Eviction is the clock algorithm (second chance), with the Map's own live iterator for its hand: an access sets one
 * flag; the hand clears it, and takes the clean entries where it finds it cleared. The alternative that keeps exact
 * order, deleting and inserting again at each access, costs two Map operations on a path that is otherwise one.
 * Dirty and staged entries are not in the table yet, so the hand passes them.
 *
 * Sizes are estimates: known when an entry was read or staged, asked from `sizeOf` once a commit, guessed before.
 */
export class WriteBackCache<K, V> {
  readonly #entries = new Map<string | number, CacheEntry<K, V>>();
  readonly #sizeOf: ((value: V) => number) | undefined;
  #hand: Iterator<CacheEntry<K, V>> = this.#entries.values();
  #dirty: CacheEntry<K, V>[] = [];
  #staged: StagedChange<K, V>[] = [];
  #cachedBytes = 0;
  #dirtyBytes = 0;
  #stagedBytes = 0;

  constructor(sizeOf?: (value: V) => number) {
    this.#sizeOf = sizeOf;
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  get dirtyBytes(): number {
    return this.#dirtyBytes + this.#stagedBytes;
  }

  get staged(): readonly StagedChange<K, V>[] {
    return this.#staged;
  }

  has(token: string | number): boolean {
    return this.#entries.has(token);
  }

  /** The entry, marked as used. */
  use(token: string | number): CacheEntry<K, V> | undefined {
    const entry = this.#entries.get(token);
    if (entry) entry.used = true;
    return entry;
  }

  /** Takes in what was read from the table, for a token that is not cached. */
  addClean(token: string | number, key: K, value: V | undefined, valueBytes: number): void {
    this.#add(new CacheEntry(token, key, value, entryBytes + valueBytes));
  }

  /** Undefined deletes. */
  set(token: string | number, key: K, value: V | undefined): void {
    if (this.update(token, value)) return;
    const entry = new CacheEntry(token, key, value, entryBytes + unknownValueBytes);
    this.#add(entry);
    this.#change(entry, value);
  }

  /** `set` for a caller that would have to make the key: false when the token is not cached, and then nothing is set. */
  update(token: string | number, value: V | undefined): boolean {
    const entry = this.#entries.get(token);
    if (entry === undefined) return false;
    this.#change(entry, value);
    return true;
  }

  #change(entry: CacheEntry<K, V>, value: V | undefined): void {
    entry.value = value;
    entry.used = true;
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
    if (value !== undefined && this.#sizeOf) this.#resize(entry, entryBytes + this.#sizeOf(value));
    this.#dirtyBytes += entry.bytes;
  }

  /** Encodes what is dirty, each entry once. Entries that `skip` names are not written, and count as clean. */
  stage(
    encodeKey: (key: K) => Uint8Array,
    encodeValue: (value: V) => Uint8Array,
    skip?: (key: K) => boolean,
  ): readonly StagedChange<K, V>[] {
    // Encoding may throw (a value its serde refuses): nothing is moved before all of it has worked.
    const encoded: { readonly entry: CacheEntry<K, V>; readonly key: Uint8Array; readonly value: Uint8Array | null }[] =
      [];
    for (const entry of this.#dirty) {
      if (skip?.(entry.key)) continue;
      const key = entry.staged?.key ?? encodeKey(entry.key);
      encoded.push({ entry, key, value: entry.value === undefined ? null : encodeValue(entry.value) });
    }
    for (const entry of this.#dirty) entry.dirty = false;
    this.#dirty = [];
    this.#dirtyBytes = 0;
    for (const { entry, key, value } of encoded) this.#moveToStaged(entry, key, value);
    if (skip) this.#dropStaged(skip);
    return this.#staged;
  }

  committed(): void {
    for (const { entry } of this.#staged) entry.staged = undefined;
    this.#staged = [];
    this.#stagedBytes = 0;
  }

  clear(): void {
    this.#entries.clear();
    this.#hand = this.#entries.values();
    this.#dirty = [];
    this.#staged = [];
    this.#cachedBytes = 0;
    this.#dirtyBytes = 0;
    this.#stagedBytes = 0;
  }

  /**
   * Evicts clean entries when there are more than `maxBytes`, to a sixteenth below, so that the next batch doesn't
   * start the hand again. `useless` names entries that may go whether used or not.
   * Returns whether something went that the table has, unless it was useless.
   */
  trim(maxBytes: number, useless?: (key: K) => boolean): boolean {
    if (this.#cachedBytes <= maxBytes) return false;
    const goal = maxBytes - maxBytes / 16;
    let lost = false;
    // Two rounds: the first clears the flags, the second takes.
    for (let visits = 2 * this.#entries.size; visits > 0 && this.#cachedBytes > goal; visits--) {
      const entry = this.#advance();
      if (!entry) break;
      if (entry.dirty || entry.staged) continue;
      const drop = useless?.(entry.key) ?? false;
      if (entry.used && !drop) {
        entry.used = false;
        continue;
      }
      this.#entries.delete(entry.token);
      this.#cachedBytes -= entry.bytes;
      if (entry.value !== undefined && !drop) lost = true;
    }
    return lost;
  }

  /** Every change that the table doesn't have yet, the newest of each key. */
  *uncommitted(): Generator<CacheEntry<K, V>> {
    yield* this.#dirty;
    for (const { entry } of this.#staged) if (!entry.dirty) yield entry;
  }

  #add(entry: CacheEntry<K, V>): void {
    this.#entries.set(entry.token, entry);
    this.#cachedBytes += entry.bytes;
  }

  #resize(entry: CacheEntry<K, V>, bytes: number): void {
    this.#cachedBytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  #moveToStaged(entry: CacheEntry<K, V>, key: Uint8Array, value: Uint8Array | null): void {
    const valueBytes = value?.length ?? 0;
    this.#resize(
      entry,
      entryBytes + (entry.value !== undefined && this.#sizeOf ? this.#sizeOf(entry.value) : valueBytes),
    );
    if (entry.staged) {
      this.#stagedBytes += valueBytes - (entry.staged.value?.length ?? 0);
      entry.staged.value = value;
      return;
    }
    entry.staged = { entry, key, value };
    this.#staged.push(entry.staged);
    this.#stagedBytes += key.length + valueBytes;
  }

  #dropStaged(skip: (key: K) => boolean): void {
    if (!this.#staged.some(({ entry }) => skip(entry.key))) return;
    const kept: StagedChange<K, V>[] = [];
    for (const change of this.#staged) {
      if (skip(change.entry.key)) {
        change.entry.staged = undefined;
        this.#stagedBytes -= change.key.length + (change.value?.length ?? 0);
      } else kept.push(change);
    }
    this.#staged = kept;
  }

  #advance(): CacheEntry<K, V> | undefined {
    let next = this.#hand.next();
    if (next.done) {
      this.#hand = this.#entries.values();
      next = this.#hand.next();
    }
    return next.done ? undefined : next.value;
  }
}

export class CacheEntry<K, V> {
  readonly token: string | number;
  readonly key: K;
  value: V | undefined;
  bytes: number;
  used = true;
  dirty = false;
  staged: StagedChange<K, V> | undefined = undefined;

  constructor(token: string | number, key: K, value: V | undefined, bytes: number) {
    this.token = token;
    this.key = key;
    this.value = value;
    this.bytes = bytes;
  }
}

export interface StagedChange<K, V> {
  readonly entry: CacheEntry<K, V>;
  readonly key: Uint8Array;
  /** Null deletes. */
  value: Uint8Array | null;
}

/** An entry object, its key and its place in the Map. */
const entryBytes = 160;
/** A value that was put and that nobody knows the size of. */
const unknownValueBytes = 128;
