/** Reads the primitive types of Kafka's protocol one after the other; running past the end throws a RangeError. */
export class WireReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.skip(4));
  }

  /** Of an offset or a time: a safe integer. */
  int64(): number {
    return Number(this.bigint64());
  }

  bigint64(): bigint {
    return this.#buffer.readBigInt64BE(this.skip(8));
  }

  string(): string {
    const length = this.int16();
    const start = this.skip(length);
    return this.#buffer.toString('utf8', start, start + length);
  }

  /** A view; null is empty. */
  bytes(): Buffer {
    const length = Math.max(0, this.int32());
    const start = this.skip(length);
    return this.#buffer.subarray(start, start + length);
  }

  /** Null is empty. */
  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }

  /** Of flexible versions, its length + 1 as a varint in front; null is empty. */
  compactString(): string {
    const length = Math.max(0, this.unsignedVarint() - 1);
    const start = this.skip(length);
    return this.#buffer.toString('utf8', start, start + length);
  }

  compactArray<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.unsignedVarint() - 1) }, read);
  }

  /** Below 2 ** 28. */
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#buffer.readUInt8(this.skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** As hexadecimal digits. */
  uuid(): string {
    const start = this.skip(16);
    return this.#buffer.toString('hex', start, start + 16);
  }

  /** Returns where it was. */
  skip(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    return start;
  }
}
