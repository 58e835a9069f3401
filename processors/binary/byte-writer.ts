import { Buffer } from 'node:buffer';

/**
 * Writes small binary rows, one behind the other into pages of 32 KiB, and gives them out as views: no row is copied, and a
 * page lives as long as any of its rows. (A typed array of its own for each row was half the time of a short one.)
 *
 *     varint    7 bits a byte, lowest first; safe integers, 0 or more
 *     zigzag    a signed safe integer n as varint of 2n (n >= 0) or −2n − 1; |n| < 2^52
 *     double    f64 little-endian
 *     text      | varint length in bytes | UTF-8 |
 */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(pageBytes);
  #start = 0;
  #at = 0;

  byte(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#at++] = value;
    return this;
  }

  varint(value: number): this {
    this.#reserve(8);
    const buffer = this.#buffer;
    let at = this.#at;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      buffer[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    let low = rest | 0;
    while (low > 127) {
      buffer[at++] = (low & 127) | 128;
      low >>>= 7;
    }
    buffer[at++] = low;
    this.#at = at;
    return this;
  }

  zigzag(value: number): this {
    return this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(value: number): this {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
    return this;
  }

  text(value: string): this {
    const length = value.length;
    this.#reserve(length * 3 + 8);
    if (length >= 64) return this.#longText(value);
    const buffer = this.#buffer;
    const start = this.#at + 1;
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code > 127) return this.#longText(value);
      buffer[start + i] = code;
    }
    buffer[this.#at] = length;
    this.#at = start + length;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** What was written since `begin`. */
  finish(): Uint8Array {
    const row = this.#buffer.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return row;
  }

  /** Starts a row, and forgets what one that failed has left behind. */
  begin(): this {
    this.#at = this.#start;
    return this;
  }

  #longText(value: string): this {
    this.varint(Buffer.byteLength(value, 'utf8'));
    this.#at += this.#buffer.write(value, this.#at, 'utf8');
    return this;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes > this.#buffer.length) this.#nextPage(bytes);
  }

  /** The row that is being written moves to the new page. */
  #nextPage(bytes: number): void {
    const row = this.#buffer.subarray(this.#start, this.#at);
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(pageBytes, (row.length + bytes) * 2));
    this.#buffer.set(row);
    this.#start = 0;
    this.#at = row.length;
  }
}

const pageBytes = 32 * 1024;
