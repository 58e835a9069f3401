/**
 * Base-128 varints (least significant group first, as protobuf), up to 2^53 - 1. Shifts work on 32 bits only, so what
 * is above 2^31 goes through division; lengths and small deltas never do.
 */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let size = 5;
  for (let rest = Math.floor(value / 0x800000000); rest > 0; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Returns the position behind what was written. */
export function writeVarint(out: Uint8Array, position: number, value: number): number {
  while (value > 0x7fffffff) {
    out[position++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  while (value > 0x7f) {
    out[position++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  out[position++] = value;
  return position;
}

/** Small magnitudes of either sign become small numbers: 0, -1, 1, -2 … -> 0, 1, 2, 3 … Exact up to 2^52. */
export function zigzag(value: number): number {
  return value < 0 ? -value * 2 - 1 : value * 2;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Reads varints one after the other; running past the end throws a RangeError. */
export class VarintReader {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.position = start;
    this.#end = end;
  }

  next(): number {
    const bytes = this.#bytes;
    let position = this.position;
    let byte = bytes[position++] ?? 0;
    if (byte < 0x80) {
      this.#moveTo(position);
      return byte;
    }
    let value = byte & 0x7f;
    let scale = 0x80;
    do {
      byte = bytes[position++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    this.#moveTo(position);
    return value;
  }

  #moveTo(position: number): void {
    if (position > this.#end) throw new RangeError(`a varint runs past byte ${this.#end}`);
    this.position = position;
  }
}
