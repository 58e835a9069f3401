/**
 * Where the embedded log keeps what, in the database.
 *
 * Family `log`, one entry a record batch (record-batch.ts draws the value):
 *
 *     | topic id u32 | partition u32 | last offset u64 |
 *
 * The key holds the batch's LAST offset: so the first key >= (topic, partition, offset) is the batch that holds
 * `offset`, or the next one where `offset` lies in a gap. One lower-bound seek finds it, reading on is a forward range.
 *
 * Family `meta`, everything under `log/`, all small and read once at open:
 *
 *     log/topic/<name>                                          -> JSON { id, spec }
 *     log/partition/ | topic id u32 | partition u32 |           -> | end u64 | log start u64 | compacted up to u64 | next horizon ms u64 |
 *     log/producer/  | topic id u32 | partition u32 | id utf8 | -> JSON { epoch, atMs, batches: [[sequence, count, base]] }
 *     log/append-times-since                                    -> | ms since epoch u64 |   batches without an append time are older
 *     log/offset/    | topic id u32 | partition u32 | group utf8 | -> | offset u64 |
 *
 * Numbers are big endian, so that byte order is number order.
 */
export function batchKey(topicId: number, partition: number, lastOffset: number): Uint8Array {
  const key = new Uint8Array(16);
  const view = new DataView(key.buffer);
  view.setUint32(0, topicId);
  view.setUint32(4, partition);
  view.setUint32(8, Math.floor(lastOffset / 0x100000000));
  view.setUint32(12, lastOffset >>> 0);
  return key;
}

export const appendTimesSinceKey = Buffer.from('log/append-times-since');

export const metaPrefix = {
  topic: Buffer.from('log/topic/'),
  partition: Buffer.from('log/partition/'),
  producer: Buffer.from('log/producer/'),
  offset: Buffer.from('log/offset/'),
} as const;

export function topicKey(name: string): Uint8Array {
  return Buffer.concat([metaPrefix.topic, Buffer.from(name)]);
}

export function partitionKey(topicId: number, partition: number): Uint8Array {
  return scopedKey(metaPrefix.partition, topicId, partition, '');
}

export function producerKey(topicId: number, partition: number, producerId: string): Uint8Array {
  return scopedKey(metaPrefix.producer, topicId, partition, producerId);
}

export function offsetKey(topicId: number, partition: number, group: string): Uint8Array {
  return scopedKey(metaPrefix.offset, topicId, partition, group);
}

/** Splits what `partitionKey`, `producerKey` and `offsetKey` made. */
export function readScopedKey(prefix: Buffer, key: Uint8Array) {
  const buffer = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return {
    topicId: buffer.readUInt32BE(prefix.length),
    partition: buffer.readUInt32BE(prefix.length + 4),
    name: buffer.toString('utf8', prefix.length + 8),
  };
}

/** `[prefix, prefix + 1)`: all keys that begin with it. */
export function prefixRange(prefix: Buffer): { gte: Uint8Array; lt: Uint8Array } {
  const lt = Buffer.from(prefix);
  lt[lt.length - 1] = (lt[lt.length - 1] as number) + 1;
  return { gte: prefix, lt };
}

export function encodeOffsets(...offsets: readonly number[]): Uint8Array {
  const out = Buffer.alloc(offsets.length * 8);
  offsets.forEach((offset, i) => out.writeBigUInt64BE(BigInt(offset), i * 8));
  return out;
}

export function decodeOffsets(bytes: Uint8Array): number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: buffer.length / 8 }, (_, i) => Number(buffer.readBigUInt64BE(i * 8)));
}

function scopedKey(prefix: Buffer, topicId: number, partition: number, name: string): Uint8Array {
  const scope = Buffer.alloc(8);
  scope.writeUInt32BE(topicId, 0);
  scope.writeUInt32BE(partition, 4);
  return Buffer.concat([prefix, scope, Buffer.from(name)]);
}
