/**
 * The k best of a stream of (score, item): a bounded heap whose root is the worst kept.
 *
 * The order is total, so the answer does not depend on the order of offers: greater score first, ties by item id
 * ascending in code units. `idOf` is asked at ties only.
 */
export class TopK {
  readonly #idOf: (item: number) => string;
  #limit = 0;
  #size = 0;
  #scores = new Float64Array(16);
  #items = new Uint32Array(16);

  constructor(idOf: (item: number) => string) {
    this.#idOf = idOf;
  }

  reset(limit: number): void {
    this.#limit = limit;
    this.#size = 0;
    if (limit > this.#scores.length) {
      this.#scores = new Float64Array(limit);
      this.#items = new Uint32Array(limit);
    }
  }

  offer(item: number, score: number): void {
    const size = this.#size;
    if (size === this.#limit) {
      if (size === 0 || score < this.#scores[0]! || !this.#worse(0, score, item)) return;
      this.#sink(0, size, score, item);
      return;
    }
    let at = size;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#worse(parent, score, item)) break;
      this.#scores[at] = this.#scores[parent]!;
      this.#items[at] = this.#items[parent]!;
      at = parent;
    }
    this.#scores[at] = score;
    this.#items[at] = item;
    this.#size = size + 1;
  }

  /** Items kept, in no order. */
  kept(): Uint32Array {
    return this.#items.subarray(0, this.#size);
  }

  /** Best first. Empties the heap. */
  take(): { readonly item: number; readonly score: number }[] {
    const taken = Array<{ item: number; score: number }>(this.#size);
    for (let last = this.#size - 1; last >= 0; last -= 1) {
      taken[last] = { item: this.#items[0]!, score: this.#scores[0]! };
      this.#sink(0, last, this.#scores[last]!, this.#items[last]!);
    }
    this.#size = 0;
    return taken;
  }

  /** Whether what stands at `at` ranks behind (score, item). */
  #worse(at: number, score: number, item: number): boolean {
    const kept = this.#scores[at]!;
    if (kept !== score) return kept < score;
    const other = this.#items[at]!;
    return other !== item && this.#idOf(other) > this.#idOf(item);
  }

  #sink(from: number, size: number, score: number, item: number): void {
    const scores = this.#scores;
    const items = this.#items;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#worse(child + 1, scores[child]!, items[child]!)) child += 1;
      if (!this.#worse(child, score, item)) break;
      scores[at] = scores[child]!;
      items[at] = items[child]!;
      at = child;
    }
    scores[at] = score;
    items[at] = item;
  }
}
