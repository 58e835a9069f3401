/**
 * The place of a point on a Hilbert curve through a cube of 2^bits cells a side. Points that are near each other on the curve
 * are near each other in every dimension, so a file that holds a stretch of it has narrow ranges in all of them, which is what
 * data skipping lives from. After John Skilling, "Programming the Hilbert curve" (AIP Conference Proceedings 707, 2004).
 */
export function hilbertIndex(point: readonly number[], bits: number): bigint {
  const x = [...point];
  const dimensions = x.length;
  // Undo what the curve turns and mirrors, from the largest cells down.
  for (let q = 2 ** (bits - 1); q > 1; q /= 2) {
    const low = q - 1;
    for (let i = 0; i < dimensions; i++) {
      if (x[i]! & q) x[0]! ^= low;
      else {
        const swap = (x[0]! ^ x[i]!) & low;
        x[0]! ^= swap;
        x[i]! ^= swap;
      }
    }
  }
  // Gray code.
  for (let i = 1; i < dimensions; i++) x[i]! ^= x[i - 1]!;
  let flip = 0;
  for (let q = 2 ** (bits - 1); q > 1; q /= 2) if (x[dimensions - 1]! & q) flip ^= q - 1;
  for (let i = 0; i < dimensions; i++) x[i]! ^= flip;
  // The bits of all dimensions, one after the other, highest first.
  let index = 0n;
  for (let bit = bits - 1; bit >= 0; bit--) {
    for (let i = 0; i < dimensions; i++) index = (index << 1n) | BigInt((x[i]! >>> bit) & 1);
  }
  return index;
}
