import type { Log, LogHeader, LogRecord } from '../../log/index.ts';

/**
 * Records of one topic in one transferable buffer: how threads hand records to the thread that owns the log.
 *
 *     | record |*      record = | partition u32 | timestamp f64 | headers u32 | key | value | (header key | header value)* |
 *     key, value, header parts = | length i32, -1 for null | bytes |
 *
 * Little endian. Unpacking makes views into the buffer.
 */
export interface PlacedRecord extends LogRecord {
  readonly partition: number;
}

export function packRecords(records: readonly PlacedRecord[]): ArrayBuffer {
  let size = 0;
  for (const { key, value, headers } of records) {
    size += 24 + (key?.length ?? 0) + (value?.length ?? 0);
    for (const header of headers ?? []) size += 8 + Buffer.byteLength(header.key) + header.value.length;
  }
  const bytes = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  const put = (part: Uint8Array | null): void => {
    at = bytes.writeInt32LE(part === null ? -1 : part.length, at);
    if (part === null) return;
    bytes.set(part, at);
    at += part.length;
  };
  for (const { partition, key, value, timestamp, headers = [] } of records) {
    at = bytes.writeUInt32LE(partition, at);
    at = bytes.writeDoubleLE(timestamp, at);
    at = bytes.writeUInt32LE(headers.length, at);
    put(key);
    put(value);
    for (const header of headers) {
      put(Buffer.from(header.key));
      put(header.value);
    }
  }
  return bytes.buffer as ArrayBuffer;
}

/** By partition, in order; those that `keep` refuses, by their place in the buffer, are left out. */
export function unpackRecords(
  buffer: ArrayBuffer,
  keep: (index: number) => boolean = () => true,
): Map<number, LogRecord[]> {
  const bytes = Buffer.from(buffer);
  const partitions = new Map<number, LogRecord[]>();
  let at = 0;
  const take = (): Uint8Array | null => {
    const length = bytes.readInt32LE(at);
    at += 4;
    if (length === -1) return null;
    at += length;
    return bytes.subarray(at - length, at);
  };
  for (let index = 0; at < bytes.length; index++) {
    const partition = bytes.readUInt32LE(at);
    const timestamp = bytes.readDoubleLE(at + 4);
    const headerCount = bytes.readUInt32LE(at + 12);
    at += 16;
    const key = take();
    const value = take();
    const headers: LogHeader[] = [];
    for (let i = 0; i < headerCount; i++) {
      headers.push({ key: Buffer.from(take()!).toString(), value: take()! });
    }
    if (!keep(index)) continue;
    let records = partitions.get(partition);
    if (records === undefined) partitions.set(partition, (records = []));
    records.push({ key, value, timestamp, headers });
  }
  return partitions;
}

/** Appends what was unpacked; resolves when it is durable, with how many records it was. */
export async function appendRecords(
  log: Pick<Log, 'produce'>,
  topic: string,
  partitions: ReadonlyMap<number, readonly LogRecord[]>,
): Promise<number> {
  const appends = [...partitions].map(async ([partition, records]) => {
    await log.produce({ topic, partition }, records);
    return records.length;
  });
  return (await Promise.all(appends)).reduce((sum, count) => sum + count, 0);
}
