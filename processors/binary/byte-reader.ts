import { Buffer } from 'node:buffer';
import { MillraceError } from '../../schemas/index.ts';

/** Reads what ByteWriter wrote. Running over the end is `DESERIALIZATION_FAILED`, naming the row's serde. */
export class ByteReader {
  readonly #name: string;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(name: string, bytes: Uint8Array) {
    this.#name = name;
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    if (this.#at >= this.#bytes.length) throw this.#short(1);
    return this.#bytes[this.#at++]!;
  }

  varint(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) return value;
      if (unit > 2 ** 50) throw this.#wrong('a safe integer', 'a longer one');
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    if (this.#at + 8 > this.#bytes.length) throw this.#short(8);
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  text(): string {
    const length = this.varint();
    if (this.#at + length > this.#bytes.length) throw this.#short(length);
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString('utf8', start, this.#at);
  }

  bytes(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw this.#short(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Everything must have been read: bytes left over mean another format. */
  end(): void {
    if (!this.atEnd) throw this.#wrong('no more bytes', `${this.#bytes.length - this.#at}`);
  }

  #short(wanted: number): MillraceError {
    return this.#wrong(`${wanted} more bytes`, `${this.#bytes.length - this.#at}`);
  }

  #wrong(wanted: string, found: string): MillraceError {
    return new MillraceError(
      'DESERIALIZATION_FAILED',
      `Serde '${this.#name}' wants ${wanted} at byte ${this.#at}, found ${found}`,
      { serde: this.#name, at: this.#at, bytes: this.#bytes.length },
    );
  }
}
