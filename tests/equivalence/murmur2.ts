/**
 * Which partition a key goes to, as Apache Kafka's default partitioner says it: 32-bit MurmurHash2 (Austin Appleby) of
 * the serialized key with seed 0x9747b28c, the sign bit cleared, modulo the partitions. Written here once more, so
 * that the interpreter borrows nothing from log/.
 */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  let h = 0x9747b28c ^ bytes.length;
  for (let i = 0; i < whole; i += 4) {
    let k = Math.imul(view.getInt32(i, true), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  if (whole < bytes.length) {
    for (let i = bytes.length - 1; i >= whole; i--) h ^= bytes[i]! << (8 * (i - whole));
    h = Math.imul(h, m);
  }
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}
