import { Buffer } from 'node:buffer';

/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain) of a string's UTF-8 bytes, as an unsigned 32-bit number.
 *
 * Ids are ASCII nearly always, and an ASCII string is its own UTF-8: its characters are hashed where they lie, four at a
 * time, and nothing is allocated. The first character beyond ASCII sends the whole string through Buffer. Both ways
 * give the same number; so does any other implementation of the same hash, which is what golden vectors hold.
 */
export function murmur3(text: string, seed: number): number {
  const length = text.length;
  const blocksEnd = length & ~3;
  let h = seed | 0;
  let i = 0;
  for (; i < blocksEnd; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 127) return murmur3Bytes(Buffer.from(text, 'utf8'), seed);
    h = mixBlock(h, a | (b << 8) | (c << 16) | (d << 24));
  }
  let k = 0;
  for (let shift = 0; i < length; i += 1, shift += 8) {
    const code = text.charCodeAt(i);
    if (code > 127) return murmur3Bytes(Buffer.from(text, 'utf8'), seed);
    k |= code << shift;
  }
  return finish(h ^ mixKey(k), length);
}

/** The same hash of bytes. */
export function murmur3Bytes(bytes: Uint8Array, seed: number): number {
  const length = bytes.length;
  const blocksEnd = length & ~3;
  let h = seed | 0;
  let i = 0;
  for (; i < blocksEnd; i += 4) {
    h = mixBlock(h, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let k = 0;
  for (let shift = 0; i < length; i += 1, shift += 8) k |= bytes[i]! << shift;
  return finish(h ^ mixKey(k), length);
}

/** The two seeds: an id's 64-bit hash is (murmur3 with the first, murmur3 with the second), and so are a sketch's two hashes. */
export const firstSeed = 0;
export const secondSeed = 0x9747b28c;

/** Mixes a 32-bit number so that its low bits depend on all of it (murmur3's finalizer). */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A tail of no bytes mixes to 0 and changes nothing, so it needs no branch. */
function mixKey(k: number): number {
  const m = Math.imul(k, 0xcc9e2d51);
  return Math.imul((m << 15) | (m >>> 17), 0x1b873593);
}

function mixBlock(h: number, k: number): number {
  const mixed = h ^ mixKey(k);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(h: number, length: number): number {
  return mix32(h ^ length);
}
