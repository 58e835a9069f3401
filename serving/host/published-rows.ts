/**
 * Changed rows of several stores in one transferable buffer.
 *
 *     row = | store u16 | partition u16 | key length u32 | value length i32, -1: deleted | key | value |
 *
 * `store` is the place in the list of published stores that both sides know.
 */
export interface PublishedRow {
  readonly store: number;
  readonly partition: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

const headBytes = 12;

export class RowSlicer {
  readonly #maxBytes: number;
  #rows: PublishedRow[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds a row; gives a full slice when one is ready. */
  add(row: PublishedRow): ArrayBuffer | undefined {
    const bytes = headBytes + row.key.length + (row.value?.length ?? 0);
    const full = this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes ? this.take() : undefined;
    this.#rows.push(row);
    this.#bytes += bytes;
    return full;
  }

  /** What has been added since the last slice; empty when nothing was. */
  take(): ArrayBuffer {
    const bytes = Buffer.from(new ArrayBuffer(this.#bytes));
    let at = 0;
    for (const { store, partition, key, value } of this.#rows) {
      at = bytes.writeUInt16LE(store, at);
      at = bytes.writeUInt16LE(partition, at);
      at = bytes.writeUInt32LE(key.length, at);
      at = bytes.writeInt32LE(value === null ? -1 : value.length, at);
      bytes.set(key, at);
      at += key.length;
      if (value === null) continue;
      bytes.set(value, at);
      at += value.length;
    }
    this.#rows = [];
    this.#bytes = 0;
    return bytes.buffer as ArrayBuffer;
  }
}

/** Views into the slice: copy what is kept. */
export function* rowsOf(slice: ArrayBuffer): Iterable<PublishedRow> {
  const bytes = Buffer.from(slice);
  for (let at = 0; at < bytes.length;) {
    const store = bytes.readUInt16LE(at);
    const partition = bytes.readUInt16LE(at + 2);
    const keyLength = bytes.readUInt32LE(at + 4);
    const valueLength = bytes.readInt32LE(at + 8);
    at += headBytes;
    const key = bytes.subarray(at, at + keyLength);
    at += keyLength;
    const value = valueLength === -1 ? null : bytes.subarray(at, at + valueLength);
    at += Math.max(0, valueLength);
    yield { store, partition, key, value };
  }
}
