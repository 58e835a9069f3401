import { Overlay } from './overlay.ts';

/**
 * Rows of a store that are fetched when somebody asks for them, as their bytes; what is published of them keeps them up to
 * date (overlay.ts). Bounded by bytes: those asked for longest ago go first. Of a row that is being fetched, what is
 * published wins over what the answer says.
 */
export class DemandCache<K> {
  readonly #bytesMax: number;
  /** null: there is no such row. In the order of use. */
  readonly #rows = new Map<K, Uint8Array | null>();
  readonly #loading = new Set<K>();
  readonly #overlay = new Overlay<K, Uint8Array | null>((key, row) => {
    if (this.#rows.has(key) || this.#loading.has(key)) this.#set(key, row);
  });
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  /** undefined: ask for it. */
  get(key: K): Uint8Array | null | undefined {
    if (this.#loading.has(key)) return undefined;
    this.#overlay.settleKey(key);
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    this.#rows.delete(key);
    this.#rows.set(key, row);
    return row;
  }

  /** An answer is on its way. */
  want(key: K): void {
    this.#loading.add(key);
  }

  fill(key: K, row: Uint8Array): void {
    this.#overlay.settleKey(key);
    if (this.#loading.has(key) && !this.#rows.has(key)) this.#set(key, Uint8Array.prototype.slice.call(row));
  }

  /** The answer has come: if the row was not in it, there is none. */
  filled(key: K): void {
    this.#overlay.settleKey(key);
    if (this.#loading.delete(key) && !this.#rows.has(key)) this.#set(key, null);
  }

  /** No answer will come. */
  giveUp(key: K): void {
    this.#loading.delete(key);
    const row = this.#rows.get(key);
    this.#rows.delete(key);
    this.#bytes -= row === undefined ? 0 : sizeOf(row);
  }

  /** A published row; null when it was deleted. */
  stage(key: K, row: Uint8Array | null): void {
    if (!this.#rows.has(key) && !this.#loading.has(key)) return;
    this.#overlay.stage(key, row === null ? null : Uint8Array.prototype.slice.call(row));
  }

  apply(): void {
    this.#overlay.apply();
  }

  settle(max: number): boolean {
    return this.#overlay.settle(max);
  }

  /** Lets everything go but what is on its way. */
  forget(): void {
    this.#overlay.settle(Infinity);
    this.#rows.clear();
    this.#bytes = 0;
  }

  /** Lets everything go; an answer that is on its way will not be asked. */
  forgetAll(): void {
    this.forget();
    this.#loading.clear();
  }

  #set(key: K, row: Uint8Array | null): void {
    const before = this.#rows.get(key);
    this.#rows.set(key, row);
    this.#bytes += sizeOf(row) - (before === undefined ? 0 : sizeOf(before));
    for (const [oldest, dropped] of this.#rows) {
      if (this.#bytes <= this.#bytesMax || oldest === key) break;
      if (this.#loading.has(oldest)) continue;
      this.#rows.delete(oldest);
      this.#bytes -= sizeOf(dropped);
    }
  }
}

/** With the key, the array object and the place in the map. */
function sizeOf(row: Uint8Array | null): number {
  return 200 + (row?.length ?? 0);
}
