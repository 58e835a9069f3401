/**
 * What the record cache holds back: for every key that changed since the last flush, what it had before.
 *
 * With caching on, a stateful operator forwards one change a key when the commit flushes, from the value at the last
 * flush to the value now. The values themselves are in the store; only the old ones are kept here.
 */
export class PendingChanges {
  readonly #old = new Map<string | number, { readonly key: unknown; readonly oldValue: unknown }>();

  note(token: string | number, key: unknown, oldValue: unknown): void {
    if (!this.#old.has(token)) this.#old.set(token, { key, oldValue });
  }

  get size(): number {
    return this.#old.size;
  }

  /** Takes out everything, in order of first change. */
  *drain(): Iterable<{ readonly key: unknown; readonly oldValue: unknown }> {
    const entries = [...this.#old.values()];
    this.#old.clear();
    yield* entries;
  }
}
