import { Buffer } from 'node:buffer';

/**
 * Writes small binary rows: one buffer that grows and is used again, and a copy of what was written at the end.
 *
 *     varint    7 bits a byte, lowest first; safe integers, 0 or more
 *     zigzag    a signed safe integer n as varint of 2n (n >= 0) or −2n − 1; |n| < 2^52
 *     text      | varint length in bytes | UTF-8 |
 */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(1024);
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

  /** What was written; the writer starts anew. */
  finish(): Uint8Array {
    const written = new Uint8Array(this.#at);
    written.set(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    return written;
  }

  /** Forgets what an encoding that failed has left behind. */
  begin(): this {
    this.#at = 0;
    return this;
  }

  #longText(value: string): this {
    this.varint(Buffer.byteLength(value, 'utf8'));
    this.#at += this.#buffer.write(value, this.#at, 'utf8');
    return this;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes));
    grown.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = grown;
  }
}
