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

  /** Returns where it was. */
  skip(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    return start;
  }
}
