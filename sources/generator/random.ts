/**
 * Random numbers that anyone can compute again: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state, a few shifts
 * and additions a number. A generator is set to a *place* (seed, and up to three numbers that say what it is for) by
 * mixing those into its state; so the numbers of session 7 of minute 1,000 need none of those before.
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** Goes to a place. Words are taken modulo 2^32. */
  at(seed: number, purpose: number, high = 0, low = 0): this {
    this.#a = mix(seed ^ mix(purpose));
    this.#b = mix(this.#a ^ mix(high + 0x9e3779b9));
    this.#c = mix(this.#b ^ mix(low + 0x85ebca6b));
    this.#counter = 1;
    for (let round = 0; round < 8; round++) this.word();
    return this;
  }

  /** 0..2^32-1. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** [0, 1). */
  unit(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** 0..count-1. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Exponential with this mean, as the gaps of a Poisson process are. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean;
  }
}

/** The finaliser of MurmurHash3: every bit of the input moves half of those of the output. */
export function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
