/**
 * Kafka's default partitioner: murmur2 of the key's bytes, sign bit cleared, modulo partitions
 * (org.apache.kafka.common.utils.Utils#murmur2, BuiltInPartitioner#partitionForKey). A null key goes to partition 0:
 * embedded there is no batch to stick to, and a fixed choice keeps a replay the same.
 */
export function partitionForKey(key: Uint8Array | null, partitions: number): number {
  if (partitions === 1 || key === null) return 0;
  return (murmur2(key) & 0x7fffffff) % partitions;
}

const seed = 0x9747b28c;
const m = 0x5bd1e995;

export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let h = seed ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    k = Math.imul(k, m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = length - i;
  if (rest === 3) h ^= data[i + 2]! << 16;
  if (rest >= 2) h ^= data[i + 1]! << 8;
  if (rest >= 1) {
    h ^= data[i]!;
    h = Math.imul(h, m);
  }
  h ^= h >>> 13;
  h = Math.imul(h, m);
  h ^= h >>> 15;
  return h;
}
