/**
 * Item ids by dense index and back, without a JavaScript object an id: a shop may have millions.
 *
 *     bytes:  | utf8 of id 0 | utf8 of id 1 | … |      ends[i]: where id i ends
 *     slots:  open addressing with linear probing, 1 + index, 0: free; at most three quarters are taken
 *
 * An id takes its bytes, 4 for its end and 5 to 11 for its slot. Nothing is ever removed.
 */
export class ItemIds {
  #bytes = Buffer.alloc(16 * 1024);
  #ends = new Uint32Array(1024);
  #slots = new Uint32Array(2048);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes that these arrays take. */
  get byteLength(): number {
    return this.#bytes.byteLength + this.#ends.byteLength + this.#slots.byteLength;
  }

  id(index: number): string {
    return this.#bytes.toString('utf8', this.#start(index), this.#ends[index]);
  }

  find(id: string): number | undefined {
    const taken = this.#slots[this.#slotOf(Buffer.from(id))]!;
    return taken === 0 ? undefined : taken - 1;
  }

  /** The index of an id, which gets the next one when it is new. */
  add(id: string): number {
    const utf8 = Buffer.from(id);
    const slot = this.#slotOf(utf8);
    const taken = this.#slots[slot]!;
    if (taken !== 0) return taken - 1;
    const index = this.#append(utf8);
    this.#slots[slot] = index + 1;
    if (this.#size * 4 > this.#slots.length * 3) this.#rehash();
    return index;
  }

  #start(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  #append(utf8: Buffer): number {
    const index = this.#size;
    const start = this.#start(index);
    const end = start + utf8.length;
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.ceil(end * growth));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (index === this.#ends.length) {
      const grown = new Uint32Array(Math.ceil(index * growth));
      grown.set(this.#ends);
      this.#ends = grown;
    }
    this.#bytes.set(utf8, start);
    this.#ends[index] = end;
    this.#size += 1;
    return index;
  }

  /** Where the id stands, or the free slot where it would. */
  #slotOf(utf8: Buffer): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(utf8, 0, utf8.length) & mask;
    for (;;) {
      const taken = this.#slots[slot]!;
      if (taken === 0) return slot;
      if (utf8.compare(this.#bytes, this.#start(taken - 1), this.#ends[taken - 1]) === 0) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index += 1) {
      let slot = hashOf(this.#bytes, this.#start(index), this.#ends[index]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

const growth = 1.5;

/** FNV-1a with a last mix, since ids of a shop often differ in their last digits only. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
