/**
 * How often each line was seen before, for a whole file.
 *
 * An open-addressing table over 64 bits of the lines' hashes: 12 bytes a slot, at most half full, so 12 MB for half a
 * million lines where a Map of strings takes 80 MB. Two different lines share 64 bits with a chance of 1 in 10^8 for
 * a file of half a million; the later one would get ordinal 1 in place of 0, and still an id of its own.
 */
export class LineOrdinals {
  #slots = 1 << 16;
  #keys = new Uint32Array(this.#slots * 2);
  #counts = new Uint32Array(this.#slots);
  #used = 0;

  /** 0 the first time, then 1, 2 … `high` and `low` are unsigned 32-bit halves of the hash. */
  next(high: number, low: number): number {
    const slot = this.#find(high, low);
    const seen = this.#counts[slot]!;
    if (seen === 0) {
      this.#keys[slot * 2] = high;
      this.#keys[slot * 2 + 1] = low;
      this.#used++;
    }
    this.#counts[slot] = seen + 1;
    if (this.#used * 2 > this.#slots) this.#grow();
    return seen;
  }

  /** `next` by the first 64 bits of a hash in hex. */
  nextOf(digest: string): number {
    return this.next(Number.parseInt(digest.slice(0, 8), 16), Number.parseInt(digest.slice(8, 16), 16));
  }

  /** The slot of the key, or the empty one where it belongs: a count of 0 is empty. */
  #find(high: number, low: number): number {
    let slot = low & (this.#slots - 1);
    while (this.#counts[slot] !== 0 && (this.#keys[slot * 2] !== high || this.#keys[slot * 2 + 1] !== low)) {
      slot = (slot + 1) & (this.#slots - 1);
    }
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#slots *= 2;
    this.#keys = new Uint32Array(this.#slots * 2);
    this.#counts = new Uint32Array(this.#slots);
    for (let old = 0; old < counts.length; old++) {
      if (counts[old] === 0) continue;
      const high = keys[old * 2]!;
      const low = keys[old * 2 + 1]!;
      const slot = this.#find(high, low);
      this.#keys[slot * 2] = high;
      this.#keys[slot * 2 + 1] = low;
      this.#counts[slot] = counts[old]!;
    }
  }
}
