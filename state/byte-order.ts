/**
 * Byte strings in the engine's order: unsigned, lexicographic, a prefix before what it is a prefix of.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** The parts behind each other, in memory of the Buffer pool: native code reads that twice as fast as an on-heap array. */
export function concatBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(a.length + b.length);
  bytes.set(a, 0);
  bytes.set(b, a.length);
  return bytes;
}

/** Above every key that the engines are given: no key of ours starts with eight 0xff bytes. */
const aboveAllKeys = new Uint8Array(8).fill(0xff);

/** The smallest byte string above everything that starts with `prefix`, so `[prefix, prefixEnd(prefix))` is its range. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return aboveAllKeys;
  const end = Buffer.from(prefix.subarray(0, length));
  end[length - 1] = (prefix[length - 1] ?? 0) + 1;
  return end;
}

/** The key that follows `key` directly: turns an inclusive upper bound into an exclusive one, and back. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = Buffer.allocUnsafe(key.length + 1);
  after.set(key, 0);
  after[key.length] = 0;
  return after;
}
