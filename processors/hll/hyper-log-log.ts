import { firstSeed, murmur3, secondSeed } from '../hash/murmur3.ts';

/**
 * HyperLogLog: how many distinct users, within about 1.6 %, in at most 4 KiB (Flajolet, Fusy, Gandouet, Meunier 2007).
 *
 * 4096 registers. A member's first hash chooses the register (its top 12 bits), its second hash gives the rank (leading
 * zeros + 1, so 1..33), and the register keeps the greatest rank. So the sketch is a function of the *set* of members:
 * order and repetition change nothing, and two sketches merge by the greater register.
 *
 * Most products have few users, so a sketch starts sparse: its non-zero registers, sorted, each one number
 * `register << 6 | rank`. Beyond `sparseMax` of them it becomes one byte a register. Which form a sketch has follows from
 * the number of its non-zero registers alone.
 *
 *     bytes: | 0x01 | count × 3 bytes LE: register << 6 | rank |     sparse
 *            | 0x02 | 4096 × u8 rank |                                dense
 */
export class HyperLogLog {
  #sparse: Uint32Array | undefined = new Uint32Array(4);
  #sparseSize = 0;
  #dense: Uint8Array | undefined;

  /** Adds a member; false when no register rose, so that nothing needs to be written. */
  add(member: string): boolean {
    const register = murmur3(member, firstSeed) >>> registerShift;
    return this.raise(register, Math.clz32(murmur3(member, secondSeed)) + 1);
  }

  /** Lifts a register to at least `rank`; false when it was there already. */
  raise(register: number, rank: number): boolean {
    const dense = this.#dense;
    if (dense !== undefined) {
      if (dense[register]! >= rank) return false;
      dense[register] = rank;
      return true;
    }
    return this.#raiseSparse(register, rank);
  }

  merge(other: HyperLogLog): void {
    other.forEachRegister((register, rank) => this.raise(register, rank));
  }

  /** The classical estimate: harmonic mean of the registers, with linear counting below 2.5 · registers. */
  estimate(): number {
    let zeros = registers;
    let sum = 0;
    this.forEachRegister((_register, rank) => {
      zeros -= 1;
      sum += 2 ** -rank;
    });
    const raw = (alpha * registers * registers) / (sum + zeros);
    return raw <= 2.5 * registers && zeros > 0 ? registers * Math.log(registers / zeros) : raw;
  }

  /** Non-zero registers in ascending order. */
  forEachRegister(visit: (register: number, rank: number) => void): void {
    if (this.#dense === undefined) {
      for (let i = 0; i < this.#sparseSize; i += 1) visit(this.#sparse![i]! >>> 6, this.#sparse![i]! & 63);
      return;
    }
    for (let register = 0; register < registers; register += 1) {
      const rank = this.#dense[register]!;
      if (rank > 0) visit(register, rank);
    }
  }

  /** All 4096 registers, for comparisons. */
  toRegisters(): Uint8Array {
    const all = new Uint8Array(registers);
    this.forEachRegister((register, rank) => {
      all[register] = rank;
    });
    return all;
  }

  get byteSize(): number {
    return 200 + (this.#dense?.byteLength ?? this.#sparse!.byteLength);
  }

  encode(): Uint8Array {
    if (this.#dense !== undefined) {
      const bytes = new Uint8Array(1 + registers);
      bytes[0] = denseForm;
      bytes.set(this.#dense, 1);
      return bytes;
    }
    const bytes = new Uint8Array(1 + this.#sparseSize * 3);
    bytes[0] = sparseForm;
    for (let i = 0, at = 1; i < this.#sparseSize; i += 1, at += 3) {
      const entry = this.#sparse![i]!;
      bytes[at] = entry;
      bytes[at + 1] = entry >>> 8;
      bytes[at + 2] = entry >>> 16;
    }
    return bytes;
  }

  static decode(bytes: Uint8Array): HyperLogLog | undefined {
    const sketch = new HyperLogLog();
    if (bytes[0] === denseForm && bytes.length === 1 + registers) {
      sketch.#dense = bytes.slice(1);
      sketch.#sparse = undefined;
      return sketch;
    }
    const size = (bytes.length - 1) / 3;
    if (bytes[0] !== sparseForm || !Number.isInteger(size) || size > sparseMax) return undefined;
    const sparse = new Uint32Array(Math.max(4, size));
    for (let i = 0, at = 1; i < size; i += 1, at += 3) {
      sparse[i] = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    }
    sketch.#sparse = sparse;
    sketch.#sparseSize = size;
    return sketch;
  }

  toJSON(): { readonly uniqueUsers: number } {
    return { uniqueUsers: Math.round(this.estimate()) };
  }

  #raiseSparse(register: number, rank: number): boolean {
    const sparse = this.#sparse!;
    const size = this.#sparseSize;
    let low = 0;
    let high = size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sparse[middle]! >>> 6 < register) low = middle + 1;
      else high = middle;
    }
    if (low < size && sparse[low]! >>> 6 === register) {
      if ((sparse[low]! & 63) >= rank) return false;
      sparse[low] = (register << 6) | rank;
      return true;
    }
    if (size === sparseMax) {
      this.#dense = this.toRegisters();
      this.#dense[register] = rank;
      this.#sparse = undefined;
      return true;
    }
    let target = sparse;
    if (size === sparse.length) {
      target = new Uint32Array(size * 2);
      target.set(sparse);
      this.#sparse = target;
    }
    target.copyWithin(low + 1, low, size);
    target[low] = (register << 6) | rank;
    this.#sparseSize = size + 1;
    return true;
  }
}

const registers = 4096;
const registerShift = 20;
const sparseMax = 512;
const sparseForm = 1;
const denseForm = 2;
const alpha = 0.7213 / (1 + 1.079 / registers);
