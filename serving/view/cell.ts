import type { Clock } from './clock.ts';

/**
 * One row of a store in two versions (clock.ts), kept as its bytes and decoded when it is first read: in a replay most
 * rows change many times between two reads.
 */
export class Cell<T> {
  readonly #clock: Clock;
  #current: Uint8Array | null = null;
  #staged: Uint8Array | null = null;
  #stamp = 0;
  #decoded: T | undefined;
  #decodedOf: Uint8Array | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(decode: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#visible();
    if (bytes === null) return undefined;
    if (bytes !== this.#decodedOf) {
      this.#decoded = decode(bytes);
      this.#decodedOf = bytes;
    }
    return this.#decoded;
  }

  /** Copies the bytes; null when the row was deleted. */
  stage(bytes: Uint8Array | null): void {
    this.#current = this.#visible();
    this.#staged = bytes === null ? null : Uint8Array.prototype.slice.call(bytes);
    this.#stamp = this.#clock.staging;
  }

  #visible(): Uint8Array | null {
    return this.#stamp <= this.#clock.applied ? this.#staged : this.#current;
  }
}
