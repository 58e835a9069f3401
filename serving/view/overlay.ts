/**
 * What a publication changes, beside the values that readers see (`base`, kept by whoever uses this).
 *
 *     stage ──> staged ──apply──> shown ──settle, a few at a time──> base
 *
 * A publication's rows come in slices and take effect together: `apply` makes the staged map the shown one, however much is
 * in it. Readers ask the shown map first. It is settled into the base before the next publication is applied, so nothing
 * is held twice for longer than that.
 */
export class Overlay<K, V> {
  readonly #write: (key: K, value: V) => void;
  #shown = new Map<K, V>();
  #staged = new Map<K, V>();
  #settling: Iterator<[K, V]> = this.#shown.entries();

  /** `write` puts a shown value into the base. */
  constructor(write: (key: K, value: V) => void) {
    this.#write = write;
  }

  /** What readers see instead of the base. */
  get(key: K): V | undefined {
    return this.#shown.size === 0 ? undefined : this.#shown.get(key);
  }

  staged(key: K): V | undefined {
    return this.#staged.get(key);
  }

  has(key: K): boolean {
    return this.#staged.has(key) || this.#shown.has(key);
  }

  stage(key: K, value: V): void {
    this.#staged.set(key, value);
  }

  apply(): void {
    while (!this.settle(Infinity));
    [this.#shown, this.#staged] = [this.#staged, this.#shown];
    this.#settling = this.#shown.entries();
  }

  /** Writes up to `max` shown values into the base; true when there are no more. */
  settle(max: number): boolean {
    for (let left = max; left > 0 && this.#shown.size > 0; left -= 1) {
      const next = this.#settling.next();
      if (next.done === true) break;
      const [key, value] = next.value;
      this.#shown.delete(key);
      this.#write(key, value);
    }
    return this.#shown.size === 0;
  }

  /** Writes one shown value into the base now. */
  settleKey(key: K): void {
    const value = this.get(key);
    if (value === undefined) return;
    this.#shown.delete(key);
    this.#write(key, value);
  }
}
